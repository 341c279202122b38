"""Bodies for /invocations and /v1, which other servers' clients send."""

from typing import Any

from tests.attacks.attack import CSV, Attack, as_json

NAMES = [f"feature_{i}" for i in range(4)]
ROW = [1, 2, 3, 4]
RECORD = dict(zip(NAMES, ROW, strict=True))


def sent(body: Any, slug: str) -> Attack:  # Any: what JSON can hold
    return Attack("/invocations", as_json(body), 400, slug)


def framed(slug: str, **frame: Any) -> Attack:  # Any: what JSON can hold
    return sent({"dataframe_split": frame}, slug)


def table(body: bytes, slug: str, words: str = "") -> Attack:
    return Attack("/invocations", body, 400, slug, words=words, headers=CSV)


def under(path: str) -> Attack:
    return Attack(path, as_json({"instances": [ROW]}), 404, "unknown-model")


PLATFORMS = {
    "instances": Attack("/invocations", as_json({"instances": [ROW]})),
    "instances of no kind": sent({"instances": {}}, "invalid-type"),
    "no instances": sent({"instances": []}, "empty-batch"),
    "an instance that is null": sent({"instances": [None]}, "invalid-type"),
    "an instance of nothing": sent({"instances": [{}]}, "missing-field"),
    "an instance as base64": sent({"instances": [{"b64": "AAAA"}]}, "unknown-field"),
    "rows, then names": sent({"instances": [ROW, RECORD]}, "invalid-type"),
    "names, then rows": sent({"instances": [RECORD, ROW]}, "invalid-type"),
    "an instance three deep": sent({"instances": [[ROW]]}, "wrong-rank"),
    "two batches at once": sent({"instances": [ROW], "inputs": [ROW]}, "unknown-field"),
    "columns by name": sent({"inputs": {"feature_0": [1]}}, "invalid-type"),
    "a frame that is a list": sent({"dataframe_split": []}, "invalid-type"),
    "a frame without data": framed("missing-field", columns=NAMES),
    "a frame whose data is there twice": Attack(
        "/invocations",
        b'{"dataframe_split": {"data": [[1, 2, 3, 4]], "data": [[1, 2, 3, 4]]}}',
        400,
        "duplicate-key",
    ),
    "a frame of 1,001 members": framed("batch-too-large", **{str(i): 1 for i in range(1001)}),
    "a frame with more": framed("unknown-field", data=[ROW], name="x"),
    "a column four times": framed("wrong-width", data=[ROW], columns=NAMES[:1] * 4),
    "a column too many": framed("unknown-field", data=[[*ROW, 5]], columns=[*NAMES, "x"]),
    "columns that are numbers": framed("missing-field", data=[ROW], columns=ROW),
    "columns that cannot be keys": framed("missing-field", data=[ROW], columns=[None, {}, [], 1]),
    "columns as one text": framed("wrong-width", data=[ROW], columns="abcd"),
    "CSV with a header": table(b"a,b,c,d\n1,2,3,4\n", "invalid-type", "line 1, column 1"),
    "CSV with semicolons": table(b"1;2;3;4\n", "invalid-type", "line 1, column 1"),
    "CSV with a formula": table(b"=cmd|' /C calc'!A0,2,3,4\n", "invalid-type"),
    "CSV with a comma at its end": table(b"1,2,3,4,\n", "invalid-type", "line 1, column 5"),
    "CSV of gaps": table(b",,,\n", "invalid-type", "line 1, column 1"),
    "CSV with NUL": table(b"1,2,3,\x004\n", "invalid-encoding"),
    "CSV with a vertical tab": table(b"1\x0b,2,3,4\n", "invalid-encoding"),
    "CSV with a byte order mark": table(b"\xef\xbb\xbf1,2,3,4\n", "invalid-encoding"),
    "CSV with a carriage return within": table(b"1,2\r3,4\n", "invalid-type", "line 1"),
    "CSV with a quote that stays open": table(b'"1,2,3,4\n', "invalid-type", "line 1"),
    "CSV with a cell of 200,000 digits": table(b"1" * 200_000 + b",2,3,4\n", "invalid-type"),
    "CSV with quotes around 200,000": table(b'"' + b"1" * 200_000 + b'"', "invalid-type"),
    "CSV with infinity": table(b"infinity,2,3,4\n", "invalid-type"),
    "CSV with hexadecimal": table(b"0x10,2,3,4\n", "invalid-type"),
    "CSV with more rows than the limit": table(b"1,2,3,4\n" * 4097, "batch-too-large"),
    "CSV with more numbers than the limit": table(b"1," * 4_000_001 + b"1", "batch-too-large"),
    "a model called like a folder above": under("/v1/models/..:predict"),
    "a model with NUL in its name": under("/v1/models/fixture%00:predict"),
    "a verb within a name": under("/v1/models/fixture:predict:explain"),
    "version 01": under("/v1/models/fixture/versions/01:predict"),
    "version 1e0": under("/v1/models/fixture/versions/1e0:predict"),
    "an explanation of nothing": Attack(
        "/v1/models/fixture:explain", as_json({"instances": []}), 400, "empty-batch"
    ),
    "an explanation that is compressed": Attack(
        "/v1/models/fixture:explain", b"\x1f\x8b", 415, "unsupported-media-type",
        headers=(("content-encoding", "gzip"),),
    ),
}  # fmt: skip
