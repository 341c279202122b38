"""Every hostile request gets its promised answer; afterwards the same process is well.

The tables stand in the modules beside this one. Where a name begins with a row of the catalogue in
docs/robustness.md, the row is held here.
"""

import httpx
import pytest

from tests.attacks.attack import Attack, perform
from tests.attacks.checking import CHECKS
from tests.attacks.differentiating import GRADIENT
from tests.attacks.inferring import INFERENCE
from tests.attacks.platforms import PLATFORMS
from tests.attacks.predicting import PREDICT
from tests.attacks.requesting import REQUESTS

TABLES = {
    "predict": PREDICT,
    "gradient": GRADIENT,
    "check": CHECKS,
    "infer": INFERENCE,
    "platforms": PLATFORMS,
    "requests": REQUESTS,
}
ATTACKS = {f"{kind}: {name}": row for kind, table in TABLES.items() for name, row in table.items()}


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.usefixtures("well")
def test_every_attack_gets_its_promised_answer(name: str, client: httpx.Client) -> None:
    perform(client, ATTACKS[name])


@pytest.mark.parametrize(
    "changed",
    [
        Attack("/predict", b"{}", 200),
        Attack("/predict", b"{}", 422, "unknown-field"),
        Attack("/predict", b'{"inputs": 3}', 422, "wrong-rank", "/outputs"),
        Attack("/invocations", b"{}", 400, words="something else"),
    ],
)
def test_another_answer_than_the_promised_one_is_noticed(
    changed: Attack, client: httpx.Client
) -> None:
    with pytest.raises(AssertionError):
        perform(client, changed)
