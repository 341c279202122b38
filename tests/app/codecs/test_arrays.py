import numpy as np
import orjson
import pytest

from app.codecs import arrays


@pytest.mark.parametrize(
    "shape", [(5,), (1,), (7, 3), (1, 40), (40, 1), (2, 3, 4), (1, 1, 50), (0, 3), (3, 20, 20)]
)
@pytest.mark.parametrize("piece", [1, 2, 7, 39, 10_000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pieces_are_written_as_the_whole(
    shape: tuple[int, ...],
    piece: int,
    dtype: type,
    monkeypatch: pytest.MonkeyPatch,
    rng: np.random.Generator,
) -> None:
    values: np.ndarray[tuple[int, ...], np.dtype[np.floating]] = rng.normal(size=shape).astype(
        dtype
    )
    whole = orjson.dumps({"a": values}, option=orjson.OPT_SERIALIZE_NUMPY)
    monkeypatch.setattr(arrays, "_PIECE", piece)

    found = orjson.dumps({"a": arrays.writable(values)}, option=orjson.OPT_SERIALIZE_NUMPY)

    assert found == whole


def test_a_large_array_is_written_beforehand() -> None:
    assert isinstance(arrays.writable(np.zeros((300, 300))), orjson.Fragment)
    assert isinstance(arrays.writable(np.zeros((3, 3))), np.ndarray)
