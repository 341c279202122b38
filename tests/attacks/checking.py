"""Bodies for /gradient/check, and addresses of probes."""

from typing import Any

from tests.attacks.attack import Attack, as_json

Json = dict[str, Any]  # Any: JSON

POINT: Json = {"logits": [[1, 2]], "labels": [0]}
NETWORK: Json = {
    "inputs": [[1]], "labels": [0], "W1": [[1]], "b1": [1], "W2": [[1, 2]], "b2": [1, 2],
    "activation": "relu",
}  # fmt: skip


def sent(body: Json | bytes, slug: str, pointer: str = "", status: int = 422) -> Attack:
    content = body if isinstance(body, bytes) else as_json(body)
    return Attack("/gradient/check", content, status, slug, pointer)


def claimed(delta3: Any, **other: Any) -> Json:  # Any: JSON
    return {**POINT, "candidate": {"delta3": delta3}, **other}


def given(**changes: Any) -> Json:  # Any: JSON
    return {"given": NETWORK | changes, "candidate": {"dW1": [[1]]}}


def at(probe: Any) -> Json:  # Any: JSON
    return {"probe": probe, "candidate": {"delta3": [[1, 2]]}}


def asked(query: str, slug: str, status: int = 422) -> Attack:
    return Attack(f"/gradient/probe?{query}", b"", status, slug, method="GET", headers=())


CHECKS = {
    "an answer": Attack("/gradient/check", as_json(claimed([[-0.73, 0.73]]))),
    "NaN in an answer": Attack("/gradient/check", as_json(claimed([[None, None]]))),
    "the end of float64": Attack("/gradient/check", as_json(claimed([[1e308, -1e308]]))),
    "no candidate": sent(POINT, "missing-field"),
    "a candidate of nothing": sent({"candidate": {}, **POINT}, "missing-field", "/candidate"),
    "a candidate that is a list": sent({"candidate": [], **POINT}, "invalid-type", "/candidate"),
    "an unknown tensor": sent(
        {"candidate": {"dW3": [[1]]}, **POINT}, "unknown-field", "/candidate/dW3"
    ),
    "a tensor twice": sent(
        b'{"logits": [[1, 2]], "candidate": {"delta3": [[1]], "delta3": [[1]]}}',
        "duplicate-key", "/candidate/delta3", 400,
    ),
    "an empty tensor": sent(claimed([]), "empty-batch", "/candidate/delta3"),
    "a tensor that is an object": sent(claimed({"a": 1}), "invalid-type", "/candidate/delta3"),
    "a number as text in a tensor": sent(
        claimed([["1", 2]]), "invalid-type", "/candidate/delta3/0/0"
    ),
    "a boolean in a tensor": sent(claimed([[1, True]]), "invalid-type", "/candidate/delta3/0/1"),
    "a ragged tensor": sent(claimed([[1, 2], [1]]), "ragged-rows", "/candidate/delta3/1"),
    "a tensor five deep": sent(claimed([[[[[1]]]]]), "wrong-rank", "/candidate/delta3"),
    "a tensor 2,000 deep": sent(
        b'{"logits": [[1, 2]], "labels": [0], "candidate": {"delta3": '
        + b"[" * 500 + b"1" + b"]" * 500 + b"}}",
        "wrong-rank", "/candidate/delta3",
    ),
    "a thousand rows for one": sent(claimed([[1, 2]] * 1000), "wrong-shape", "/candidate/delta3"),
    "more numbers than the limit": sent(claimed([[0] * 1000] * 251), "batch-too-large"),
    "a precision of no digits": sent(
        claimed([[1, 2]], precision="0 digits"), "invalid-value", "/precision"
    ),
    "a precision of 5,000 nines": sent(
        claimed([[1, 2]], precision="9" * 5000), "invalid-value", "/precision"
    ),
    "a precision in digits of another script": sent(
        claimed([[1, 2]], precision="\u0663 digits"), "invalid-value", "/precision"
    ),
    "a precision that is a number": sent(claimed([[1, 2]], precision=4), "invalid-type"),
    "logits of one class": sent(
        {"logits": [[1]], "candidate": {"jacobian": [[[1]]]}}, "wrong-width"
    ),
    "labels of another length": sent(claimed([[1, 2]], labels=[0, 1]), "wrong-shape", "/labels"),
    "a label that is no class": sent(claimed([[1, 2]], labels=[2]), "unknown-label", "/labels/0"),
    "a label of half": sent(claimed([[1, 2]], labels=[0.5]), "unknown-label", "/labels/0"),
    "a label beyond 2^53": sent(claimed([[1, 2]], labels=[2**53 + 1]), "unknown-label"),
    "arrays that are none": sent({"given": 3, "candidate": {}}, "invalid-type", "/given"),
    "an unknown activation": sent(given(activation="gelu"), "invalid-value", "/given/activation"),
    "an activation that is null": sent(given(activation=None), "invalid-type", "/given/activation"),
    "temperature 0": sent(given(temperature=0), "invalid-value", "/given/temperature"),
    "a temperature for each row": sent(given(temperature=[1]), "wrong-shape", "/given/temperature"),
    "a temperature that overflows": sent(given(temperature=5e-324), "non-finite-result"),
    "a negative weight decay": sent(given(weight_decay=-1), "invalid-value", "/given/weight_decay"),
    "weights that overflow": sent(given(W1=[[1e200]], inputs=[[1e200]]), "non-finite-result"),
    "weights that do not chain": sent(given(W2=[[1, 2], [3, 4]]), "wrong-shape"),
    "a layer of no width": sent(given(b1=[]), "empty-batch", "/given/b1"),
    "an unknown level": sent(at({"level": "exam", "seed": 1}), "invalid-value", "/probe/level"),
    "a level that is none": sent(at({"level": {}, "seed": 1}), "invalid-value", "/probe/level"),
    "seed 2^63": sent(at({"level": "loss", "seed": 2**63}), "invalid-value", "/probe/seed"),
    "seed 2^64": sent(at({"level": "loss", "seed": 2**64}), "invalid-value", "/probe/seed"),
    "seed -1": sent(at({"level": "loss", "seed": -1}), "invalid-value", "/probe/seed"),
    "seed 1.0": sent(at({"level": "loss", "seed": 1.0}), "invalid-type", "/probe/seed"),
    "seed true": sent(at({"level": "loss", "seed": True}), "invalid-type", "/probe/seed"),
    "a probe with labels": sent(
        {**at({"level": "loss", "seed": 1}), "labels": [0]}, "unknown-field", "/labels"
    ),
    "two places at once": sent({**claimed([[1, 2]]), "given": {}}, "unknown-field"),
    "an address without a seed": asked("level=loss", "missing-field"),
    "an address with two seeds": asked("level=loss&seed=1&seed=2", "duplicate-key", 400),
    "an address with more": asked("level=loss&seed=1&%3Cimg%3E=1", "unknown-field"),
    "a seed in digits of another script": asked("level=loss&seed=%D9%A3", "invalid-value"),
    "a seed of 5,000 digits": asked(f"level=loss&seed={'9' * 5000}", "invalid-value"),
    "a seed with a sign": asked("level=loss&seed=%2B1", "invalid-value"),
    "a level that is a path": asked("level=../loss&seed=1", "invalid-value"),
    "a level of bytes that are no text": asked("level=%ff%00&seed=1", "invalid-value"),
}  # fmt: skip
