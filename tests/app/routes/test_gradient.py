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
    body = {"inputs": X, "of": of, "wrt": wrt, "mode": mode}
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
