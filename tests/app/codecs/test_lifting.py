"""Large bodies are read in pieces; what comes out is what reading them whole gives."""

import json
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from app.codecs import documents, lifting
from app.codecs.flaws import Part
from app.codecs.inference import Offer, decode_inference
from app.codecs.instances import decode_instances
from app.codecs.lifting import Numbers
from app.codecs.questions import decode_predict
from app.codecs.rows import Batch, Limits
from app.errors import RequestError
from tests.serving import ROOT

LIMITS = Limits(rows=10**6, cells=10**7)


@pytest.fixture(params=[30, 64, 1000])
def _pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces so short that a body of a test has many."""
    monkeypatch.setattr(lifting, "_PIECE", request.param)
    monkeypatch.setattr(lifting, "_LARGE", 10)
    monkeypatch.setattr(lifting, "_LONG", 20)


def read_tensor(body: bytes) -> Batch:
    return decode_inference(body, None, Offer(2, ("logits", "probabilities"), LIMITS)).batch


def read_frame(body: bytes) -> Batch:
    return decode_instances(body, ["a", "b"], LIMITS)


TENSOR = '"name": "inputs", "datatype": "FP64", "shape": [60, 11]'
READERS: dict[str, Callable[[bytes], Batch]] = {
    '{"inputs": [{' + TENSOR + ', "data": %s}]}': read_tensor,
    '{"id": "", "inputs": [{"data": %s, ' + TENSOR + '}], "outputs": []}': read_tensor,
    '{"dataframe_split": {"index": [1], "data": %s}}': read_frame,
    '{"instances": %s}': read_frame,
}


def read(body: bytes) -> Batch | tuple[str, str, tuple[object, ...]]:
    try:
        return decode_predict(body, ["a", "b"], LIMITS)
    except RequestError as error:
        return error.slug, str(error), error.cells


def read_whole(body: bytes, monkeypatch: pytest.MonkeyPatch) -> object:
    with monkeypatch.context() as patch:
        patch.setattr(lifting, "_LARGE", 10**9)
        return read(body)


def assert_same(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    found, expected = read(body), read_whole(body, monkeypatch)

    if isinstance(expected, Batch):
        assert isinstance(found, Batch), found
        np.testing.assert_array_equal(found.rows, expected.rows)
        assert found[1:] == expected[1:]
    else:
        assert found == expected


ROWS = [[i + j / 7 for j in range(11)] for i in range(60)]
FLAT = [i / 3 for i in range(700)]


@pytest.mark.usefixtures("_pieces")
@pytest.mark.parametrize("rows", [ROWS, FLAT, [FLAT], [FLAT, FLAT], [[1]] * 50, [1, *FLAT]])
@pytest.mark.parametrize("indent", [None, 1, "\t"])
def test_pieces_make_the_same_array(
    rows: object, indent: int | str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = json.dumps({"inputs": rows}, indent=indent).encode()

    assert_same(body, monkeypatch)
    assert lifting.lift(body) is not None


@pytest.mark.usefixtures("_pieces")
@pytest.mark.parametrize("rows", [ROWS, [cell for row in ROWS for cell in row]])
@pytest.mark.parametrize("frame", READERS)
def test_arrays_that_stand_deeper_are_read_in_pieces(
    frame: str, rows: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = (frame % json.dumps(rows)).encode()
    with monkeypatch.context() as patch:
        patch.setattr(lifting, "_LARGE", 10**9)
        whole = READERS[frame](body)

    parsed: list[int] = []
    parse = documents.parse

    def note(text: bytes, part: Part | None = None) -> object:
        parsed.append(len(text))
        return parse(text, part)

    monkeypatch.setattr(documents, "parse", note)
    found = READERS[frame](body)

    np.testing.assert_array_equal(found.rows, whole.rows)
    assert found[1:] == whole[1:]
    assert max(parsed) < len(body) / 10


@pytest.mark.usefixtures("_pieces")
@pytest.mark.parametrize(
    "frame",
    [
        '{"dataframe_split": {"data": [[1, 2]], "data": %s}}',
        '{"dataframe_split": {"data": %s, "data": [[1, 2]]}}',
        '{"dataframe_split": {"data": [[1, 2]]}, "instances": [1], "instances": %s}',
    ],
)
def test_a_key_that_is_there_twice_is_refused_wherever_the_array_stands(frame: str) -> None:
    with pytest.raises(RequestError, match="twice"):
        read_frame((frame % json.dumps(ROWS)).encode())


TEXT = json.dumps({"inputs": ROWS}).encode()
LINE = json.dumps({"inputs": FLAT}).encode()


FLAWS = [
    b"", b"[", b"]", b",", b"1", b"1e400", b"-", b"12345678901234567890123", b"[1],", b"],[",
    b"[]", b",,", b" ", b"e", b'"x"', b"NaN", b"null", b"{}", b"\x00",
]  # fmt: skip


def damaged(body: bytes) -> list[bytes]:
    """One flaw each, at several places."""
    found = []
    for flaw in FLAWS:
        for place in (11, len(body) // 3, len(body) // 2, len(body) - 4):
            found += [body[:place] + flaw + body[place:], body[:place] + flaw + body[place + 1 :]]
    return found


@pytest.mark.usefixtures("_pieces")
@pytest.mark.parametrize("body", [TEXT, LINE], ids=["rows", "flat"])
def test_every_flaw_is_told_as_if_the_body_were_read_whole(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bad in damaged(body):
        assert_same(bad, monkeypatch)


@pytest.mark.usefixtures("_pieces")
@pytest.mark.parametrize(
    "body",
    [
        b'{"inputs": "' + b"[1,2,3,4,5,6,7,8,9,10,11]" * 3 + b'"}',
        b'{"a": ' + TEXT + b', "inputs": [1, 2]}',
        b'{"inputs": [1, 2], "inputs": ' + json.dumps(FLAT).encode() + b"}",
        b'{"inputs": [1, 2], "records": ' + json.dumps(FLAT).encode() + b"}",
        json.dumps(ROWS).encode(),
        b'{"inputs":' + json.dumps(FLAT).encode() + b"," + json.dumps(FLAT).encode() + b"}",
        '{"inpäts": '.encode() + json.dumps(FLAT).encode() + b', "x" 1}',
        b'{"inputs": \n\n' + json.dumps(FLAT, indent=1).encode() + b'\n, "x" 1}',
    ],
)
def test_what_only_looks_like_the_rows_is_not_taken_for_them(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_same(body, monkeypatch)


def test_a_body_that_is_small_is_read_whole() -> None:
    assert lifting.lift(TEXT) is None


def test_a_large_body_is_cut_into_pieces_of_the_size_it_says() -> None:
    body = json.dumps({"inputs": [[0.5] * 100] * 6000}).encode()
    lifted = lifting.lift(body)
    assert lifted is not None
    sizes = []

    def note(text: bytes, _piece: object) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        sizes.append(len(text))
        return np.array(json.loads(text))

    assert Numbers(lifted, "inputs").matrix(note).shape == (6000, 100)
    assert max(sizes) < 2**18 + 1000
    assert len(sizes) > 5


@pytest.mark.parametrize(
    "hostile",
    [
        b"[" * 2**22,
        b"[1" * 2**21,
        (b"[" * (2**18 - 1) + b"x") * 16,
        b"]" + b"[" * 2**22,
        b" " * 2**22 + b"]",
    ],
    ids=["open", "numbers", "almost", "closed", "blank"],
)
def test_no_body_takes_more_than_a_look_from_its_beginning_to_its_end(hostile: bytes) -> None:
    """Within a minute on any machine; looked at anew from each bracket it would take hours."""
    reading = (
        "import sys; from app.codecs.lifting import lift; assert not lift(sys.stdin.buffer.read())"
    )
    body = b'{"inputs": ' + hostile + b"}"
    # In a process of its own: nothing else stops an expression that is being looked for.
    subprocess.run([sys.executable, "-c", reading], input=body, check=True, timeout=60, cwd=ROOT)
