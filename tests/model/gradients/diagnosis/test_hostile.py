"""Whatever is posted, a check answers: no exception but a refusal, no warning, soon."""

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from model.errors import InvalidInputError
from model.gradients import Report, check
from tests.verdicts.made import Answer, Given, made
from tests.verdicts.others import in_type
from tests.verdicts.programs import answer
from tests.verdicts.shown import SHOWN, forms
from tests.verdicts.trials import possible

# Warnings are errors here, as in all tests.
SIZES = [1e-310, 1e-300, 1e-8, 1e-3, 1.0, 1.0, 1.0, 30.0, 1e3, 1e6, 1e150]
WRITTEN = ["float64", "float32", "float16", "str", *(str(d) for d in (3, 4, 5, 6, 7, 8, 12, 17))]


@st.composite
def points(draw: st.DrawFn) -> Given:
    """Odd shapes (N = 1, C = 2, D = H, H = C, N > H) and sizes, saturated or dead units."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    N, C = draw(st.integers(1, 6)), draw(st.integers(2, 6))

    def array(*shape: int) -> Any:
        return rng.normal(size=shape) * draw(st.sampled_from([*SIZES, 0.0]))

    found: Given = {"temperature": draw(st.sampled_from([1.0, 0.5, 1.7, 1e-3, 100.0]))}
    level = draw(st.sampled_from(sorted(SHOWN)))
    if level != "jacobian":
        found["labels"] = rng.integers(C, size=N)
    if level != "network":
        return found | {"logits": array(N, C)}
    D = draw(st.integers(1, 8))
    H = draw(st.sampled_from([1, 3, 8, C, D]))
    return found | {
        "inputs": array(N, D), "W1": array(D, H), "b1": array(H), "W2": array(H, C),
        "b2": array(C), "activation": draw(st.sampled_from(["relu", "tanh"])),
        "weight_decay": draw(st.sampled_from([0.0, 0.1, 1e-9, 100.0])),
    }  # fmt: skip


def written(answered: Answer, how: str) -> Answer:
    with np.errstate(all="ignore"):
        return {name: np.asarray(_written(g, how)) for name, g in answered.items()}


def _written(g: Any, how: str) -> Any:
    if how.startswith("float"):
        return g.astype(how)
    texts = [str(np.float32(v)) if how == "str" else f"{v:.{how}g}" for v in g.ravel().tolist()]
    return np.array([float(text) for text in texts]).reshape(g.shape)


def checked(at: Given, posted: Answer) -> Report | None:
    """None where the point or the answer is refused."""
    started = time.perf_counter()
    try:
        return check(at, posted)
    except InvalidInputError:
        return None
    finally:
        assert time.perf_counter() - started < 30  # generous: it takes milliseconds


def level_of(at: Given) -> str:
    return "network" if "inputs" in at else "loss" if "labels" in at else "jacobian"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(points(), st.data())
def test_a_right_gradient_is_never_called_wrong(at: Given, data: st.DataObject) -> None:
    single, how = data.draw(st.booleans()), data.draw(st.sampled_from(WRITTEN))
    with np.errstate(all="ignore"):
        answered = answer(in_type(at, np.float32 if single else np.float64))
    names = data.draw(st.sets(st.sampled_from(sorted(answered)), min_size=1))
    posted = written({n: answered[n] for n in names}, how)
    assume(all(np.isfinite(values).all() for values in posted.values()))  # or it held no numbers

    report = checked(at, posted)

    assert report is None or report.verdict != "wrong"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(points(), st.data())
def test_a_wrong_gradient_is_always_answered(at: Given, data: st.DataObject) -> None:
    level = level_of(at)
    slug = data.draw(st.sampled_from([s for s in SHOWN[level] if possible(s, at)]))
    form = data.draw(st.integers(0, forms(level, slug) - 1))
    answered = answer(at, made(slug, form=form))
    names = data.draw(st.sets(st.sampled_from(sorted(answered)), min_size=1))

    report = checked(at, written({n: answered[n] for n in names}, "float64"))

    assert report is None or report.verdict in {"right", "wrong", "undecidable"}


@settings(max_examples=100, deadline=None)
@example(shape=(3, 4), fill=np.inf)
@given(
    shape=st.lists(st.integers(0, 5), max_size=4).map(tuple),
    fill=st.floats(allow_nan=True, allow_infinity=True),
)
@pytest.mark.parametrize("name", ["dW1", "db1", "dW2", "db2", "delta2", "delta3"])
def test_any_array_is_answered(name: str, shape: tuple[int, ...], fill: float) -> None:
    at = {
        "inputs": np.ones((3, 4)), "labels": [0, 1, 2], "W1": np.ones((4, 3)) / 3,
        "b1": np.zeros(3), "W2": np.eye(3), "b2": np.zeros(3), "activation": "relu",
    }  # fmt: skip

    report = checked(at, {name: np.full(shape, fill)})

    assert report is None or report.verdict in {"right", "wrong", "undecidable"}
