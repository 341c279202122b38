"""Bodies for /gradient."""

from typing import Any

from tests.attacks.attack import Attack, as_json


def sent(body: bytes, status: int, slug: str = "", pointer: str = "") -> Attack:
    return Attack("/gradient", body, status, slug, pointer)


def attributed(status: int = 422, slug: str = "", pointer: str = "", **asked: Any) -> Attack:
    """A question for an attribution (Any: what JSON can hold)."""
    body = {"inputs": [[1, 2, 3, 4]], "attribute": "integrated-gradients"} | asked
    return sent(as_json(body), status, slug, pointer)


GRADIENT = {
    "logits": sent(b'{"logits": [[2, 1, 0.1]]}', 200),
    "flat logits": sent(b'{"logits": [2, 1]}', 200),
    "inputs": sent(b'{"inputs": [1, 2, 3, 4]}', 200),
    "1e39 is no overflow of float64": sent(b'{"logits": [1e39, 0]}', 200),
    "logits at the end of float64": sent(b'{"logits": [1.7e308, -1.7e308]}', 200),
    "all said": sent(
        b'{"logits": [2, 1], "of": "probabilities", "wrt": "logits", "mode": "jacobian"}', 200
    ),
    "inputs and all said": sent(b'{"inputs": [[1, 2, 3, 4]], "of": "probabilities"}', 200),
    "J31 result too large": sent(b'{"logits": [' + b"0," * 1000 + b"0]}", 422, "result-too-large"),
    "one logit": sent(b'{"logits": [[1]]}', 422, "wrong-width"),
    "both": sent(b'{"logits": [1, 2], "inputs": [1, 2, 3, 4]}', 422, "unknown-field", "/logits"),
    "neither": sent(b"{}", 422, "missing-field"),
    "boolean logit": sent(b'{"logits": [true, 1]}', 422, "invalid-type", "/logits/0"),
    "ragged logits": sent(b'{"logits": [[1, 2], [1]]}', 422, "ragged-rows", "/logits/1"),
    "wrong width": sent(b'{"inputs": [1, 2]}', 422, "wrong-width", "/inputs"),
    "of is a number": sent(b'{"logits": [1, 2], "of": 3}', 422, "invalid-type", "/of"),
    "of is unknown": sent(b'{"logits": [1, 2], "of": "z9"}', 422, "no-derivative", "/of"),
    "wrt is unknown": sent(b'{"logits": [1, 2], "wrt": "W3"}', 422, "no-derivative", "/wrt"),
    "by itself": sent(b'{"logits": [1, 2], "of": "logits"}', 422, "no-derivative", "/wrt"),
    "against the flow": sent(
        b'{"logits": [1, 2], "of": "logits", "wrt": "probabilities"}', 422, "no-derivative", "/wrt"
    ),
    "beyond bare logits": sent(b'{"logits": [1, 2], "wrt": "W1"}', 422, "no-derivative", "/wrt"),
    "mode is unknown": sent(b'{"logits": [1, 2], "mode": "hvp"}', 422, "invalid-value", "/mode"),
    "a vjp": sent(b'{"logits": [1, 2], "mode": "vjp", "vector": [1, 0]}', 200),
    "a vjp of a batch": sent(b'{"logits": [[1, 2]], "mode": "vjp", "vector": [[1, 0]]}', 200),
    "a vjp without a vector": sent(b'{"logits": [1, 2], "mode": "vjp"}', 422, "missing-field"),
    "a jacobian with a vector": sent(
        b'{"logits": [1, 2], "vector": [1, 0]}', 422, "unknown-field", "/vector"
    ),
    "a vector of another shape": sent(
        b'{"logits": [[1, 2]], "mode": "jvp", "vector": [1, 0, 0]}', 422, "wrong-shape", "/vector"
    ),
    "a ragged vector": sent(
        b'{"logits": [[1, 2], [1, 2]], "mode": "jvp", "vector": [[1, 0], [1]]}',
        422,
        "ragged-rows",
        "/vector/1",
    ),
    "a boolean in a vector": sent(
        b'{"logits": [[1, 2]], "mode": "jvp", "vector": [[1, true]]}',
        422,
        "invalid-type",
        "/vector/0/1",
    ),
    "the loss": sent(b'{"logits": [1, 2], "of": "loss", "labels": [1]}', 200),
    "the loss of one row": sent(b'{"logits": [1, 2], "of": "loss", "labels": 1}', 200),
    "the loss without labels": sent(b'{"logits": [1, 2], "of": "loss"}', 422, "missing-field"),
    "a label that is no class": sent(
        b'{"logits": [1, 2], "of": "loss", "labels": [2]}', 422, "unknown-label", "/labels/0"
    ),
    "a boolean label": sent(
        b'{"logits": [1, 2], "of": "loss", "labels": [true]}', 422, "unknown-label", "/labels/0"
    ),
    "a float label": sent(
        b'{"logits": [1, 2], "of": "loss", "labels": [1.0]}', 422, "unknown-label", "/labels/0"
    ),
    "an array as label": sent(
        b'{"logits": [1, 2], "of": "loss", "labels": [[]]}', 422, "unknown-label", "/labels/0"
    ),
    "too few labels": sent(
        b'{"logits": [[1, 2], [3, 4]], "of": "loss", "labels": [1]}', 422, "ragged-rows", "/labels"
    ),
    "a slope that is infinite": sent(
        b'{"logits": [[2000, 0]], "of": "loss", "wrt": "probabilities", "labels": [1]}',
        422,
        "non-finite-result",
    ),
    "a vector that overflows": sent(
        b'{"inputs": [[1, 2, 3, 4]], "of": "z1", "wrt": "W1", "mode": "jvp", "vector": ['
        + b", ".join([b"[" + b", ".join([b"1.7e308"] * 7) + b"]"] * 4)
        + b"]}",
        422,
        "non-finite-result",
    ),
    "records": sent(b'{"records": []}', 422, "unknown-field", "/records"),
    "J11 a long integer beside labels": sent(
        b'{"inputs": [[1, 2, 3, %s]], "of": "loss", "wrt": "W1", "labels": [1]}' % (b"1" * 25), 200
    ),
    "J11 a long integer beside steps": attributed(steps=3, inputs=[[1, 2, 3, 10**24]], status=200),
    "J11 a label of 5,000 digits": sent(
        b'{"logits": [[1, 2]], "of": "loss", "labels": [%s]}' % (b"1" * 5000),
        422,
        "number-out-of-range",
        "/labels/0",
    ),
    "labels that are an object": sent(
        b'{"logits": [[1, 2]], "of": "loss", "labels": {"0": 1}}', 422, "unknown-label", "/labels/0"
    ),
    "label -1": sent(
        b'{"logits": [[1, 2]], "of": "loss", "labels": [-1]}', 422, "unknown-label", "/labels/0"
    ),
    "of is 100,000 characters": sent(
        b'{"logits": [1, 2], "of": "%s"}' % (b"z" * 100_000), 422, "no-derivative", "/of"
    ),
    "wrt is markup": sent(
        b'{"logits": [1, 2], "wrt": "<img src=x onerror=alert(1)>"}', 422, "no-derivative", "/wrt"
    ),
    "a vector 200 deep": sent(
        b'{"logits": [1, 2], "mode": "vjp", "vector": ' + b"[" * 200 + b"1" + b"]" * 200 + b"}",
        422,
        "wrong-rank",
        "/vector",
    ),
    "a vector of nothing": sent(
        b'{"logits": [1, 2], "mode": "vjp", "vector": []}', 422, "empty-batch", "/vector"
    ),
    "a vector that is an object": sent(
        b'{"logits": [1, 2], "mode": "vjp", "vector": {}}', 422, "invalid-type", "/vector"
    ),
    "an attribution": attributed(status=200),
    "1,001 steps": attributed(steps=1001, slug="invalid-value", pointer="/steps"),
    "no steps": attributed(steps=0, slug="invalid-value", pointer="/steps"),
    "1.0 steps": attributed(steps=1.0, slug="invalid-value", pointer="/steps"),
    "true steps": attributed(steps=True, slug="invalid-value", pointer="/steps"),
    "an unknown method": attributed(attribute="shap", slug="invalid-value", pointer="/attribute"),
    "a method that is null": attributed(attribute=None, slug="invalid-type", pointer="/attribute"),
    "methods in an array": attributed(attribute=["saliency"], slug="invalid-type"),
    "a target that is no class": attributed(target=[9], slug="unknown-label", pointer="/target/0"),
    "two targets for one row": attributed(target=[1, 2], slug="ragged-rows", pointer="/target"),
    "a baseline that is a number": attributed(baseline=3, slug="wrong-shape", pointer="/baseline"),
    "a baseline for each row": attributed(baseline=[[1] * 4], slug="wrong-shape"),
    "a baseline with a gap": attributed(
        baseline=[1, None, 3, 4], slug="invalid-type", pointer="/baseline/1"
    ),
    "a way that overflows": attributed(
        inputs=[[1e308, 1e308, -1e308, 1e308]],
        baseline=[-1e308, 1e308, 0, 1],
        slug="non-finite-result",
    ),
    "an attribution by a weight": attributed(wrt="W1", slug="unknown-field", pointer="/wrt"),
    "an attribution of the loss": attributed(of="loss", slug="invalid-value", pointer="/of"),
    "steps of nothing": sent(b'{"logits": [1, 2], "steps": 3}', 422, "unknown-field", "/steps"),
}
