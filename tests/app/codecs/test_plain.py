"""The usual body, read in the fewest steps: never other numbers, and never what is not certain."""

import json

import numpy as np
import pytest

from app.codecs.plain import plain_batch
from app.codecs.questions import decode_predict
from app.codecs.rows import FLOAT32_LARGEST, Limits
from app.errors import RequestError

LIMITS = Limits(rows=3, cells=8)


@pytest.mark.parametrize(
    ("body", "rows", "flat"),
    [
        (b'{"inputs":[[1,2.5],[-3,4e2]]}', [[1, 2.5], [-3, 400]], False),
        (b'{"inputs":[[1]]}', [[1]], False),
        (b'{"inputs":[1]}', [[1]], True),
        (b'{ "inputs" : [ 1, 2 ] }\n', [[1, 2]], True),
        (b'{"inp\\u0075ts":[[7,8]]}', [[7, 8]], False),
    ],
)
def test_plain_rows_are_read(body: bytes, rows: list[list[float]], flat: bool) -> None:
    batch = plain_batch(body, "inputs", LIMITS, FLOAT32_LARGEST)

    assert batch is not None
    np.testing.assert_array_equal(batch.rows, np.array(rows, np.float64))
    assert (batch.field, batch.flat) == ("inputs", flat)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"5",
        b"[[1,2]]",
        b' {"inputs":[[1]]}',
        b'\xef\xbb\xbf{"inputs":[[1]]}',
        b'{"inputs":[[1]]',
        b'{"inputs":[[1]],"inputs":[[2]]}',
        b'{"inputs":[[1]],"more":1}',
        b'{"records":[[1]]}',
        b'{"inputs":5}',
        b'{"inputs":"[1"}',
        b'{"inputs":{"a":[1]}}',
        b'{"inputs":[]}',
        b'{"inputs":[[]]}',
        b'{"inputs":[[1],[]]}',
        b'{"inputs":[[1],2]}',
        b'{"inputs":[1,[2]]}',
        b'{"inputs":[[1,2],[3]]}',
        b'{"inputs":[[[1]]]}',
        b'{"inputs":[[1],[[2]]]}',
        b'{"inputs":[[true]]}',
        b'{"inputs":[[null]]}',
        b'{"inputs":[["1"]]}',
        b'{"inputs":[[{"a":1}]]}',
        b'{"inputs":[[NaN]]}',
        b'{"inputs":[[1e39]]}',
        b'{"inputs":[[1e400]]}',
        b'{"inputs":[[1],[2],[3],[4]]}',
        b'{"inputs":[[1,2,3],[4,5,6],[7,8,9]]}',
        b'{"inputs":[["\xff"]]}',
    ],
)
def test_what_is_not_certain_is_left_to_others(body: bytes) -> None:
    assert plain_batch(body, "inputs", LIMITS, FLOAT32_LARGEST) is None


def test_a_body_after_a_refused_one_is_read(rng: np.random.Generator) -> None:
    """What a parser holds of one text must not be in the way of the next."""
    rows = rng.normal(size=(3, 2))
    body = json.dumps({"inputs": rows.tolist()}).encode()

    for hostile in (b'{"inputs":[[1],[2,3]]}', b'{"inputs":', b'{"inputs":[[null]]}'):
        with pytest.raises(RequestError):
            decode_predict(hostile, None, LIMITS)
        batch = plain_batch(body, "inputs", LIMITS, FLOAT32_LARGEST)
        assert batch is not None
        np.testing.assert_array_equal(batch.rows, rows)
