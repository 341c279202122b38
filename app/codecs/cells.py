"""Long arrays looked at some thousands of elements at a time.

To make Python's own of millions of elements at once would hold the interpreter for tenths of a
second.
"""

from collections.abc import Iterator
from itertools import islice

from app.codecs.documents import Value

_SLICE = 2**16  # elements


def slices(array: Value) -> Iterator[tuple[int, list[Value]]]:
    """Where each slice begins, and its elements; one that is empty for an empty array."""
    elements = iter(array)  # simdjson's would begin anew for each element of a slice
    for start in range(0, max(len(array), 1), _SLICE):
        yield start, list(islice(elements, _SLICE))
