"""Hostile bodies, each with its promised answer; afterwards the same process is well.

The row names are those of the catalogue in docs/robustness.md.
"""

import json
import re
from typing import NamedTuple

import httpx
import pytest

from tests.serving import Server

GOOD_ROW = b"[1.5, 0, -2, 3e1]"


class Row(NamedTuple):
    body: bytes
    status: int
    slug: str = ""  # of the problem, when there is one
    pointer: str = ""  # of the first cell to blame, when there is one


def rows(*cells: str) -> bytes:
    return b'{"inputs": [%s]}' % ", ".join(cells).encode()


def cell(text: str) -> bytes:
    return rows(f"[1, 2, {text}, 4]")


PREDICT = {
    "a batch": Row(rows("[1, 2, 3, 4]", "[5, 6, 7, 8]"), 200),
    "a flat row": Row(b'{"inputs": [1, 2, 3, 4]}', 200),
    "records": Row(
        b'{"records": [{"feature_1": 1, "feature_0": 2, "feature_3": 3, "feature_2": 4}]}', 200
    ),
    "blanks all over": Row(b' \n{ "inputs" :\t[ [ 1 , 2 , 3 , 4 ] ] } \r\n', 200),
    "J1 NaN": Row(cell("NaN"), 400, "malformed-json", "/inputs/0/2"),
    "J2 Infinity": Row(cell("Infinity"), 400, "malformed-json", "/inputs/0/2"),
    "J2 -Infinity": Row(cell("-Infinity"), 400, "malformed-json", "/inputs/0/2"),
    "J3 1e400 at depth 400": Row(
        b'{"inputs": ' + b"[" * 400 + b"1e400" + b"]" * 400 + b"}",
        422,
        "number-out-of-range",
    ),
    "J6 half a surrogate pair as a key": Row(rb'{"\ud800": 1e300}', 400, "malformed-json"),
    "J6 half a pair beside a long integer": Row(
        rows(f"[1, {'1' * 25}, 3, 4]")[:-1] + rb', "\udfff": 1}', 400, "malformed-json"
    ),
    "largest print of float32": Row(cell("3.4028235e38"), 200),
    "J3 1e400": Row(cell("1e400"), 422, "number-out-of-range", "/inputs/0/2"),
    "J3 -1e400": Row(cell("-1e400"), 422, "number-out-of-range", "/inputs/0/2"),
    "J4 1e39": Row(cell("1e39"), 422, "non-finite-input", "/inputs/0/2"),
    "J4 1e39 in a flat row": Row(
        b'{"inputs": [1, 2, 3, 1e39]}', 422, "non-finite-input", "/inputs/3"
    ),
    "J4 1e39 in a record": Row(
        b'{"records": [{"feature_0": 1, "feature_1": 1e39, "feature_2": 1, "feature_3": 1}]}',
        422,
        "non-finite-input",
        "/records/0/feature_1",
    ),
    "largest float32": Row(cell("3.4028234e38"), 200),
    "smallest float64": Row(cell("5e-324"), 200),
    "underflow": Row(cell("1e-400"), 200),
    "negative zero": Row(cell("-0.0"), 200),
    "J5 NaN as text": Row(cell('"NaN"'), 422, "invalid-type", "/inputs/0/2"),
    "J6 half a surrogate pair": Row(cell(r'"\ud800"'), 400, "malformed-json"),
    "J7 number as text": Row(cell('"1.5"'), 422, "invalid-type", "/inputs/0/2"),
    "J8 true": Row(cell("true"), 422, "invalid-type", "/inputs/0/2"),
    "J8 false in row 1": Row(
        rows("[1, 2, 3, 4]", "[1, 2, 3, false]"), 422, "invalid-type", "/inputs/1/3"
    ),
    "J9 null cell": Row(cell("null"), 422, "invalid-type", "/inputs/0/2"),
    "J9 null row": Row(rows("[1, 2, 3, 4]", "null"), 422, "invalid-type", "/inputs/1"),
    "J9 null first row": Row(rows("null"), 422, "invalid-type", "/inputs/0"),
    "J9 null inputs": Row(b'{"inputs": null}', 422, "invalid-type", "/inputs"),
    "object as a cell": Row(cell("{}"), 422, "invalid-type", "/inputs/0/2"),
    "J11 2^53 + 1": Row(cell("9007199254740993"), 200),
    "J11 25 digits": Row(cell("1" * 25), 200),
    "J11 2^63 and more": Row(cell("9223372036854775808"), 200),
    "J11 2^64": Row(cell("18446744073709551616"), 200),
    "J11 -(2^63) - 1": Row(cell("-9223372036854775809"), 200),
    "J11 400 digits": Row(cell("1" * 400), 422, "number-out-of-range", "/inputs/0/2"),
    "J11 5000 digits": Row(cell("1" * 5000), 422, "number-out-of-range", "/inputs/0/2"),
    "25 digits beside a boolean": Row(
        rows(f"[1, 2, {'1' * 25}, true]"), 422, "invalid-type", "/inputs/0/3"
    ),
    "J13 empty batch": Row(b'{"inputs": []}', 422, "empty-batch", "/inputs"),
    "J13 no records": Row(b'{"records": []}', 422, "empty-batch", "/records"),
    "J14 empty row": Row(rows("[]"), 422, "wrong-width", "/inputs/0"),
    "J14 two empty rows": Row(rows("[]", "[]"), 422, "wrong-width", "/inputs/0"),
    "J15 too narrow": Row(rows("[1, 2, 3]"), 422, "wrong-width", "/inputs"),
    "J15 too wide": Row(rows("[1, 2, 3, 4, 5]"), 422, "wrong-width", "/inputs"),
    "J16 ragged": Row(rows("[1, 2, 3, 4]", "[1, 2, 3]"), 422, "ragged-rows", "/inputs/1"),
    "J16 ragged that adds up": Row(
        rows("[1, 2, 3, 4]", "[1, 2, 3]", "[1, 2, 3, 4, 5]"), 422, "ragged-rows", "/inputs/1"
    ),
    "J16 last row empty": Row(rows("[1, 2, 3, 4]", "[]"), 422, "ragged-rows", "/inputs/1"),
    "J17 three deep": Row(rows("[[1, 2, 3, 4]]"), 422, "wrong-rank", "/inputs/0/0"),
    "J17 hidden nesting": Row(rows("[1, 2, 3, [4]]"), 422, "wrong-rank", "/inputs/0/3"),
    "J17 nesting that adds up": Row(b'{"inputs": [1, 2, 3, [4]]}', 422, "wrong-rank", "/inputs/3"),
    "J17 number beside rows": Row(rows("[1, 2, 3, 4]", "5"), 422, "invalid-type", "/inputs/1"),
    "J17 a number": Row(b'{"inputs": 3}', 422, "wrong-rank", "/inputs"),
    "J17 a text": Row(b'{"inputs": "1,2,3,4"}', 422, "invalid-type", "/inputs"),
    "J17 an object": Row(b'{"inputs": {"0": 1}}', 422, "invalid-type", "/inputs"),
    "J17 flat row too narrow": Row(b'{"inputs": [1, 2]}', 422, "wrong-width", "/inputs"),
    "J18 duplicate key": Row(
        b'{"inputs": [1, 2, 3, 4], "inputs": [1, 2, 3, 4]}', 400, "duplicate-key", "/inputs"
    ),
    "J18 duplicate feature": Row(
        b'{"records": [{"feature_0": 1, "feature_0": 1}]}', 400, "duplicate-key"
    ),
    "J18 duplicate beside a long integer": Row(
        b'{"inputs": [1, 2, 3, %s], "inputs": 1}' % (b"1" * 25), 400, "duplicate-key"
    ),
    "J19 unknown key": Row(b'{"inputs": [1, 2, 3, 4], "debug": 1}', 422, "unknown-field", "/debug"),
    "J19 misspelt key": Row(b'{"input": [1, 2, 3, 4]}', 422, "unknown-field", "/input"),
    "J19 unknown feature": Row(
        b'{"records": [{"feature_9": 1}]}', 422, "unknown-field", "/records/0/feature_9"
    ),
    "J19 key to be escaped": Row(b'{"a/b~c": 1}', 422, "unknown-field", "/a~1b~0c"),
    "both ways at once": Row(
        b'{"inputs": [1, 2, 3, 4], "records": []}', 422, "unknown-field", "/records"
    ),
    "J20 missing key": Row(b"{}", 422, "missing-field"),
    "J20 missing feature": Row(
        b'{"records": [{"feature_0": 1}]}', 422, "missing-field", "/records/0"
    ),
    "a record that is a row": Row(b'{"records": [[1, 2]]}', 422, "invalid-type", "/records/0"),
    "a feature that is text": Row(
        b'{"records": [{"feature_0": "1", "feature_1": 1, "feature_2": 1, "feature_3": 1}]}',
        422,
        "invalid-type",
        "/records/0/feature_0",
    ),
    "J22 empty body": Row(b"", 400, "empty-body"),
    "J22 blanks": Row(b" \n", 400, "empty-body"),
    "J23 trailing junk": Row(rows("[1, 2, 3, 4]") + b"x", 400, "malformed-json"),
    "J23 two documents": Row(rows("[1, 2, 3, 4]") * 2, 400, "malformed-json"),
    "truncated": Row(b'{"inputs": [[1, 2', 400, "malformed-json"),
    "J25 byte order mark": Row(b"\xef\xbb\xbf" + rows("[1, 2, 3, 4]"), 400, "malformed-json"),
    "J26 UTF-16": Row('{"inputs": []}'.encode("utf-16"), 400, "invalid-encoding"),
    "J26 UTF-16 without a mark": Row('{"a": 1}'.encode("utf-16-le"), 400, "invalid-encoding"),
    "J26 UTF-16 big": Row('{"a": 1}'.encode("utf-16-be"), 400, "invalid-encoding"),
    "J26 UTF-32": Row('{"a": 1}'.encode("utf-32"), 400, "invalid-encoding"),
    "J26 Latin-1": Row('{"é": 1}'.encode("latin-1"), 400, "invalid-encoding"),
    "J28 control byte": Row(b'{"in\x01puts": 1}', 400, "malformed-json"),
    "J28 NUL in a key": Row(b'{"in\\u0000puts": 1}', 422, "unknown-field"),
    "J28 NUL": Row(b"\x00", 400, "invalid-encoding"),
    "J32 comment": Row(b'{"inputs": [1, 2, 3, 4] /* four */}', 400, "malformed-json"),
    "J32 single quotes": Row(b"{'inputs': [1, 2, 3, 4]}", 400, "malformed-json"),
    "J32 trailing comma": Row(cell("3,"), 400, "malformed-json"),
    "J32 hexadecimal": Row(cell("0x10"), 400, "malformed-json"),
    "J32 +1": Row(cell("+1"), 400, "malformed-json"),
    "J32 .5": Row(cell(".5"), 400, "malformed-json"),
    "J32 5.": Row(cell("5."), 400, "malformed-json"),
    "J32 01": Row(cell("01"), 400, "malformed-json"),
    "J32 1_000": Row(cell("1_000"), 400, "malformed-json"),
    "a list": Row(b"[[1, 2, 3, 4]]", 422, "invalid-type"),
    "null": Row(b"null", 422, "invalid-type"),
    "a text": Row(b'"inputs"', 422, "invalid-type"),
    "more culprits than are looked at": Row(
        b'{"inputs": [' + b"[1e400]," * 900_000 + b"[1]]}", 422, "batch-too-large"
    ),
    "a culprit behind more objects than are looked at": Row(
        b'{"records": [' + b"{}," * 2_000_000 + b"1e400]}", 422, "batch-too-large"
    ),
    "a culprit behind long rows": Row(
        b'{"inputs": [' + (b"[" + b"0," * 999 + b"0],") * 3000 + b"[1e400]]}",
        422,
        "number-out-of-range",
        "/inputs/3000/0",
    ),
    "nested deeply": Row(b"[" * 100_000, 400, "malformed-json"),
    "nested deeply and closed": Row(
        b'{"inputs": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", 400, "malformed-json"
    ),
    "long key": Row(b'{"%s": 1}' % (b"k" * 100_000), 422, "unknown-field"),
    "P9 markup in a key": Row(b'{"<script>alert(1)</script>": 1}', 422, "unknown-field"),
    "J30 too many rows": Row(
        b'{"inputs": [' + b", ".join([GOOD_ROW] * 4097) + b"]}", 422, "batch-too-large"
    ),
    "as many rows as allowed": Row(b'{"inputs": [' + b", ".join([GOOD_ROW] * 4096) + b"]}", 200),
    "too many records": Row(
        b'{"records": [' + b", ".join([b"{}"] * 4097) + b"]}", 422, "batch-too-large"
    ),
    "too many numbers in a row": Row(
        b'{"inputs": [' + b"0," * 4_000_000 + b"0]}", 422, "batch-too-large"
    ),
}

