"""Decides by its name how a source of data is read."""

from collections.abc import Sequence
from pathlib import Path

from model.arrays import Labels
from model.data.dataset import Dataset, Features
from model.data.idx import is_idx, read_idx, read_idx_images
from model.data.labels import Label
from model.data.npz import read_npz, read_npz_features
from model.data.table import read_csv, read_csv_features, read_csv_labels
from model.data.wording import named, shown
from model.errors import DatasetError
from model.files import open_regular

UNDERSTOOD = (
    ".csv or .csv.gz (a table with a header), .npz (arrays X and y), or images,labels "
    "(two IDX files, plain or gzip-compressed, joined by a comma)"
)


def read_dataset(
    text: str, target: str | None = None, known: Sequence[Label] | None = None
) -> Dataset:
    """Read data to train or evaluate on.

    Args:
        text: a path to `.csv`, `.csv.gz` or `.npz`, or two to IDX files as `images,labels`.
        target: the column of labels, for tables; the last one if None.
        known: the classes of a model to evaluate; labels are then indices into these, and fewer
            classes or rows than training needs will do. None to find the classes.

    Raises:
        DatasetError: the data is malformed or of no known format, or has an unknown class.
        OSError: a file is missing (FileNotFoundError) or cannot be read.
    """
    path = Path(text)
    if is_table(text):
        return read_csv(path, target, known)
    if target is not None:
        raise DatasetError(
            f"{named(path)}: expected a table for target column {shown(target)}, found another "
            "format; leave the target out"
        )
    if _is_archive(text):
        return read_npz(path, known)
    if pair := _idx_pair(text):
        return read_idx(*pair, known)
    raise _unknown_format(path)


def read_labels(
    text: str, known: Sequence[Label], target: str | None = None, usual: str | None = None
) -> Labels:
    """Read the labels of data to evaluate a model on; of a table no other column.

    Args:
        text: as for read_dataset.
        known: the classes of the model.
        target: the column of labels, for tables.
        usual: the column in tables where no target is named; the last one if None.

    Returns:
        (N,), indices into the classes, N at least 1.

    Raises:
        DatasetError: as for read_dataset.
        OSError: as for read_dataset.
    """
    if is_table(text):
        return read_csv_labels(Path(text), usual if target is None else target, known)
    return read_dataset(text, target, known).labels


def read_features(text: str, features: tuple[str, ...] | None, width: int) -> Features:
    """Read data to predict from; labels may be absent and are not looked at.

    Args:
        text: as for read_dataset; of IDX files the images alone suffice.
        features: the model's D names, or None; columns of tables are found by them.
        width: D.

    Raises:
        DatasetError: the data is malformed, of no known format, or not of this model's features.
        OSError: a file is missing (FileNotFoundError) or cannot be read.
    """
    path = Path(text)
    if is_table(text):
        return read_csv_features(path, features, width)

    found = read_npz_features(path) if _is_archive(text) else _read_images(text)
    if found.inputs.shape[1] != width:
        images = (_idx_pair(text) or (path,))[0]
        raise DatasetError(
            f"{named(images)}: expected {width} features in each row, as the model has, found "
            f"{found.inputs.shape[1]}; give data of the kind the model was trained on"
        )
    return found


def _read_images(text: str) -> Features:
    """The images of an IDX pair or of a file of their own."""
    if pair := _idx_pair(text):
        return read_idx_images(pair[0])
    if is_idx(Path(text)):
        return read_idx_images(Path(text))
    raise _unknown_format(Path(text))


def is_table(text: str) -> bool:
    """Whether data are a table: the one form whose columns have names."""
    return text.lower().endswith((".csv", ".csv.gz"))


def _is_archive(text: str) -> bool:
    return text.lower().endswith(".npz")


def _idx_pair(text: str) -> tuple[Path, Path] | None:
    """The two paths in `images,labels`, unless a file has that very name."""
    images, _, labels = text.partition(",")
    if not images or not labels or "," in labels or Path(text).exists():
        return None
    return Path(images), Path(labels)


def _unknown_format(path: Path) -> DatasetError:
    """The error to raise, once it is certain that there is a file to be read.

    Raises:
        OSError: there is none.
    """
    with open_regular(path):
        return DatasetError(
            f"{named(path)}: expected {UNDERSTOOD}, found a file of no known format; convert it "
            "to one of these"
        )
