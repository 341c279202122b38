"""What a mistake is: its name, what it says to the person who made it, and what it computes."""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from model.arrays import Floats

Where = TypeVar("Where")


class Mistake(NamedTuple):
    """A way in which gradients of this network go wrong, in words and NumPy."""

    slug: str
    explanation: str  # one sentence
    wrong: str  # what was written, in NumPy
    right: str  # the line that mends it
    see: str  # how to see it without this tool
    convention: bool = False  # right under another convention, which the explanation names


class Wrong(NamedTuple, Generic[Where]):
    """A mistake and what it computes; several formulas when it is made in several ways."""

    mistake: Mistake
    formulas: tuple[Callable[[Where], Floats], ...]
    possible: Callable[[Where], bool] = lambda where: True  # whether it can be made there


def arrays(wrong: Wrong[Where], where: Where) -> list[Floats]:
    """What each way of making the mistake computes; nothing where it cannot be made."""
    return [formula(where) for formula in wrong.formulas] if wrong.possible(where) else []
