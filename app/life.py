"""How far a process is from its end: what the server decides and those who answer must know."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Life:
    """Written by the server alone. Both stay true once they are.

    Attributes:
        draining: the whole server is stopping, so that it is no longer ready.
        closing: every answer is the last one of its connection. A worker that makes room for
            another one closes without draining: the server it belongs to is as ready as ever.
        told: is told that it drains, perhaps by a signal handler.
    """

    draining: bool = False
    closing: bool = False
    told: Callable[[bool], None] | None = None

    def end(self, *, draining: bool) -> None:
        """Close from now on, and drain if the whole server does."""
        self.closing = True
        self.draining = self.draining or draining
        if self.told:
            self.told(self.draining)
