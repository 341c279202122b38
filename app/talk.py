"""Words to people, on a terminal or in a log: whole lines, and nothing that a terminal obeys."""

import codecs
import os
import sys

# Looked up here, because it is read from a file when it is wanted for the first time.
_escaped = codecs.getencoder("unicode_escape")


def printable(text: str) -> str:
    r"""The text with whatever a terminal would not show escaped, so that ESC is `\x1b`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c)[0].decode() for c in text)


def shortened(text: str, most: int = 40) -> str:
    """The text printable, and cut after so many characters."""
    return printable(text if len(text) <= most else f"{text[:most]}...")


def quoted(name: object) -> str:
    """A name or a number as Python writes it, escaped, and cut after 40 characters."""
    text = repr(name)
    return text if len(text) <= 42 else f"{text[:42]}..."


def say(line: str) -> None:
    """Print one line on stderr. That nobody can hear it is no reason to fail."""
    if sys.stderr is None:
        return
    try:
        print(printable(line), file=sys.stderr, flush=True)  # noqa: T201  talk
    except OSError:
        # Python would try once more at its end, and fail for it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
