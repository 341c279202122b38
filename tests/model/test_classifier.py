import gc
import weakref
from pathlib import Path

import numpy as np
import pytest

from model import (
    Artifact,
    ArtifactError,
    Classifier,
    Float64s,
    InvalidInputError,
    fold,
    forward,
    load_classifier,
    save_artifact,
)
from tests.model.artifacts import make_artifact

FAR = [(0.0, 1.0), (3.0, 0.5), (1e4, 1.0), (1e7, 1e3), (-1.7e9, 10.0)]  # mean, scale


def plain_logits(artifact: Artifact, x: Float64s) -> Float64s:
    """A float64 evaluation of the saved arrays, without the fold."""
    W1, b1, W2, b2 = (array.astype(np.float64) for array in artifact.parameters)
    z1 = ((x - artifact.input_mean) / artifact.input_scale) @ W1 + b1
    a1 = np.tanh(z1) if artifact.metadata["activation"] == "tanh" else np.maximum(z1, 0)
    return (a1 @ W2 + b2) / artifact.temperature


def plain_probabilities(artifact: Artifact, x: Float64s) -> Float64s:
    z = plain_logits(artifact, x)
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def rows_for(artifact: Artifact, rng: np.random.Generator, spread: float = 1.0) -> Float64s:
    noise = rng.normal(size=(50, len(artifact.input_mean)))
    return artifact.input_mean + spread * artifact.input_scale * noise


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize(("mean", "scale"), FAR)
def test_predict_keeps_its_promise(
    mean: float, scale: float, activation: str, rng: np.random.Generator
) -> None:
    artifact = make_artifact(
        rng, shape=(30, 64, 6), activation=activation, mean=mean, scale=scale, temperature=0.6
    )
    x = rows_for(artifact, rng)

    p = fold(artifact).predict(x)

    assert p.dtype == np.float32
    np.testing.assert_allclose(p, plain_probabilities(artifact, x), rtol=0, atol=2e-6)


@pytest.mark.parametrize("spread", [0.1, 1.0, 10.0, 100.0, 1e6])
def test_predict_keeps_its_promise_for_outliers(spread: float, rng: np.random.Generator) -> None:
    artifact = make_artifact(rng, shape=(30, 64, 6), temperature=0.2)
    x = rows_for(artifact, rng, spread)

    p = fold(artifact).predict(x)

    np.testing.assert_allclose(p, plain_probabilities(artifact, x), rtol=0, atol=2e-6)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize(("mean", "scale"), FAR)
def test_trace_is_right_to_float64(
    mean: float, scale: float, activation: str, rng: np.random.Generator
) -> None:
    artifact = make_artifact(
        rng, shape=(30, 64, 6), activation=activation, mean=mean, scale=scale, temperature=0.6
    )
    x = rows_for(artifact, rng)

    trace, expected = fold(artifact).trace(x), plain_logits(artifact, x)

    # Sums of 64 products in float64, relative to the largest.
    assert np.abs(trace.z2 - expected).max() <= 1e-13 * np.abs(expected).max()


def test_the_four_arrays_act_on_raw_features(rng: np.random.Generator) -> None:
    artifact = make_artifact(rng, mean=2.0, scale=3.0, temperature=1.7)
    classifier, x = fold(artifact), rows_for(artifact, rng)

    raw = forward(classifier.parameters, x, classifier.activation)

    np.testing.assert_allclose(raw.z2, classifier.trace(x).z2, rtol=1e-12)


def test_predict_keeps_its_promise_where_the_features_cancel(rng: np.random.Generator) -> None:
    """Far out along what W1 hardly sees: small logits from large numbers."""
    artifact = make_artifact(rng, shape=(64, 16, 4), temperature=0.5)
    blind = np.linalg.svd(artifact.parameters.W1.astype(np.float64))[0][:, -8:]
    spread = np.array([10, 300, 3e3, 3e4] * 2)
    x = artifact.input_scale * ((rng.normal(size=(40, 8)) * spread) @ blind.T)

    p = fold(artifact).predict(artifact.input_mean + x)

    exact = plain_probabilities(artifact, artifact.input_mean + x)
    np.testing.assert_allclose(p, exact, rtol=0, atol=2e-6)


@pytest.mark.parametrize("temperature", [1.0, 0.1, 0.05])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_predict_keeps_its_promise_for_many_networks(activation: str, temperature: float) -> None:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        artifact = make_artifact(
            rng, shape=(50, 40, 3), activation=activation, temperature=temperature
        )
        x = rows_for(artifact, rng)

        p = fold(artifact).predict(x)

        np.testing.assert_allclose(p, plain_probabilities(artifact, x), rtol=0, atol=2e-6)


@pytest.mark.parametrize(("mean", "scale"), FAR)
def test_float32_is_used_where_it_is_accurate(
    mean: float, scale: float, rng: np.random.Generator
) -> None:
    artifact = make_artifact(rng, shape=(30, 64, 6), mean=mean, scale=scale)
    classifier, x = fold(artifact), rows_for(artifact, rng)

    exact = classifier.trace(x).a2.astype(np.float32)

    # Rows that came from float64 are equal to the bit; not all may be.
    assert (classifier.predict(x) != exact).any(axis=1).mean() > 0.5


