"""What /gradient answers for whom; the derivatives themselves are held in tests/model/gradients."""

import httpx
import numpy as np
import pytest

X = [[1.0, 2.0, 3.0, 4.0], [0.5, -1.0, 0.0, 2.0]]
SHAPES = [  # of, wrt, mode, shape of the vector, shape of the answer: N = 2, D = 4, H = 7, C = 5
    ("probabilities", "logits", "jacobian", None, [2, 5, 5]),
    ("logits", "inputs", "jacobian", None, [2, 5, 4]),
    ("probabilities", "W1", "jacobian", None, [2, 5, 4, 7]),
    ("z1", "b1", "jacobian", None, [2, 7, 7]),
    ("loss", "inputs", "jacobian", None, [2, 4]),
    ("loss", "W2", "jacobian", None, [7, 5]),
    ("logits", "inputs", "vjp", (2, 5), [2, 4]),
    ("logits", "W1", "vjp", (2, 5), [4, 7]),
    ("loss", "b2", "vjp", (), [5]),
    ("probabilities", "inputs", "jvp", (2, 4), [2, 5]),
    ("probabilities", "W2", "jvp", (7, 5), [2, 5]),
    ("loss", "a1", "jvp", (2, 7), []),
]


@pytest.mark.parametrize(("of", "wrt", "mode", "vector", "shape"), SHAPES)
def test_the_answer_has_the_shape_of_the_contract(
    of: str,
    wrt: str,
    mode: str,
    vector: tuple[int, ...] | None,
    shape: list[int],
    client: httpx.Client,
) -> None:
    body: dict[str, object] = {"inputs": X, "of": of, "wrt": wrt, "mode": mode}
    body |= {} if vector is None else {"vector": np.ones(vector).tolist()}
    body |= {"labels": [4, 0]} if of == "loss" else {}

    answer = client.post("/gradient", json=body).json()

    assert answer["shape"] == shape == list(np.shape(answer["gradient"]))
    assert (answer["of"], answer["wrt"], answer["mode"]) == (of, wrt, mode)


def test_products_agree_with_the_matrix(client: httpx.Client) -> None:
    v = np.arange(10.0).reshape(2, 5)
    asked = {"inputs": X, "of": "probabilities", "wrt": "inputs"}

    matrix = client.post("/gradient", json=asked).json()["gradient"]
    product = client.post("/gradient", json=asked | {"mode": "vjp", "vector": v.tolist()}).json()

    np.testing.assert_allclose(
        product["gradient"], np.einsum("nc,ncd->nd", v, np.array(matrix)), rtol=1e-10, atol=1e-15
    )


def test_a_saturated_row_says_so_and_where_to_look(client: httpx.Client) -> None:
    answer = client.post("/gradient", json={"logits": [[1.0, 2.0], [800.0, 0.0]]}).json()

    assert answer["certain_rows"] == [1]
    assert "`logits`" in answer["note"]


def test_an_ordinary_row_needs_no_note(client: httpx.Client) -> None:
    answer = client.post("/gradient", json={"logits": [[1.0, 2.0]]}).json()

    assert "certain_rows" not in answer
    assert "note" not in answer


def test_a_product_of_32_000_classes_is_answered(client: httpx.Client) -> None:
    z = [0.0] * 32_000
    vjp = {"logits": z, "mode": "vjp", "vector": z}

    assert client.post("/gradient", json=vjp).json()["shape"] == [1, 32_000]
    refused = client.post("/gradient", json={"logits": z})
    assert refused.status_code == 422
    assert "1 x 32000 x 32000 = 1024000000 numbers" in refused.json()["detail"]


def test_a_trace_names_every_tensor_with_shape_and_equation(client: httpx.Client) -> None:
    answer = client.post("/gradient/trace", json={"inputs": X, "labels": [4, 0]}).json()

    shapes = {
        "inputs": [2, 4], "z1": [2, 7], "a1": [2, 7], "logits": [2, 5], "probabilities": [2, 5],
        "loss": [], "delta3": [2, 5], "dW2": [7, 5], "db2": [5], "delta2": [2, 7], "dW1": [4, 7],
        "db1": [7],
    }  # fmt: skip
    tensors = answer["tensors"]
    assert list(tensors) == list(shapes)
    for name, tensor in tensors.items():
        assert tensor["shape"] == shapes[name] == list(np.shape(tensor["value"]))
    assert [tensors[name]["equation"] for name in ("z1", "delta3", "dW1")] == [1, 12, 16]


