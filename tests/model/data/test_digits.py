from importlib import resources

import numpy as np

from model.data.digits import load_digits


def test_the_digits_are_complete() -> None:
    digits = load_digits()

    assert digits.inputs.shape == (1797, 64)
    assert digits.inputs.dtype == np.uint8
    assert (digits.inputs.min(), digits.inputs.max()) == (0, 16)
    assert digits.classes == tuple(range(10))
    # The class distribution that the creators publish.
    assert np.bincount(digits.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_the_pixels_have_names_and_share_one_scale() -> None:
    digits = load_digits()

    assert digits.features is not None
    assert digits.features[8 * 2 + 5] == "pixel_2_5"
    assert len(set(digits.features)) == 64
    assert digits.kinds.tolist() == [0] * 64


def test_the_first_image_shows_a_zero() -> None:
    digits = load_digits()
    image = digits.inputs[0].reshape(8, 8)

    assert digits.classes[digits.labels[0]] == 0
    assert image[0].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert image[3:5, 3:5].sum() == 0


def test_the_license_lies_beside_the_data() -> None:
    text = (resources.files("model.data") / "LICENSE-digits.md").read_text("utf-8")

    for fact in ["CC BY 4.0", "E. Alpaydin", "C. Kaynak", "1998", "10.24432/C50P49", "Changes"]:
        assert fact in text
