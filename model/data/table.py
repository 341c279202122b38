"""CSV tables as numbers and labels: every feature a finite number, found fault with by cell."""

import math
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.arrays import Float64s, Labels
from model.data.csv_rows import Sheet, open_sheet, refuse_numeric_header
from model.data.dataset import Dataset, Features, Unlabelled, with_labels
from model.data.labels import Label, Locate, as_number, find_labels, is_unicode
from model.data.wording import listed, shown, suggestion
from model.errors import DatasetError


class Rows(NamedTuple):
    """Chosen columns of a table, converted, and one left as text."""

    values: Float64s  # (N, D), finite
    texts: list[str]  # N, or none if no column was asked for
    lines: NDArray[np.int64]  # (N,) where each row begins, from 1


def read_csv(
    path: Path, target: str | None = None, known: Sequence[Label] | None = None
) -> Dataset:
    """Read a labelled table: one column of labels, every other a feature.

    Args:
        path: `.csv` or `.csv.gz`.
        target: the column of labels; the last one if None.
        known: a model's classes, to label by; None to find the classes.

    Raises:
        DatasetError: the table is malformed; names row and column.
        OSError: the file is missing or cannot be read.
    """
    with open_sheet(path) as sheet:
        label = _target_position(sheet, target)
        features = [i for i in range(len(sheet.columns)) if i != label]
        rows = _read_rows(sheet, features, label)

    names = tuple(sheet.columns[i] for i in features)
    dataset = with_labels(
        Unlabelled(rows.values, names, sheet.name),
        rows.texts,
        locate=_locating(sheet, rows, label),
        known=known,
    )
    return dataset._replace(target=sheet.columns[label])


def read_csv_labels(path: Path, target: str | None, known: Sequence[Label]) -> Labels:
    """Read the column of labels alone: what the others hold does not matter.

    Args:
        path: `.csv` or `.csv.gz`.
        target: the column of labels; the last one if None.
        known: a model's classes, to label by.

    Returns:
        (N,), indices into the classes, N at least 1.

    Raises:
        DatasetError: the table is malformed, or a label is none of the classes.
        OSError: the file is missing or cannot be read.
    """
    with open_sheet(path) as sheet:
        label = _target_position(sheet, target)
        rows = _read_rows(sheet, [], label)
    _refuse_no_rows(sheet, rows, "evaluate on")
    return find_labels(rows.texts, known, _locating(sheet, rows, label)).indices


def read_csv_features(path: Path, features: tuple[str, ...] | None, width: int) -> Features:
    """Read what a model of these features predicts from.

    Columns are found by name, in any order and among others. For a model without names they are
    the first ones, and one more may follow: the target.

    Args:
        path: `.csv` or `.csv.gz`.
        features: the model's D names, or None.
        width: D.

    Raises:
        DatasetError: a feature is missing, or the table is malformed.
        OSError: the file is missing or cannot be read.
    """
    with open_sheet(path) as sheet:
        chosen = _by_name(sheet, features) if features else _by_position(sheet, width)
        rows = _read_rows(sheet, chosen)
    _refuse_no_rows(sheet, rows, "predict from")
    return Features(rows.values, _locating(sheet, rows))


def _refuse_no_rows(sheet: Sheet, rows: Rows, purpose: str) -> None:
    if not len(rows.lines):
        raise DatasetError(
            f"{sheet.name}: expected rows below the header, found none; add rows to {purpose}"
        )


def _locating(sheet: Sheet, rows: Rows, column: int | None = None) -> Locate:
    """How a row is named in messages, and with it the column to blame if there is one."""
    where = "" if column is None else f", column {shown(sheet.columns[column])}"
    return lambda i: f"{sheet.name}: row {rows.lines[i]}{where}"


