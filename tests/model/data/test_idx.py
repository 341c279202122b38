import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from model.data.idx import is_idx, read_idx, read_idx_images
from model.errors import DatasetError


def idx(*shape: int, kind: int = 8, content: bytes | None = None) -> bytes:
    """An IDX file of the numbers 0, 1, 2, ... or of other content."""
    header = struct.pack(f">BBBB{len(shape)}I", 0, 0, kind, len(shape), *shape)
    return header + (bytes(range(int(np.prod(shape)))) if content is None else content)


def write_pair(folder: Path, images: bytes, labels: bytes) -> tuple[Path, Path]:
    (folder / "images").write_bytes(images)
    (folder / "labels").write_bytes(labels)
    return folder / "images", folder / "labels"


def test_images_are_flattened_row_by_row(tmp_path: Path) -> None:
    pair = write_pair(tmp_path, idx(2, 2, 3), idx(2, content=b"\x07\x03"))

    data = read_idx(*pair)

    assert data.inputs.tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]
    assert data.inputs.dtype == np.uint8
    assert (data.labels.tolist(), data.classes) == ([1, 0], (3, 7))
    assert data.kinds.tolist() == [0] * 6
    assert (data.features, data.source) == (None, "images,labels")


def test_gzip_is_recognised_whatever_the_name(tmp_path: Path) -> None:
    pair = write_pair(tmp_path, gzip.compress(idx(2, 2, 2)), idx(2))

    data = read_idx(*pair)

    assert data.inputs.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (b"", ["IDX", "empty file"]),
        (b"PNG...", ["IDX", "found 50 4e 47 2e"]),
        (idx(2, 2, 2, kind=13), ["0x08", "found 0x0d"]),
        (idx(2), ["3 dimensions", "found 1", "images first"]),
        (idx(2, 2, 2)[:9], ["header of 16 bytes", "found 9"]),
        (idx(2, 2, 2)[:-1], ["expected 8 bytes", "(2, 2, 2)", "found 7"]),
        (idx(2, 2, 2) + b"!", ["expected 8 bytes", "(2, 2, 2)", "found more"]),
        (idx(2**32 - 1, 2**32 - 1, content=b"abc"), ["18,446,744,065,119,617,025", "found 3"]),
        (idx(0, 2, 2), ["images", "(0, 2, 2)"]),
        (gzip.compress(idx(2, 2, 2))[:-12], ["gzip", "truncated"]),
    ],
)
def test_a_file_that_holds_no_images_is_explained(
    tmp_path: Path, images: bytes, words: list[str]
) -> None:
    pair = write_pair(tmp_path, images, idx(2))

    with pytest.raises(DatasetError) as error:
        read_idx(*pair)

    message = str(error.value)
    assert [word for word in ["images:", *words] if word not in message] == []


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (idx(3), ["expected 2 labels", "of images", "found 3"]),
        (idx(2, 1), ["1 dimension", "found 2"]),
        (idx(2)[:-1], ["expected 2 bytes", "found 1"]),
        (idx(2, content=b"\x05\x05"), ["2 classes", "only 5"]),
    ],
)
def test_labels_that_do_not_fit_are_explained(
    tmp_path: Path, labels: bytes, words: list[str]
) -> None:
    pair = write_pair(tmp_path, idx(2, 2, 2), labels)

    with pytest.raises(DatasetError) as error:
        read_idx(*pair)

    message = str(error.value)
    assert [word for word in ["labels: ", *words] if word not in message] == []


def test_images_can_be_read_alone(tmp_path: Path) -> None:
    images, labels = write_pair(tmp_path, idx(1, 2, 2), b"")

    assert read_idx_images(images).inputs.tolist() == [[0, 1, 2, 3]]
    assert is_idx(images)
    assert not is_idx(labels)
