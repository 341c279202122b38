import numpy as np
import pytest

from model.training.preprocessing import fit_standardisation, standardise, stratified_split

ALL_ONE_KIND = np.zeros(3, np.int64)
EACH_ITS_OWN = np.arange(3)


def test_columns_of_their_own_kind_get_unit_variance(rng: np.random.Generator) -> None:
    inputs = rng.normal(size=(500, 3)) * [1, 10, 1000] + [0, 5, -7]

    scaled = standardise(inputs, fit_standardisation(inputs, EACH_ITS_OWN))

    # float32 keeps 7 digits of each value.
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(axis=0), 1, rtol=1e-5)


def test_columns_of_one_kind_share_the_pooled_scale(rng: np.random.Generator) -> None:
    inputs = rng.normal(size=(500, 3)) * [1, 10, 0]

    scaling = fit_standardisation(inputs, ALL_ONE_KIND)

    pooled = np.sqrt(inputs.var(axis=0).mean())
    np.testing.assert_allclose(scaling.scale, pooled, rtol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9 + 0.1])
def test_a_constant_column_divides_by_one(value: float) -> None:
    inputs = np.full((1000, 3), value)

    scaling = fit_standardisation(inputs, EACH_ITS_OWN)

    np.testing.assert_array_equal(scaling.scale, 1.0)
    assert scaling.constant.all()


def test_timestamps_keep_their_digits(rng: np.random.Generator) -> None:
    inputs = 1.7e9 + rng.integers(0, 100, size=(400, 3)).astype(np.float64)

    scaled = standardise(inputs, fit_standardisation(inputs, EACH_ITS_OWN))

    assert len(np.unique(scaled[:, 0])) == len(np.unique(inputs[:, 0]))


def test_bytes_are_scaled_like_floats(rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 256, size=(300, 3)).astype(np.uint8)

    as_bytes = fit_standardisation(pixels, ALL_ONE_KIND)
    as_floats = fit_standardisation(pixels.astype(np.float64), ALL_ONE_KIND)

    np.testing.assert_array_equal(as_bytes.mean, as_floats.mean)
    np.testing.assert_array_equal(as_bytes.scale, as_floats.scale)


def test_every_class_gives_the_same_share_to_validation(rng: np.random.Generator) -> None:
    labels = np.repeat([0, 1, 2], [1000, 100, 10])

    split = stratified_split(labels, 0.2, rng)

    np.testing.assert_array_equal(np.bincount(labels[split.validation]), [200, 20, 2])
    together = np.sort(np.concatenate(split))
    np.testing.assert_array_equal(together, np.arange(1110))


def test_small_classes_give_rows_too(rng: np.random.Generator) -> None:
    """A tenth of 12 rows in 3 classes is one row, though it is a third of a row of each."""
    split = stratified_split(np.repeat([0, 1, 2], 4), 0.1, rng)

    assert len(split.validation) == 1


def test_a_class_of_one_row_is_trained_on(rng: np.random.Generator) -> None:
    split = stratified_split(np.array([0, 0, 0, 0, 1]), 0.5, rng)

    assert 4 in split.training


def test_no_share_leaves_no_validation(rng: np.random.Generator) -> None:
    split = stratified_split(np.array([0, 1, 0, 1]), 0.0, rng)

    assert len(split.validation) == 0
    assert len(split.training) == 4