GRADIENT = {
    "logits": Row(b'{"logits": [[2, 1, 0.1]]}', 200),
    "flat logits": Row(b'{"logits": [2, 1]}', 200),
    "inputs": Row(b'{"inputs": [1, 2, 3, 4]}', 200),
    "1e39 is no overflow of float64": Row(b'{"logits": [1e39, 0]}', 200),
    "logits at the end of float64": Row(b'{"logits": [1.7e308, -1.7e308]}', 200),
    "all said": Row(
        b'{"logits": [2, 1], "of": "probabilities", "wrt": "logits", "mode": "jacobian"}', 200
    ),
    "inputs and all said": Row(b'{"inputs": [[1, 2, 3, 4]], "of": "probabilities"}', 200),
    "J31 result too large": Row(b'{"logits": [' + b"0," * 1000 + b"0]}", 422, "result-too-large"),
    "one logit": Row(b'{"logits": [[1]]}', 422, "wrong-width"),
    "both": Row(b'{"logits": [1, 2], "inputs": [1, 2, 3, 4]}', 422, "unknown-field", "/logits"),
    "neither": Row(b"{}", 422, "missing-field"),
    "boolean logit": Row(b'{"logits": [true, 1]}', 422, "invalid-type", "/logits/0"),
    "ragged logits": Row(b'{"logits": [[1, 2], [1]]}', 422, "ragged-rows", "/logits/1"),
    "wrong width": Row(b'{"inputs": [1, 2]}', 422, "wrong-width", "/inputs"),
    "of is a number": Row(b'{"logits": [1, 2], "of": 3}', 422, "invalid-type", "/of"),
    "of is unknown": Row(b'{"logits": [1, 2], "of": "z9"}', 422, "no-derivative", "/of"),
    "wrt is unknown": Row(b'{"logits": [1, 2], "wrt": "W3"}', 422, "no-derivative", "/wrt"),
    "by itself": Row(b'{"logits": [1, 2], "of": "logits"}', 422, "no-derivative", "/wrt"),
    "against the flow": Row(
        b'{"logits": [1, 2], "of": "logits", "wrt": "probabilities"}', 422, "no-derivative", "/wrt"
    ),
    "beyond bare logits": Row(b'{"logits": [1, 2], "wrt": "W1"}', 422, "no-derivative", "/wrt"),
    "mode is unknown": Row(b'{"logits": [1, 2], "mode": "hvp"}', 422, "invalid-value", "/mode"),
    "a vjp": Row(b'{"logits": [1, 2], "mode": "vjp", "vector": [1, 0]}', 200),
    "a vjp of a batch": Row(b'{"logits": [[1, 2]], "mode": "vjp", "vector": [[1, 0]]}', 200),
    "a vjp without a vector": Row(b'{"logits": [1, 2], "mode": "vjp"}', 422, "missing-field"),
    "a jacobian with a vector": Row(
        b'{"logits": [1, 2], "vector": [1, 0]}', 422, "unknown-field", "/vector"
    ),
    "a vector of another shape": Row(
        b'{"logits": [[1, 2]], "mode": "jvp", "vector": [1, 0, 0]}', 422, "wrong-shape", "/vector"
    ),
    "a ragged vector": Row(
        b'{"logits": [[1, 2], [1, 2]], "mode": "jvp", "vector": [[1, 0], [1]]}',
        422,
        "ragged-rows",
        "/vector/1",
    ),
    "a boolean in a vector": Row(
        b'{"logits": [[1, 2]], "mode": "jvp", "vector": [[1, true]]}',
        422,
        "invalid-type",
        "/vector/0/1",
    ),
    "the loss": Row(b'{"logits": [1, 2], "of": "loss", "labels": [1]}', 200),
    "the loss of one row": Row(b'{"logits": [1, 2], "of": "loss", "labels": 1}', 200),
    "the loss without labels": Row(b'{"logits": [1, 2], "of": "loss"}', 422, "missing-field"),
    "a label that is no class": Row(
        b'{"logits": [1, 2], "of": "loss", "labels": [2]}', 422, "unknown-label", "/labels/0"
    ),
    "a boolean label": Row(
        b'{"logits": [1, 2], "of": "loss", "labels": [true]}', 422, "unknown-label", "/labels/0"
    ),
    "a float label": Row(
        b'{"logits": [1, 2], "of": "loss", "labels": [1.0]}', 422, "unknown-label", "/labels/0"
    ),
    "an array as label": Row(
        b'{"logits": [1, 2], "of": "loss", "labels": [[]]}', 422, "unknown-label", "/labels/0"
    ),
    "too few labels": Row(
        b'{"logits": [[1, 2], [3, 4]], "of": "loss", "labels": [1]}', 422, "ragged-rows", "/labels"
    ),
    "a slope that is infinite": Row(
        b'{"logits": [[2000, 0]], "of": "loss", "wrt": "probabilities", "labels": [1]}',
        422,
        "non-finite-result",
    ),
    "a vector that overflows": Row(
        b'{"inputs": [[1, 2, 3, 4]], "of": "z1", "wrt": "W1", "mode": "jvp", "vector": ['
        + b", ".join([b"[" + b", ".join([b"1.7e308"] * 7) + b"]"] * 4)
        + b"]}",
        422,
        "non-finite-result",
    ),
    "records": Row(b'{"records": []}', 422, "unknown-field", "/records"),
}


