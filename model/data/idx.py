"""IDX, the format of MNIST: a magic number, big-endian dimensions, then bytes.

Source: Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST database of handwritten digits".
"""

import math
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.data.dataset import Dataset, Features, Unlabelled, with_labels
from model.data.gzipped import Stream, open_gzipped
from model.data.labels import Label
from model.data.wording import named
from model.errors import DatasetError

UNSIGNED_BYTE = 0x08
IMAGE_DIMENSIONS = range(2, 5)  # (N, D), (N, rows, columns) or (N, rows, columns, channels)
LABEL_DIMENSIONS = range(1, 2)  # (N,)

_READ_AT_ONCE = 2**20  # bytes


def read_idx(images: Path, labels: Path, known: Sequence[Label] | None = None) -> Dataset:
    """Read a pair of IDX files of unsigned bytes, plain or gzip-compressed.

    Args:
        images: 2 to 4 dimensions; all pixels are of one kind.
        labels: 1 dimension.
        known: a model's classes, to label by; None to find the classes.

    Raises:
        DatasetError: a file is no such IDX file, or they do not belong together.
        OSError: a file is missing or cannot be read.
    """
    inputs = read_idx_images(images).inputs
    raw = _read_array(labels, LABEL_DIMENSIONS)
    if len(raw) != len(inputs):
        raise DatasetError(
            f"{named(labels)}: expected {len(inputs):,} labels, one for each image of "
            f"{named(images)}, found {len(raw):,}; give files that belong together"
        )

    source = f"{named(images)},{named(labels)}"
    dataset = with_labels(
        Unlabelled(inputs, None, source),
        raw.tolist(),
        locate=lambda i: f"{named(labels)}: label {i}",
        known=known,
    )
    return dataset._replace(kinds=np.zeros(inputs.shape[1], np.int64))


def read_idx_images(path: Path) -> Features:
    """Read images alone: (N, D) bytes, each image flattened row by row.

    Raises:
        DatasetError: it is no IDX file of images.
        OSError: the file is missing or cannot be read.
    """
    images = _read_array(path, IMAGE_DIMENSIONS)
    if not images.size:
        raise DatasetError(
            f"{named(path)}: expected images, found shape {images.shape}; give a file with some"
        )
    name = named(path)
    return Features(images.reshape(len(images), -1), locate=lambda i: f"{name}: image {i}")


def is_idx(path: Path) -> bool:
    """Whether the file begins as IDX files do.

    Raises:
        OSError: the file is missing or cannot be read.
    """
    with open_gzipped(path) as stream:
        return stream.read(3) == bytes([0, 0, UNSIGNED_BYTE])


def _read_array(path: Path, dimensions: range) -> NDArray[np.uint8]:
    """Read one file whose number of dimensions is in the given range."""
    with open_gzipped(path) as stream:
        shape = _read_shape(stream, dimensions, named(path))
        declared = math.prod(shape)
        content = _read_at_most(stream, declared + 1)

    if len(content) != declared:
        found = f"{len(content):,}" if len(content) < declared else "more"
        raise DatasetError(
            f"{named(path)}: expected {declared:,} bytes after the header for shape {shape}, "
            f"found {found}; copy or download the file again"
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


def _read_shape(stream: Stream, dimensions: range, name: str) -> tuple[int, ...]:
    """Read the header: two zeros, the type, the number of dimensions, and each of them."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise DatasetError(
            f"{name}: expected an IDX file, beginning with bytes 00 00 08, found "
            f"{magic.hex(' ') or 'an empty file'}; give IDX files as images,labels"
        )
    if magic[2] != UNSIGNED_BYTE:
        raise DatasetError(
            f"{name}: expected IDX type 0x08 (unsigned bytes), found 0x{magic[2]:02x}; "
            "convert it to unsigned bytes or to .npz"
        )
    if magic[3] not in dimensions:
        expected = "1 dimension" if dimensions == LABEL_DIMENSIONS else "3 dimensions"
        raise DatasetError(
            f"{name}: expected {expected}, found {magic[3]}; give the images first, then the labels"
        )

    sizes = stream.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise DatasetError(
            f"{name}: expected a header of {4 + 4 * magic[3]} bytes, found {4 + len(sizes)}; "
            "copy or download the file again"
        )
    return struct.unpack(f">{magic[3]}I", sizes)


def _read_at_most(stream: Stream, count: int) -> bytearray:
    """Read up to that many bytes in pieces, so that a false header reserves no memory."""
    content = bytearray()
    while piece := stream.read(min(_READ_AT_ONCE, count - len(content))):
        content += piece
    return content
