from typing import Any

import pytest

from model.training import Plan

BAD: dict[str, Any] = {  # Any: the point is that they are of no use
    "hidden": 0, "epochs": 0, "batch_size": 0, "learning_rate": -1.0, "momentum": 1.0,
    "warmup": -1, "weight_decay": float("inf"), "label_smoothing": 1.0, "validation": 1.0,
    "patience": 0, "seed": -1, "threads": 0, "activation": "gelu", "optimizer": "sdg",
    "schedule": "linear",
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_choice_out_of_range_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: expected .*, got"):
        Plan(**{name: BAD[name]})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_rate_is_a_finite_number(value: float) -> None:
    with pytest.raises(ValueError, match="learning_rate"):
        Plan(learning_rate=value)
