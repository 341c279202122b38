"""Bodies for /predict."""

from tests.attacks.attack import Attack

GOOD_ROW = b"[1.5, 0, -2, 3e1]"


def rows(*cells: str) -> bytes:
    return b'{"inputs": [%s]}' % ", ".join(cells).encode()


def cell(text: str) -> bytes:
    return rows(f"[1, 2, {text}, 4]")


def sent(body: bytes, status: int, slug: str = "", pointer: str = "") -> Attack:
    return Attack("/predict", body, status, slug, pointer)


PREDICT = {
    "a batch": sent(rows("[1, 2, 3, 4]", "[5, 6, 7, 8]"), 200),
    "a flat row": sent(b'{"inputs": [1, 2, 3, 4]}', 200),
    "records": sent(
        b'{"records": [{"feature_1": 1, "feature_0": 2, "feature_3": 3, "feature_2": 4}]}', 200
    ),
    "blanks all over": sent(b' \n{ "inputs" :\t[ [ 1 , 2 , 3 , 4 ] ] } \r\n', 200),
    "J1 NaN": sent(cell("NaN"), 400, "malformed-json", "/inputs/0/2"),
    "J2 Infinity": sent(cell("Infinity"), 400, "malformed-json", "/inputs/0/2"),
    "J2 -Infinity": sent(cell("-Infinity"), 400, "malformed-json", "/inputs/0/2"),
    "J3 1e400 at depth 400": sent(
        b'{"inputs": ' + b"[" * 400 + b"1e400" + b"]" * 400 + b"}",
        422,
        "number-out-of-range",
    ),
    "J6 half a surrogate pair as a key": sent(rb'{"\ud800": 1e300}', 400, "malformed-json"),
    "J6 half a pair beside a long integer": sent(
        rows(f"[1, {'1' * 25}, 3, 4]")[:-1] + rb', "\udfff": 1}', 400, "malformed-json"
    ),
    "largest print of float32": sent(cell("3.4028235e38"), 200),
    "J3 1e400": sent(cell("1e400"), 422, "number-out-of-range", "/inputs/0/2"),
    "J3 -1e400": sent(cell("-1e400"), 422, "number-out-of-range", "/inputs/0/2"),
    "J4 1e39": sent(cell("1e39"), 422, "non-finite-input", "/inputs/0/2"),
    "J4 1e39 in a flat row": sent(
        b'{"inputs": [1, 2, 3, 1e39]}', 422, "non-finite-input", "/inputs/3"
    ),
    "J4 1e39 in a record": sent(
        b'{"records": [{"feature_0": 1, "feature_1": 1e39, "feature_2": 1, "feature_3": 1}]}',
        422,
        "non-finite-input",
        "/records/0/feature_1",
    ),
    "largest float32": sent(cell("3.4028234e38"), 200),
    "smallest float64": sent(cell("5e-324"), 200),
    "underflow": sent(cell("1e-400"), 200),
    "negative zero": sent(cell("-0.0"), 200),
    "J5 NaN as text": sent(cell('"NaN"'), 422, "invalid-type", "/inputs/0/2"),
    "J6 half a surrogate pair": sent(cell(r'"\ud800"'), 400, "malformed-json"),
    "J7 number as text": sent(cell('"1.5"'), 422, "invalid-type", "/inputs/0/2"),
    "J8 true": sent(cell("true"), 422, "invalid-type", "/inputs/0/2"),
    "J8 false in row 1": sent(
        rows("[1, 2, 3, 4]", "[1, 2, 3, false]"), 422, "invalid-type", "/inputs/1/3"
    ),
    "J9 null cell": sent(cell("null"), 422, "invalid-type", "/inputs/0/2"),
    "J9 null row": sent(rows("[1, 2, 3, 4]", "null"), 422, "invalid-type", "/inputs/1"),
    "J9 null first row": sent(rows("null"), 422, "invalid-type", "/inputs/0"),
    "J9 null inputs": sent(b'{"inputs": null}', 422, "invalid-type", "/inputs"),
    "object as a cell": sent(cell("{}"), 422, "invalid-type", "/inputs/0/2"),
    "J11 2^53 + 1": sent(cell("9007199254740993"), 200),
    "J11 25 digits": sent(cell("1" * 25), 200),
    "J11 2^63 and more": sent(cell("9223372036854775808"), 200),
    "J11 2^64": sent(cell("18446744073709551616"), 200),
    "J11 -(2^63) - 1": sent(cell("-9223372036854775809"), 200),
    "J11 400 digits": sent(cell("1" * 400), 422, "number-out-of-range", "/inputs/0/2"),
    "J11 5000 digits": sent(cell("1" * 5000), 422, "number-out-of-range", "/inputs/0/2"),
    "25 digits beside a boolean": sent(
        rows(f"[1, 2, {'1' * 25}, true]"), 422, "invalid-type", "/inputs/0/3"
    ),
    "J13 empty batch": sent(b'{"inputs": []}', 422, "empty-batch", "/inputs"),
    "J13 no records": sent(b'{"records": []}', 422, "empty-batch", "/records"),
    "J14 empty row": sent(rows("[]"), 422, "wrong-width", "/inputs/0"),
    "J14 two empty rows": sent(rows("[]", "[]"), 422, "wrong-width", "/inputs/0"),
    "J15 too narrow": sent(rows("[1, 2, 3]"), 422, "wrong-width", "/inputs"),
    "J15 too wide": sent(rows("[1, 2, 3, 4, 5]"), 422, "wrong-width", "/inputs"),
    "J16 ragged": sent(rows("[1, 2, 3, 4]", "[1, 2, 3]"), 422, "ragged-rows", "/inputs/1"),
    "J16 ragged that adds up": sent(
        rows("[1, 2, 3, 4]", "[1, 2, 3]", "[1, 2, 3, 4, 5]"), 422, "ragged-rows", "/inputs/1"
    ),
    "J16 last row empty": sent(rows("[1, 2, 3, 4]", "[]"), 422, "ragged-rows", "/inputs/1"),
    "J17 three deep": sent(rows("[[1, 2, 3, 4]]"), 422, "wrong-rank", "/inputs/0/0"),
    "J17 hidden nesting": sent(rows("[1, 2, 3, [4]]"), 422, "wrong-rank", "/inputs/0/3"),
    "J17 nesting that adds up": sent(b'{"inputs": [1, 2, 3, [4]]}', 422, "wrong-rank", "/inputs/3"),
    "J17 number beside rows": sent(rows("[1, 2, 3, 4]", "5"), 422, "invalid-type", "/inputs/1"),
    "J17 a number": sent(b'{"inputs": 3}', 422, "wrong-rank", "/inputs"),
    "J17 a text": sent(b'{"inputs": "1,2,3,4"}', 422, "invalid-type", "/inputs"),
    "J17 an object": sent(b'{"inputs": {"0": 1}}', 422, "invalid-type", "/inputs"),
    "J17 flat row too narrow": sent(b'{"inputs": [1, 2]}', 422, "wrong-width", "/inputs"),
    "J18 duplicate key": sent(
        b'{"inputs": [1, 2, 3, 4], "inputs": [1, 2, 3, 4]}', 400, "duplicate-key", "/inputs"
    ),
    "J18 duplicate feature": sent(
        b'{"records": [{"feature_0": 1, "feature_0": 1}]}', 400, "duplicate-key"
    ),
    "J18 duplicate beside a long integer": sent(
        b'{"inputs": [1, 2, 3, %s], "inputs": 1}' % (b"1" * 25), 400, "duplicate-key"
    ),
    "J19 unknown key": sent(
        b'{"inputs": [1, 2, 3, 4], "debug": 1}', 422, "unknown-field", "/debug"
    ),
    "J19 misspelt key": sent(b'{"input": [1, 2, 3, 4]}', 422, "unknown-field", "/input"),
    "J19 unknown feature": sent(
        b'{"records": [{"feature_9": 1}]}', 422, "unknown-field", "/records/0/feature_9"
    ),
    "J19 key to be escaped": sent(b'{"a/b~c": 1}', 422, "unknown-field", "/a~1b~0c"),
    "both ways at once": sent(
        b'{"inputs": [1, 2, 3, 4], "records": []}', 422, "unknown-field", "/records"
    ),
    "J20 missing key": sent(b"{}", 422, "missing-field"),
    "J20 missing feature": sent(
        b'{"records": [{"feature_0": 1}]}', 422, "missing-field", "/records/0"
    ),
    "a record that is a row": sent(b'{"records": [[1, 2]]}', 422, "invalid-type", "/records/0"),
    "a feature that is text": sent(
        b'{"records": [{"feature_0": "1", "feature_1": 1, "feature_2": 1, "feature_3": 1}]}',
        422,
        "invalid-type",
        "/records/0/feature_0",
    ),
    "J22 empty body": sent(b"", 400, "empty-body"),
    "J22 blanks": sent(b" \n", 400, "empty-body"),
    "J23 trailing junk": sent(rows("[1, 2, 3, 4]") + b"x", 400, "malformed-json"),
    "J23 two documents": sent(rows("[1, 2, 3, 4]") * 2, 400, "malformed-json"),
    "truncated": sent(b'{"inputs": [[1, 2', 400, "malformed-json"),
    "J25 byte order mark": sent(b"\xef\xbb\xbf" + rows("[1, 2, 3, 4]"), 400, "malformed-json"),
    "J26 UTF-16": sent('{"inputs": []}'.encode("utf-16"), 400, "invalid-encoding"),
    "J26 UTF-16 without a mark": sent('{"a": 1}'.encode("utf-16-le"), 400, "invalid-encoding"),
    "J26 UTF-16 big": sent('{"a": 1}'.encode("utf-16-be"), 400, "invalid-encoding"),
    "J26 UTF-32": sent('{"a": 1}'.encode("utf-32"), 400, "invalid-encoding"),
    "J26 Latin-1": sent('{"é": 1}'.encode("latin-1"), 400, "invalid-encoding"),
    "J28 control byte": sent(b'{"in\x01puts": 1}', 400, "malformed-json"),
    "J28 NUL in a key": sent(b'{"in\\u0000puts": 1}', 422, "unknown-field"),
    "J28 NUL": sent(b"\x00", 400, "invalid-encoding"),
    "J32 comment": sent(b'{"inputs": [1, 2, 3, 4] /* four */}', 400, "malformed-json"),
    "J32 single quotes": sent(b"{'inputs': [1, 2, 3, 4]}", 400, "malformed-json"),
    "J32 trailing comma": sent(cell("3,"), 400, "malformed-json"),
    "J32 hexadecimal": sent(cell("0x10"), 400, "malformed-json"),
    "J32 +1": sent(cell("+1"), 400, "malformed-json"),
    "J32 .5": sent(cell(".5"), 400, "malformed-json"),
    "J32 5.": sent(cell("5."), 400, "malformed-json"),
    "J32 01": sent(cell("01"), 400, "malformed-json"),
    "J32 1_000": sent(cell("1_000"), 400, "malformed-json"),
    "a list": sent(b"[[1, 2, 3, 4]]", 422, "invalid-type"),
    "null": sent(b"null", 422, "invalid-type"),
    "a text": sent(b'"inputs"', 422, "invalid-type"),
    "more culprits than are looked at": sent(
        b'{"inputs": [' + b"[1e400]," * 900_000 + b"[1]]}", 422, "batch-too-large"
    ),
    "a culprit behind more objects than are looked at": sent(
        b'{"records": [' + b"{}," * 2_000_000 + b"1e400]}", 422, "batch-too-large"
    ),
    "a culprit behind long rows": sent(
        b'{"inputs": [' + (b"[" + b"0," * 999 + b"0],") * 3000 + b"[1e400]]}",
        422,
        "number-out-of-range",
        "/inputs/3000/0",
    ),
    "nested deeply": sent(b"[" * 100_000, 400, "malformed-json"),
    "nested deeply and closed": sent(
        b'{"inputs": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", 400, "malformed-json"
    ),
    "long key": sent(b'{"%s": 1}' % (b"k" * 100_000), 422, "unknown-field"),
    "P9 markup in a key": sent(b'{"<script>alert(1)</script>": 1}', 422, "unknown-field"),
    "J30 too many rows": sent(
        b'{"inputs": [' + b", ".join([GOOD_ROW] * 4097) + b"]}", 422, "batch-too-large"
    ),
    "as many rows as allowed": sent(b'{"inputs": [' + b", ".join([GOOD_ROW] * 4096) + b"]}", 200),
    "too many records": sent(
        b'{"records": [' + b", ".join([b"{}"] * 4097) + b"]}", 422, "batch-too-large"
    ),
    "too many numbers in a row": sent(
        b'{"inputs": [' + b"0," * 4_000_000 + b"0]}", 422, "batch-too-large"
    ),
}