@pytest.fixture(
    params=[("/predict", name) for name in PREDICT] + [("/gradient", n) for n in GRADIENT]
)
def case(request: pytest.FixtureRequest) -> tuple[str, Row]:
    path, name = request.param
    return path, (PREDICT if path == "/predict" else GRADIENT)[name]


def test_every_body_gets_its_promised_answer(
    case: tuple[str, Row], client: httpx.Client, server: Server
) -> None:
    path, row = case

    answer = client.post(path, content=row.body, headers={"content-type": "application/json"})

    assert answer.status_code == row.status, answer.text[:500]
    if row.status != 200:
        assert_problem(answer, row)
    assert client.get("/livez").status_code == 200
    assert server.process.poll() is None


def assert_problem(answer: httpx.Response, row: Row) -> None:
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"/problems/{row.slug}"
    assert problem["status"] == row.status
    assert problem["title"]
    assert problem["detail"]
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", problem["instance"])
    assert len(answer.content) <= 4096
    if row.pointer:
        assert problem["errors"][0]["pointer"] == row.pointer


@pytest.mark.parametrize("value", ["123456789.25", '"4111-secret"', "1e39", "9" * 400])
def test_no_answer_repeats_the_value_it_refuses(
    value: str, client: httpx.Client, server: Server
) -> None:
    body = rows(f"[1, 2, {value}, 4, 5]")

    answer = client.post("/predict", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 422
    assert value.strip('"') not in answer.text
    assert value.strip('"') not in "".join(server.stderr)


def test_probabilities_have_the_shortest_digits_that_round_trip(client: httpx.Client) -> None:
    answer = client.post("/predict", json={"inputs": [[1.0, 2.0, 3.0, 4.0]]})

    printed = re.search(r'"probabilities":\[\[([^]]+)', answer.text)
    assert printed
    for text in printed.group(1).split(","):
        digits = re.sub(r"e.*", "", text).replace(".", "").lstrip("-0")
        assert len(digits) <= 9  # float32 never needs more
    assert sum(answer.json()["probabilities"][0]) == pytest.approx(1.0, abs=1e-6)
    assert json.loads(answer.text)["labels"][0] in answer.json()["classes"]