def _target_position(sheet: Sheet, target: str | None) -> int:
    """Which column holds the labels."""
    if target is None or target.strip() not in sheet.columns:
        refuse_numeric_header(sheet)
    if len(sheet.columns) < 2:
        raise DatasetError(
            f"{sheet.name}: row 1: expected at least 2 columns separated by commas, features and "
            f"target, found only {shown(sheet.columns[0])}; add a column"
        )
    if target is None:
        return len(sheet.columns) - 1
    if target.strip() not in sheet.columns:
        raise DatasetError(
            f"{sheet.name}: row 1: expected a target column {shown(target)}, found "
            f"{listed(sheet.columns)}; name one of them{suggestion(target, sheet.columns)}"
        )
    return sheet.columns.index(target.strip())


def _by_name(sheet: Sheet, features: Sequence[str]) -> list[int]:
    """Where the model's features stand."""
    position = {name: i for i, name in enumerate(sheet.columns)}
    missing = [name for name in features if name not in position]
    if not missing:
        return [position[name] for name in features]

    refuse_numeric_header(sheet)
    raise DatasetError(
        f"{sheet.name}: row 1: expected all {len(features)} features of the model, did not find "
        f"{listed(missing)}; add or rename columns{suggestion(missing[0], sheet.columns)}"
    )


def _by_position(sheet: Sheet, width: int) -> range:
    """The model's features where it has no names for them."""
    refuse_numeric_header(sheet)
    found = len(sheet.columns)
    if found not in (width, width + 1):
        raise DatasetError(
            f"{sheet.name}: row 1: expected {width} columns, the features of the model, or one "
            f"more, the target; found {found}; add or remove columns"
        )
    return range(width)


def _read_rows(sheet: Sheet, features: Sequence[int], text: int | None = None) -> Rows:
    """Read the columns at the given positions."""
    # One growing buffer: a list of blocks would need twice the memory when it is joined.
    values, texts, lines = array("d"), [], array("q")
    for line, cells in sheet.rows:
        chosen = [cells[i] for i in features]
        numbers = _finite_numbers(chosen)
        if numbers is None:
            culprit = next(i for i in features if _finite_numbers([cells[i]]) is None)
            column = shown(sheet.columns[culprit])
            raise DatasetError(
                f"{sheet.name}: row {line}, column {column}: {_fault(cells[culprit])}"
            )
        values.fromlist(numbers)
        if text is not None:
            texts.append(cells[text])
        lines.append(line)

    inputs = np.asarray(values).reshape(len(lines), len(features))
    return Rows(inputs, texts, np.asarray(lines))


def _finite_numbers(cells: Sequence[str]) -> list[float] | None:
    """The cells as float64, or None when one of them is not a finite number."""
    try:
        numbers = list(map(float, cells))
    except ValueError:
        return None
    # float() takes "1_000" and the digits of every script, which other programs do not.
    text = "".join(cells)
    if "_" in text or not (text.isascii() or "".join(map(str.strip, cells)).isascii()):
        return None
    return numbers if all(map(math.isfinite, numbers)) else None


def _fault(cell: str) -> str:
    """What was expected in a cell, what was found, and what to do."""
    number = as_number(cell)
    if not cell.strip():
        found, remedy = "an empty cell", "fill it in, or remove the row or the column"
    elif not is_unicode(cell):
        found, remedy = f"{shown(cell)}, which is not UTF-8", "save the file as CSV UTF-8"
    elif number is None:
        found, remedy = f"the text {shown(cell)}", _remedy_for_text(cell)
    elif math.isnan(number):
        found, remedy = f"NaN ({shown(cell)})", "fill it in, or remove the row or the column"
    else:
        found, remedy = f"{shown(cell)}, infinite as float64", "correct it, or remove the row"
    return f"expected a finite number, found {found}; {remedy}"


def _remedy_for_text(cell: str) -> str:
    """What to do about a cell that is no number."""
    if as_number(cell.replace(",", ".")) is not None:
        return "write it with a decimal point"
    if as_number(cell.replace("_", "").replace(",", "")) is not None:
        return "write it with digits only"
    return "write it as a number, remove the column, or name it as the target"
