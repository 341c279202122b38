"""Bodies that are nearly right: what each route accepts, changed in a few places."""

import json
import random
from typing import Any, NamedTuple

Json = Any  # Any: what JSON holds

ROW = [1.5, 0, -2, 3e1]
LABELLED = {"inputs": [ROW, [0, 0, 1, 1]], "labels": [1, 2]}
TENSOR = {"name": "inputs", "shape": [1, 4], "datatype": "FP32", "data": ROW}
NETWORK = {
    "inputs": [[1, 2]], "labels": [0], "W1": [[1, 2], [3, 4]], "b1": [0, 1],
    "W2": [[1, 0], [0, 1]], "b2": [0, 0], "activation": "tanh", "weight_decay": 0.1,
    "temperature": 2,
}  # fmt: skip
NAMES = [f"feature_{i}" for i in range(4)]

GOOD: dict[str, list[Json]] = {
    "/predict": [
        {"inputs": [ROW, ROW]},
        {"inputs": ROW},
        {"records": [dict(zip(NAMES, ROW, strict=True))]},
    ],
    "/gradient": [
        {"inputs": [ROW], "of": "z1", "wrt": "W1"},
        {"logits": [[2, 1, 0.1], [0, 0, 1]], "of": "probabilities", "wrt": "logits"},
        {"logits": [2, 1], "mode": "vjp", "vector": [1, -1]},
        {"inputs": [ROW], "mode": "jvp", "of": "logits", "wrt": "inputs", "vector": [[1, 0, 0, 1]]},
        {**LABELLED, "of": "loss", "wrt": "b2"},
        {
            "inputs": [ROW], "attribute": "integrated-gradients", "steps": 3, "target": [4],
            "baseline": [0, 0, 0, 0],
        },
    ],
    "/gradient/trace": [LABELLED],
    "/gradient/check": [
        {"probe": {"level": "loss", "seed": 3}, "candidate": {"delta3": [[1, 2], [3, 4]]}},
        {"given": NETWORK, "candidate": {"dW2": [[1, 2], [3, 4]], "db1": [0.5, None]}},
        {"logits": [[2, 1]], "labels": [0], "candidate": {"delta3": [[-0.27, 0.27]]}},
        {**LABELLED, "candidate": {"db2": [0, 0.1, -0.1, 0, 0]}, "precision": "3 digits"},
        {"logits": [[2, 1]], "candidate": {"jacobian": [[[0.2, -0.2], [-0.2, 0.2]]]}},
    ],
    "/v2/models/fixture/infer": [
        {"inputs": [TENSOR]},
        {
            "id": "7", "parameters": {"binary_data_output": False}, "inputs": [TENSOR],
            "outputs": [
                {"name": "logits", "parameters": {"classification": 2, "binary_data": True}},
                {"name": "jacobian"},
                {"name": "input_gradient"},
            ],
        },
        {"inputs": [{**TENSOR, "datatype": "INT8", "data": [[1, 2, 3, 4]]}]},
    ],
    "/v1/models/fixture:predict": [{"instances": [ROW, ROW]}],
    "/v1/models/fixture:explain": [{"instances": [dict(zip(NAMES, ROW, strict=True))]}],
    "/invocations": [
        {"dataframe_split": {"columns": NAMES, "index": [0], "data": [ROW]}},
        {"dataframe_records": [dict(zip(NAMES, ROW, strict=True))]},
        {"inputs": [ROW], "params": {}},
    ],
    "/v2/repository/index": [{"ready": True}],
}  # fmt: skip


class Raw(NamedTuple):
    """Text that stands in a document as it is, JSON or not."""

    text: str


HOSTILE: list[Json] = [
    None, True, False, 0, -1, -0.0, 1, 2, 3, 0.5, 1e39, -1e39, 1e308, 5e-324, 2**31, 2**53 + 1,
    2**63, -(2**63) - 1, 2**64, "", "1", "NaN", "inputs", "loss", "W1", "z1", "probabilities", "\0",
    "\x1b[2J", "<img src=x onerror=alert(1)>", "é\u2028\U0001f600", "../../etc/passwd", "k" * 300,
    [], {}, [[]], [None], [[], []], [[[[[1]]]]], [1, [2]], {"": {}}, {"a": [1]}, [1, 2, 3, 4],
    [[1, 2, 3, 4]] * 3, [0.0] * 5, {"inputs": [1, 2, 3, 4]}, Raw("NaN"), Raw("-Infinity"),
    Raw("1e400"), Raw("-1e400"), Raw("1" * 400), Raw("01"), Raw("1."), Raw("+1"), Raw("0x1"),
    Raw("1e"), Raw("'a'"), Raw('"\\ud800"'), Raw('"\\u0000"'), Raw('"\\x"'), Raw("[1,]"),
    Raw("{,}"), Raw("/*1*/ 1"), Raw("[" * 300 + "]" * 300), Raw("1 2"), Raw('{"a": 1, "a": 2}'),
    Raw(""), Raw("truefalse"),
]  # fmt: skip

HOSTILE_BYTES = [
    b"", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xc0\x80", b"[", b"]", b"{", b"}", b",", b":", b'"',
    b"\\", b"0", b"-", b"e9", b".", b"null", b"\n", b" ", b"\x7f", b"\xed\xa0\x80", b"9" * 40,
]  # fmt: skip


def places(value: Json) -> list[tuple[str | int, ...]]:
    """The way to every value inside, from the document itself."""
    found: list[tuple[str | int, ...]] = [()]
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        found += [(key, *rest) for key, item in items for rest in places(item)]
    return found


def written(value: Json) -> str:
    """The document as JSON, or nearly."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value)


def replaced(value: Json, way: tuple[str | int, ...], new: Json) -> Json:
    """A copy that holds `new` at the end of the way; ... takes away what is there."""
    if not way:
        return new
    first, *rest = way
    copy: Json = dict(value) if isinstance(value, dict) else list(value)
    if not rest and new is ...:
        del copy[first]
    else:
        copy[first] = replaced(value[first], tuple(rest), new)
    return copy


def nearly(rng: random.Random, path: str) -> bytes:
    """A body for `path` with up to three values and up to two runs of bytes replaced."""
    document = rng.choice(GOOD[path])
    for _ in range(rng.randint(0, 3)):
        way = rng.choice(places(document))
        document = replaced(document, way, rng.choice([*HOSTILE, ...] if way else HOSTILE))
    body = written(document).encode()

    for _ in range(rng.choice([0, 0, 1, 2])):
        at = rng.randint(0, len(body))
        body = body[:at] + rng.choice(HOSTILE_BYTES) + body[at + rng.randint(0, 3) :]
    return body
