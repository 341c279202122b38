"""How soon a worker that was lost is replaced: at once, unless they keep dying young."""

import time

_YOUNG_SECONDS = 3.0
_FIRST_DELAY_SECONDS = 0.5
_LONGEST_DELAY_SECONDS = 30.0
_EXHAUSTED = 6  # young deaths in a row


class Patience:
    """Doubles the pause before each further replacement while they die young."""

    def __init__(self) -> None:
        self.ever_started = False
        self._deaths = 0  # young ones, in a row
        self._not_before = 0.0  # monotonic

    def started(self) -> None:
        """A worker serves."""
        self.ever_started = True

    def lost(self, served: bool, since: float) -> float:
        """A worker is lost that has served, or been starting, since then.

        Returns:
            The pause before another one is started, in seconds.
        """
        now = time.monotonic()
        old = served and now - since > _YOUNG_SECONDS
        self._deaths = 0 if old else self._deaths + 1
        doublings = self._deaths - 2  # the first one may be an accident
        delay = 0.0
        if doublings >= 0:
            delay = min(_FIRST_DELAY_SECONDS * 2.0**doublings, _LONGEST_DELAY_SECONDS)
        self._not_before = now + delay
        return delay

    def exhausted(self) -> bool:
        """Whether another try is no use where nobody is left to answer."""
        return self._deaths >= _EXHAUSTED

    def over(self) -> bool:
        """Whether the pause is over."""
        return self.left() <= 0

    def left(self) -> float:
        """Seconds that it still takes."""
        return max(0.0, self._not_before - time.monotonic())