def test_a_trace_and_a_gradient_agree(client: httpx.Client) -> None:
    asked = {"inputs": X, "labels": [4, 0]}

    traced = client.post("/gradient/trace", json=asked).json()["tensors"]["dW1"]["value"]
    asked_for = client.post("/gradient", json=asked | {"of": "loss", "wrt": "W1"}).json()

    assert traced == asked_for["gradient"]


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        ({"inputs": X}, "missing-field"),
        ({"labels": [1]}, "missing-field"),
        ({"inputs": X, "labels": [4]}, "ragged-rows"),
        ({"inputs": X, "labels": [4, 5]}, "unknown-label"),
        ({"inputs": X, "labels": [4, "0"]}, "unknown-label"),
        ({"inputs": X, "labels": [4, 0], "of": "loss"}, "unknown-field"),
        ({"inputs": [[1, 2]], "labels": [4]}, "wrong-width"),
    ],
)
def test_a_trace_that_cannot_be_made_is_explained(
    body: dict[str, object], slug: str, client: httpx.Client
) -> None:
    answer = client.post("/gradient/trace", json=body)

    assert answer.status_code == 422
    assert answer.json()["type"] == f"/problems/{slug}"


@pytest.mark.parametrize("method", ["saliency", "gradient-x-input", "integrated-gradients"])
@pytest.mark.parametrize("of", ["logits", "probabilities"])
def test_attributions_explain_the_predicted_class(
    method: str, of: str, client: httpx.Client
) -> None:
    answer = client.post("/gradient", json={"inputs": X, "attribute": method, "of": of}).json()

    assert np.shape(answer["attributions"]) == (2, 4)
    assert np.shape(answer["completeness_gap"]) == (2,)
    assert answer["target"] == np.argmax(answer["probabilities"], axis=1).tolist()
    assert (answer["attribute"], answer["of"]) == (method, of)


def test_integrated_gradients_add_up_from_the_baseline(client: httpx.Client) -> None:
    asked = {"inputs": X, "attribute": "integrated-gradients", "of": "logits", "target": [3, 1],
             "baseline": [0, 0, 0, 0], "steps": 1000}  # fmt: skip

    answer = client.post("/gradient", json=asked).json()
    start = client.post("/gradient", json={"inputs": [[0, 0, 0, 0]]}).json()["logits"][0]

    risen = [answer["logits"][0][3] - start[3], answer["logits"][1][1] - start[1]]
    # At the kinks of relu the quadrature is off by about the jump over the number of steps.
    np.testing.assert_allclose(np.sum(answer["attributions"], axis=1), risen, atol=2e-2)


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        ({"attribute": "lime"}, "invalid-value"),
        ({"attribute": 3}, "invalid-type"),
        ({"steps": 0}, "invalid-value"),
        ({"steps": 1001}, "invalid-value"),
        ({"steps": 1.5}, "invalid-value"),
        ({"of": "loss"}, "invalid-value"),
        ({"wrt": "inputs"}, "unknown-field"),
        ({"target": [9, 0]}, "unknown-label"),
        ({"target": [0]}, "ragged-rows"),
        ({"baseline": [0, 0]}, "wrong-shape"),
        ({"baseline": [[0, 0, 0, 0]]}, "wrong-shape"),
        ({"baseline": [0, 0, 0, True]}, "invalid-type"),
    ],
)
def test_an_attribution_that_cannot_be_made_is_explained(
    change: dict[str, object], slug: str, client: httpx.Client
) -> None:
    answer = client.post("/gradient", json={"inputs": X, "attribute": "saliency"} | change)

    assert answer.status_code == 422
    assert answer.json()["type"] == f"/problems/{slug}"


@pytest.mark.parametrize("field", ["target", "baseline", "steps"])
def test_what_belongs_to_attributions_needs_them(field: str, client: httpx.Client) -> None:
    answer = client.post("/gradient", json={"inputs": X, field: 1})

    assert answer.json()["type"] == "/problems/unknown-field"
