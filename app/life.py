"""How far a process is from its end: what the server decides and those who answer must know."""

from dataclasses import dataclass


@dataclass
class Life:
    """Written by the server alone. Both stay true once they are.

    Attributes:
        draining: the whole server is stopping, so that it is no longer ready.
        closing: every answer is the last one of its connection. A worker that makes room for
            another one closes without draining: the server it belongs to is as ready as ever.
    """

    draining: bool = False
    closing: bool = False
