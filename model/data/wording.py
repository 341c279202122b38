"""How values from the user's own files appear in messages: escaped, short, on one line."""

import difflib
from collections.abc import Sequence
from pathlib import Path


def named(path: Path) -> str:
    """The file's name without its folder, escaped if a terminal or JSON could not hold it."""
    return path.name if path.name.isprintable() else repr(path.name)


def shown(text: str) -> str:
    """A cell or name in quotes, escaped, and cut after 40 characters."""
    return repr(text) if len(text) <= 40 else f"{text[:40]!r}..."


def listed(names: Sequence[str]) -> str:
    """The first five names, and how many more there are."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return (", ".join(map(shown, names[:5])) or "nothing") + more


def suggestion(name: str, names: Sequence[str]) -> str:
    """`, did you mean ...?` when one of the names is close, else nothing."""
    # The search is slow; past a thousand columns it would be waited for.
    nearest = difflib.get_close_matches(name, names[:1000], n=1)
    return f", did you mean {shown(nearest[0])}?" if nearest else ""
