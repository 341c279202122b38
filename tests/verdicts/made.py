"""Which lines of somebody's program are wrong.

The programs beside this module are somebody's own backprop, with one line wrong at a time: what
people write, not what we catalogue. They share nothing with the package that judges them. Every
step is a table: its right line first, then the wrong ones by the slug that they must be given.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias, TypeVar

from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]  # Any: float32 or float64, as the program runs
Real: TypeAlias = Any  # a scalar in the type that the program runs in
Answer: TypeAlias = dict[str, Array]
Given: TypeAlias = dict[str, Any]  # Any: arrays, numbers, and the name of the activation

Line = TypeVar("Line")

RIGHT = "right"


class Made(NamedTuple):
    """Mistakes, and which of their forms: the number or the variant that each needs."""

    slugs: frozenset[str] = frozenset()
    form: int = 0

    def line(self, table: Mapping[str, Line]) -> Line:
        """The line of a step: a wrong one if it was made."""
        return next((table[slug] for slug in table if slug in self.slugs), table[RIGHT])


def made(*slugs: str, form: int = 0) -> Made:
    return Made(frozenset(slugs), form)
