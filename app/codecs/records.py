"""JSON objects, one for each row, to one float64 array."""

import numpy as np

from app.codecs.documents import Document, is_object, plain_members
from app.codecs.rows import FLOAT32_LARGEST, Batch, Limits, check_cells, check_size, number, refuse
from app.errors import Cell, RequestError, child
from app.talk import quoted


def rows_of_records(
    document: Document, features: list[str], limits: Limits, field: str = "records"
) -> Batch:
    """A matrix from objects that map every feature's name to its number.

    Returns:
        Rows (N, D) in the order of `features`.

    Raises:
        RequestError: as for `rows_of`; missing-field or unknown-field with the feature.
    """
    records = document[field]
    check_size(records, field, limits)
    check_cells(len(records) * len(features), limits)
    matrix, known = np.empty((len(records), len(features))), frozenset(features)
    for i, record in enumerate(records):
        if not is_object(record):
            refuse("invalid-type", f"/{field}/{i}", "an object", record)
        values = plain_members(record, f"/{field}/{i}", known)
        if missing := [name for name in features if name not in values]:
            raise RequestError(
                "missing-field",
                f"record {i} lacks {quoted(missing[0])}"
                + (f" and {len(missing) - 1} more" if len(missing) > 1 else ""),
                Cell(f"/{field}/{i}", "a feature is missing"),
            )
        matrix[i] = [number(values[name], child(f"/{field}/{i}", name)) for name in features]
    too_large = np.abs(matrix) > FLOAT32_LARGEST
    if too_large.any():
        i, column = np.argwhere(too_large)[0]
        place = child(f"/{field}/{i}", features[column])
        raise RequestError(
            "non-finite-input", f"the number at {place} overflows float32", Cell(place, "too large")
        )
    return Batch(matrix, field, flat=False)
