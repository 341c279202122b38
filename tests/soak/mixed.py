"""Requests of every kind, right and wrong, with the answers they must get."""

from tests.soak.load import BODY, PREDICT, Question


def _post(path: str, body: bytes, status: int = 200) -> Question:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return Question(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body, status)


def _get(path: str, status: int = 200) -> Question:
    return Question(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode(), status)


_ROWS = b'{"inputs": [%s]}' % b",".join([b"[1, 2, 3, 4]"] * 64)
_TENSOR = b'"name": "inputs", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]'
_CANDIDATE = b'{"logits": [[1, 2]], "candidate": {"jacobian": [[[0, 1], [1, 0]]]}}'

MIXED = (
    PREDICT,
    _post("/predict", _ROWS),
    _post("/gradient", BODY),
    _post("/gradient", _ROWS),
    _post("/gradient/check", _CANDIDATE),
    _post("/v2/models/fixture/infer", b'{"inputs": [{%s}]}' % _TENSOR),
    _post("/invocations", b'{"instances": [[1, 2, 3, 4]]}'),
    _get("/models"),
    _get("/livez"),
    _get("/v2/models/fixture"),
    _get("/gradient/probe?level=jacobian&seed=7"),
    _get("/metrics"),
    _post("/predict", b"{", 400),
    _post("/predict", b'{"inputs": [1]}', 422),
    _post("/predict", b'{"inputs": [[1, 2, 3, "4"]]}', 422),
    _post("/v2/models/fixture/infer", b"{}", 400),
    _get("/absent", 404),
    _get("/models/absent", 404),
    _get("/predict", 405),
)
