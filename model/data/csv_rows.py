"""CSV text to named columns and rectangular rows of text; what cells mean is decided elsewhere.

RFC 4180 with a header, in UTF-8; the byte order mark and line ends of Excel are accepted. Rows are
counted in lines from 1, as an editor shows them.
"""

import csv
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import NamedTuple

from model.data.gzipped import open_gzipped
from model.data.labels import as_number, is_unicode
from model.data.wording import listed, named, shown
from model.errors import DatasetError

OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


class Row(NamedTuple):
    """One record of the file."""

    line: int  # where it begins, from 1
    cells: list[str]


class Sheet(NamedTuple):
    """An open table."""

    name: str  # of the file
    columns: tuple[str, ...]  # distinct and not empty
    rows: Iterator[Row]  # each with one cell for every column


@contextmanager
def open_sheet(path: Path) -> Iterator[Sheet]:
    """Open a CSV, plain or gzip-compressed, and read its header.

    Raises:
        DatasetError: here or while rows are read, when the file is not such a table.
        OSError: the file is missing or cannot be read.
    """
    name = named(path)
    # Escaped, a byte that is not UTF-8 survives up to the cell that can be blamed for it.
    with (
        open_gzipped(path) as raw,
        TextIOWrapper(raw, "utf-8-sig", errors="surrogateescape", newline="") as lines,
    ):
        first = lines.readline()
        _check_first_line(first, name)
        rows = _records(itertools.chain([first], lines), name)

        columns = tuple(cell.strip() for cell in next(rows).cells)
        _check_columns(columns, name)
        yield Sheet(name, columns, _rectangular(rows, columns, name))


def refuse_numeric_header(sheet: Sheet) -> None:
    """Stop when the first row can only be data: a header was forgotten."""
    if _all_numbers(sheet.columns):
        raise DatasetError(
            f"{sheet.name}: row 1: expected a header of column names, found only numbers "
            f"({listed(sheet.columns)}); add a first row that names the columns"
        )


def _check_first_line(line: str, name: str) -> None:
    """Recognise what is no comma separated text at all."""
    if not line.strip():
        found = "a blank line" if line else "an empty file"
        raise DatasetError(
            f"{name}: row 1: expected a header of column names, found {found}; "
            "put the names of the columns in the first row"
        )
    if "\0" in line:
        raise DatasetError(
            f"{name}: row 1: expected UTF-8 text, found zero bytes as in UTF-16 or binary data; "
            "save it as CSV UTF-8"
        )

    separator = next((s for s in OTHER_SEPARATORS if s in line), None)
    if separator and "," not in line:
        raise DatasetError(
            f"{name}: row 1: expected columns separated by commas, found "
            f"{OTHER_SEPARATORS[separator]} ({separator!r}); save it with commas"
        )


def _check_columns(columns: tuple[str, ...], name: str) -> None:
    """Every column needs a name of its own."""
    garbled = next((i for i, cell in enumerate(columns) if not is_unicode(cell)), None)
    if garbled is not None:
        raise DatasetError(
            f"{name}: row 1, column {garbled + 1}: expected UTF-8 text, found "
            f"{shown(columns[garbled])}; save it as CSV UTF-8"
        )

    column, count = Counter(columns).most_common(1)[0]
    if count > 1 and column:
        # In data taken for a header, numbers repeat.
        refuse_numeric_header(Sheet(name, columns, iter(())))
        raise DatasetError(
            f"{name}: row 1: expected distinct column names, found {shown(column)} {count} times; "
            "rename or remove all but one"
        )

    if "" in columns:
        raise DatasetError(
            f"{name}: row 1, column {columns.index('') + 1}: expected a column name, found an "
            "empty cell; name or remove the column (pandas writes its index so: use index=False)"
        )


def _records(lines: Iterable[str], name: str) -> Iterator[Row]:
    """The records of the text; a blank line is a record without cells."""
    reader = csv.reader(lines, strict=True)
    line = 1
    try:
        for cells in reader:
            yield Row(line, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise DatasetError(
            f"{name}: row {line}: expected cells separated by commas, any quote closed and quotes "
            f"inside doubled; found otherwise ({error}); correct the quotes of this row"
        ) from error


def _rectangular(rows: Iterator[Row], columns: tuple[str, ...], name: str) -> Iterator[Row]:
    """The rows that follow the header, without blank lines."""
    width = len(columns)
    for line, cells in rows:
        if len(cells) == width:
            yield Row(line, cells)
        elif cells:
            raise DatasetError(_ragged(line, cells, columns, name))
        elif width == 1:
            # Here a blank line is an empty cell; to skip it would misalign the predictions.
            yield Row(line, [""])


def _ragged(line: int, cells: list[str], columns: tuple[str, ...], name: str) -> str:
    """What to tell about a row of the wrong length."""
    missing = len(cells) < len(columns)
    where = f", column {shown(columns[len(cells)])}" if missing else ""
    end = "ends before it" if missing else f"goes on with {shown(cells[len(columns)])}"
    return (
        f"{name}: row {line}{where}: expected {len(columns)} cells as in the header, "
        f"found {len(cells)}: the row {end}; add or remove cells"
    )


def _all_numbers(cells: tuple[str, ...]) -> bool:
    return all(as_number(cell) is not None for cell in cells)