def test_few_products_are_answered_in_float64(rng: np.random.Generator) -> None:
    artifact = make_artifact(rng)
    classifier, x = fold(artifact), rows_for(artifact, rng)

    exact = classifier.trace(x).a2.astype(np.float32)

    np.testing.assert_array_equal(classifier.predict(x), exact)


@pytest.mark.parametrize("far", [0.0, 1e4])
def test_a_row_is_answered_alike_beside_an_outlier(far: float, rng: np.random.Generator) -> None:
    artifact = make_artifact(rng, shape=(30, 64, 6), mean=far)
    classifier, x = fold(artifact), rows_for(artifact, rng)
    beside = x.copy()
    beside[7] *= 1e6

    alone, together = classifier.predict(x), classifier.predict(beside)

    others = np.arange(len(x)) != 7
    np.testing.assert_array_equal(alone[others], together[others])


@pytest.fixture
def classifier(rng: np.random.Generator) -> Classifier:
    return fold(make_artifact(rng))


@pytest.mark.parametrize("width", [3, 5])
def test_a_row_of_the_wrong_length_is_explained(classifier: Classifier, width: int) -> None:
    with pytest.raises(InvalidInputError, match=f"rows of 4 features, got {width}") as caught:
        classifier.predict(np.zeros((1, width)))

    assert caught.value.reason == "wrong-width"


def test_logits_that_overflow_are_refused_with_their_row(rng: np.random.Generator) -> None:
    classifier = fold(make_artifact(rng, scale=1e-300))
    x = np.zeros((3, 4))
    x[1] = -1e308  # relu would forgive the other sign

    with pytest.raises(InvalidInputError, match="overflow") as caught:
        classifier.predict(x)

    assert (caught.value.reason, caught.value.row) == ("non-finite-result", 1)


def test_features_beyond_float32_are_still_answered(rng: np.random.Generator) -> None:
    artifact = make_artifact(rng, scale=1e100)
    x = rows_for(artifact, rng)

    p = fold(artifact).predict(x)

    np.testing.assert_allclose(p, plain_probabilities(artifact, x), rtol=0, atol=2e-6)


def test_weights_too_large_to_use_fail_the_self_test(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    artifact = make_artifact(rng)
    artifact.parameters.W1[:] = 1e38
    save_artifact(tmp_path / "huge.npz", artifact)

    with pytest.raises(ArtifactError, match=r"huge\.npz: fails its self-test"):
        load_classifier(tmp_path / "huge.npz")


def test_a_unit_that_no_typical_row_wakes_is_reckoned_with(rng: np.random.Generator) -> None:
    artifact = make_artifact(rng, shape=(1, 1, 2))
    artifact.parameters.W1[:], artifact.parameters.b1[:] = 1000.0, -10_000.0
    artifact.parameters.W2[:], artifact.parameters.b2[:] = [[3.3, 0.0]], [-3.3 * 777.7, 0.0]
    x = artifact.input_mean + artifact.input_scale * np.linspace(10.7, 10.9, 400)[:, None]

    p = fold(artifact).predict(x)

    np.testing.assert_allclose(p, plain_probabilities(artifact, x), rtol=0, atol=2e-6)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_hidden_layer_that_overflows_is_refused_too(
    activation: str, rng: np.random.Generator
) -> None:
    """Products of both signs overflow: their sum is anything, and relu would make a 0 of it."""
    classifier = fold(make_artifact(rng, scale=1e-3, activation=activation))
    rows = np.ones((5, 4))
    rows[3] = 1.7e308

    with pytest.raises(InvalidInputError, match="row 3: the logits overflow"):
        classifier.trace(rows)


def test_a_scale_too_small_to_divide_by_fails_the_self_test(rng: np.random.Generator) -> None:
    with pytest.raises(ArtifactError, match="W1 overflows when divided by input_scale"):
        fold(make_artifact(rng, scale=5e-324))


def test_float64_weights_are_made_once_and_go_with_their_classifier(
    rng: np.random.Generator,
) -> None:
    classifier = fold(make_artifact(rng))
    weights = classifier.centred
    assert classifier.centred is weights

    kept = weakref.ref(classifier.centred.W1)
    del weights, classifier
    gc.collect()

    assert kept() is None


def test_no_more_float64_weights_are_kept_than_there_is_room_for(
    rng: np.random.Generator,
) -> None:
    """Each of these networks takes 5 MiB of the 32, so the first ones have to go."""
    artifact = make_artifact(rng, shape=(640, 1024, 4))
    classifiers = [fold(artifact) for _ in range(9)]
    kept = [weakref.ref(classifier.centred.W1) for classifier in classifiers]

    assert [weights() is None for weights in kept] == [True] * 3 + [False] * 6


def test_weights_larger_than_the_room_are_kept_alone(rng: np.random.Generator) -> None:
    classifier = fold(make_artifact(rng, shape=(4096, 1100, 2)))

    assert classifier.centred is classifier.centred
