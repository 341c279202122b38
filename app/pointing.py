"""What the model says of an array, said of the place where the client wrote it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.codecs.documents import is_plain
from app.codecs.rows import Batch
from app.errors import Cell, RequestError
from app.talk import quoted
from model import InvalidInputError, Labels


def label_indices(names: Sequence[Any], classes: Sequence[Any], field: str) -> Labels:
    """Class names as indices into the classes (Any: a class name keeps its JSON type).

    Raises:
        RequestError: unknown-label.
    """
    # With their types, since to Python 1, 1.0 and true are one and the same key.
    position = {(type(name), name): i for i, name in enumerate(classes)}
    for row, name in enumerate(names):
        if is_plain(name) and (type(name), name) in position:
            continue
        shown = ", ".join(map(quoted, list(classes)[:10])) + (", ..." if len(classes) > 10 else "")
        place, detail = f"/{field}/{row}", f"expected one of the classes {shown}"
        raise RequestError("unknown-label", f"{detail} at {place}", Cell(place, detail))
    return np.array([position[type(name), name] for name in names], np.int64)


def pointed_into(batch: Batch, error: InvalidInputError) -> RequestError:
    """What the model says of a row, said of the place where the client wrote it."""
    return RequestError(error.reason, str(error), Cell(batch.pointer(error.row), error.detail))


def pointed(error: InvalidInputError, root: str) -> RequestError:
    """A refusal by the check.

    Args:
        error: its name is a path below `given`, `candidate` or another field of the body.
        root: where `given` stands in the body.
    """
    field, _, rest = (error.name or "given").partition("/")
    place = root if field == "given" else f"/{field}"
    place += f"/{rest}" if rest else ""
    place += "" if error.row is None else f"/{error.row}"
    detail = f"{error.detail} at {place}" if place else error.detail
    return RequestError(error.reason, detail, *([Cell(place, error.detail)] if place else []))
