"""Raw labels, as read from a file, to classes and class indices."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from model.arrays import Labels
from model.data.wording import listed, shown
from model.errors import DatasetError

Label: TypeAlias = str | int | float
Classes: TypeAlias = tuple[str, ...] | tuple[int, ...] | tuple[float, ...]
Locate: TypeAlias = Callable[[int], str]  # the index of a row, from 0, to where a person finds it

_INTEGER = re.compile(r"[+-]?[0-9]+")


class EncodedLabels(NamedTuple):
    """The classes, and for every row which of them it is."""

    classes: Classes  # C distinct values, sorted
    indices: Labels  # (N,)


def encode_labels(raw: Sequence[Label], locate: Locate) -> EncodedLabels:
    """Find the classes among the labels and number them in sorted order.

    If every label is a whole number (as "3" and "3.0" are) the classes are integers; if every one
    is a finite number they are floats; otherwise they are text.

    Args:
        raw: N labels as the file holds them; blanks around text do not count.
        locate: where the label with a given index stands, for messages.

    Raises:
        DatasetError: a label is empty, NaN or not UTF-8.
    """
    distinct = dict.fromkeys(raw)
    _refuse_unusable(raw, distinct, locate)

    meaning = _meaning(distinct)
    classes = sorted(set(meaning.values()))
    position = {value: i for i, value in enumerate(classes)}

    index = {label: position[meaning[label]] for label in distinct}
    indices = np.fromiter((index[label] for label in raw), np.int64, len(raw))
    return EncodedLabels(tuple(classes), indices)  # type: ignore[arg-type]  # of one type: _meaning


def find_labels(raw: Sequence[Label], known: Sequence[Label], locate: Locate) -> EncodedLabels:
    """Number labels by the classes of a model, whichever of them occur.

    A label is a class when both are the same number or the same text.

    Args:
        raw: N labels as the file holds them; blanks around text do not count.
        known: C classes, in the model's order.
        locate: where the label with a given index stands, for messages.

    Raises:
        DatasetError: a label is empty, NaN, not UTF-8 or none of the classes.
    """
    distinct = dict.fromkeys(raw)
    _refuse_unusable(raw, distinct, locate)

    position = {_comparable(name): i for i, name in enumerate(known)}
    index = {label: position.get(_comparable(label), -1) for label in distinct}
    indices = np.fromiter((index[label] for label in raw), np.int64, len(raw))
    if (indices < 0).any():
        row = int((indices < 0).argmax())
        raise DatasetError(
            f"{locate(row)}: expected a class the model knows "
            f"({listed(list(map(str, known)))}), found {shown(str(raw[row]))}; "
            "evaluate on data with the model's classes"
        )
    return EncodedLabels(tuple(known), indices)  # type: ignore[arg-type]  # of one type, as in encode_labels


def _comparable(label: Label) -> Label:
    """The number a label stands for, or else its text."""
    number = as_number(label.strip() if isinstance(label, str) else label)
    return str(label).strip() if number is None or math.isnan(number) else number


def as_number(value: Label) -> int | float | None:
    """The number that text in a file stands for, NaN and infinities included; None if it is none.

    float() alone would also take "1_000" and the digits of every script; other programs do not.
    """
    if not isinstance(value, str):
        return value
    # Longer ones cannot be compared with floats.
    if len(value) <= 300 and _INTEGER.fullmatch(value):
        return int(value)
    try:
        return None if "_" in value or not value.strip().isascii() else float(value)
    except ValueError:
        return None


def _meaning(distinct: Iterable[Label]) -> dict[Label, Label]:
    """Every distinct label and the class it stands for, all of one type."""
    texts = {label: label.strip() if isinstance(label, str) else label for label in distinct}
    numbers = {label: as_number(text) for label, text in texts.items()}

    finite = {label: n for label, n in numbers.items() if n is not None and math.isfinite(n)}
    if len(finite) < len(numbers):
        return {label: str(text) for label, text in texts.items()}
    if all(_is_int64(n) for n in finite.values()):
        return {label: int(n) for label, n in finite.items()}
    if all(isinstance(n, int) for n in finite.values()):
        # Integers too long for 64 bits are identifiers; as floats, two could become one.
        return {label: str(text) for label, text in texts.items()}
    return {label: float(n) for label, n in finite.items()}


def _is_int64(number: float) -> bool:
    """Whether it is a whole number that fits 64 bits, the most that JSON readers take."""
    return -(2**63) <= number < 2**63 and number == math.floor(number)


def _refuse_unusable(raw: Sequence[Label], distinct: Iterable[Label], locate: Locate) -> None:
    """Name the first row whose label cannot be a class."""
    faults = {label: fault for label in distinct if (fault := _fault(label))}
    if not faults:
        return

    row = next(i for i, label in enumerate(raw) if label in faults)
    raise DatasetError(
        f"{locate(row)}: expected a label, found {faults[raw[row]]}; correct it or remove the row"
    )


def _fault(label: Label) -> str | None:
    """What makes a label unusable, or None."""
    number = as_number(label)
    if number is not None and math.isnan(number):
        return "NaN"
    if not isinstance(label, str):
        return None if math.isfinite(label) else "an infinity"
    if not label.strip():
        return "nothing"
    return None if is_unicode(label) else f"{shown(label)}, which is not UTF-8"


def is_unicode(text: str) -> bool:
    """Whether every byte the text was read from was UTF-8, and JSON can therefore hold it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
