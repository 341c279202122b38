"""What must never be in an answer, and what must."""

import json
import re

import httpx
import pytest

from tests.app.open_inference.asking import INFER
from tests.attacks.inferring import holding
from tests.attacks.predicting import rows
from tests.serving import Server


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


@pytest.mark.parametrize("value", ["123456789.25", '"4111-secret"', "1e39"])
def test_no_error_repeats_the_value_it_refuses(
    value: str, client: httpx.Client, server: Server
) -> None:
    content = json.dumps(holding("here")).replace('"here"', value)

    answer = client.post(INFER, content=content.replace("[1, 4]", "[2, 2]"))

    assert answer.status_code == 400
    assert value.strip('"') not in answer.text
    assert value.strip('"') not in "".join(server.stderr)


@pytest.mark.parametrize(
    ("path", "sent", "header", "value"),
    [
        ("/predict", {"content-type": "text/csv"}, "accept", "application/json"),
        ("/predict", {"content-encoding": "gzip"}, "accept-encoding", "identity"),
        ("/invocations", {"content-encoding": "gzip"}, "accept-encoding", "identity"),
        (
            "/v2/models/fixture/infer",
            {"content-encoding": "br"},
            "accept-encoding",
            "gzip, deflate",
        ),
    ],
)
def test_what_is_of_another_kind_is_told_what_would_do(
    path: str, sent: dict[str, str], header: str, value: str, client: httpx.Client
) -> None:
    """P1 and P4; RFC 9110, 15.5.16."""
    answer = client.post(path, content=b"{}", headers={"content-type": "application/json"} | sent)

    assert answer.status_code == 415
    assert answer.headers[header] == value
