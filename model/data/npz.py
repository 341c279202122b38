"""NumPy archives: `X` (N, D) numbers and `y` (N,) labels, read without pickle.

Large ones that are stored uncompressed, as np.savez does, are not read but mapped.
"""

import errno
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from model.data.dataset import Dataset, Features, Unlabelled, with_labels
from model.data.inputs import Inputs
from model.data.labels import Label
from model.data.mapped import LARGE, mapped_member
from model.data.streams import is_mapped, runs
from model.data.wording import listed, named, shown
from model.errors import DatasetError
from model.files import open_regular

# Any: what the file holds is found out here.
Found = NDArray[Any]


class _Archive(NamedTuple):
    """An open archive."""

    raw: BufferedReader  # its file
    npz: NpzFile


def read_npz(path: Path, known: Sequence[Label] | None = None) -> Dataset:
    """Read features and labels; X with more than 2 dimensions is flattened to (N, D).

    Args:
        path: `.npz`.
        known: a model's classes, to label by; None to find the classes.

    Raises:
        DatasetError: an array is missing or unfit, or the file is damaged.
        OSError: the file is missing or cannot be read.
    """
    name = named(path)
    with _open_archive(path) as archive:
        X = _member(archive, "X", name)
        y = _member(archive, "y", name, of_mapped=is_mapped(X))
    inputs = _inputs(X, name)
    if y.shape != (len(X),):
        remedy = "give class labels, such as y.argmax(axis=1)" if y.ndim > 1 else "align them"
        raise DatasetError(
            f"{name}: y: expected shape ({len(X)},), a label for each row of X, found {y.shape}; "
            f"{remedy}"
        )
    return with_labels(
        Unlabelled(inputs, None, name),
        y if is_mapped(y) else _raw_labels(y, name),
        locate=lambda i: f"{name}: y[{i}]",
        known=known,
    )


def read_npz_features(path: Path) -> Features:
    """Read X alone: (N, D), uint8, float32 or float64.

    Raises:
        DatasetError: X is missing or unfit, or the file is damaged.
        OSError: the file is missing or cannot be read.
    """
    name = named(path)
    with _open_archive(path) as archive:
        X = _member(archive, "X", name)
    return Features(_inputs(X, name), locate=lambda i: f"{name}: X[{i}]")


@contextmanager
def _open_archive(path: Path) -> Iterator[_Archive]:
    """Open an archive; whatever goes wrong inside it is a DatasetError."""
    with open_regular(path) as raw:
        if not raw.read(2) == b"PK":
            raise DatasetError(
                f"{named(path)}: expected a NumPy archive (.npz), found a file of another kind; "
                "save it with np.savez(file, X=..., y=...)"
            )
        raw.seek(0)
        try:
            with np.load(raw, allow_pickle=False) as npz:
                yield _Archive(raw, npz)
        except DatasetError:
            raise
        except MemoryError as error:
            raise DatasetError(
                f"{named(path)}: expected arrays that fit the memory, found otherwise "
                f"({shown(str(error))}); correct the shape, or give fewer rows"
            ) from error
        # Damage surfaces as almost anything: zip, zlib, struct, token, value or memory errors.
        except Exception as error:
            if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
                raise  # the disk's fault; a false offset in the archive is EINVAL or has no number
            raise DatasetError(
                f"{named(path)}: expected a whole NumPy archive (.npz), found it damaged or of "
                f"another kind ({type(error).__name__}: {shown(str(error))}); save it again with "
                "np.savez(file, X=..., y=...)"
            ) from error


def _member(archive: _Archive, member: str, name: str, *, of_mapped: bool = False) -> Found:
    """One array of the archive; a large one, or what belongs to one, stays in the file."""
    if member not in archive.npz.files:
        raise DatasetError(
            f"{name}: expected arrays X and y, found {listed(archive.npz.files)}, no {member}; "
            "save it with np.savez(file, X=..., y=...)"
        )
    try:
        mapped = mapped_member(archive.raw, member, least=0 if of_mapped else LARGE)
        found = archive.npz[member] if mapped is None else mapped
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise DatasetError(
            f"{name}: {member}: expected numbers or text, found Python objects, which are never "
            f"unpickled; convert {member} with np.asarray(..., dtype=...)"
        ) from error
    if not isinstance(found, np.ndarray):
        raise DatasetError(
            f"{name}: {member}: expected an array, found a member that is no .npy file; save it "
            "with np.savez(file, X=..., y=...)"
        )
    return found


def _inputs(X: Found, name: str) -> Inputs:
    """X as finite (N, D) values: bytes and float32 stay, all other numbers become float64."""
    if X.dtype.kind not in "biuf":
        raise DatasetError(
            f"{name}: X: expected real numbers, found {X.dtype}; convert X to float64"
        )
    if X.ndim < 2 or X.size == 0:
        raise DatasetError(
            f"{name}: X: expected shape (N, D) with N and D at least 1, found {X.shape}; reshape X"
        )

    for run in runs(X):
        finite = np.isfinite(_as_inputs(X[run]))
        if not finite.all():
            index = tuple(np.argwhere(~finite)[0].tolist())
            index = run.start + index[0], *index[1:]
            raise DatasetError(
                f"{name}: X[{', '.join(map(str, index))}], that is row {index[0]} counted from 0, "
                f"column {index[1:] if X.ndim > 2 else index[1]}: expected a finite number, found "
                f"{X[index]}; fill it in or remove the row"
            )
    values = _as_inputs(X)
    return values.reshape(len(X), -1)


def _as_inputs(X: Found) -> Inputs:
    """Numbers of any type as uint8, float32 or float64, in C order."""
    if X.dtype in (np.bool_, np.uint8):
        return X.astype(np.uint8, order="C", copy=False)
    if X.dtype == np.float32:
        return X.astype(np.float32, order="C", copy=False)
    with np.errstate(over="ignore"):  # becomes an infinity, which the caller looks for
        return X.astype(np.float64, order="C", copy=False)


def _raw_labels(y: Found, name: str) -> list[Label]:
    """Y as Python values; bytes that are not UTF-8 stay recognisable as such."""
    match y.dtype.kind:
        case "i" | "u":
            return y.tolist()
        case "U":
            return _texts(y, name)
        case "b":
            return y.astype(np.uint8).tolist()
        case "f":
            return y.astype(np.float64).tolist()
        case "S":
            return [label.decode("utf-8", "surrogateescape") for label in y.tolist()]
        case _:
            raise DatasetError(
                f"{name}: y: expected integers, numbers or text, found {y.dtype}; convert y"
            )


def _texts(y: Found, name: str) -> list[Label]:
    """Text of any byte order; NumPy does not look whether its numbers are characters."""
    code = np.dtype(np.uint32).newbyteorder(y.dtype.byteorder)
    if y.dtype.itemsize and np.ascontiguousarray(y).view(code).max() > sys.maxunicode:
        raise DatasetError(
            f"{name}: y: expected text, found numbers that are no Unicode characters; convert y"
        )
    return y.tolist()
