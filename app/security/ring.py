"""The keys that are good at the moment, from the environment and from a file that may change."""

import logging
import time
from hmac import compare_digest
from pathlib import Path

from app import exit_codes
from app.failures import StartError
from app.security.keys import Key, KeysError, digest_of, read_keys

log = logging.getLogger("softlens")

_LARGEST_FILE = 2**20  # bytes
_LOOK_AGAIN = 1.0  # seconds, after which the file is read anew


class KeyRing:
    """Keys, looked up by what a client sends."""

    def __init__(self, fixed: str, file: Path | None) -> None:
        """Read them.

        Args:
            fixed: keys as text, from the environment; empty for none.
            file: of more of them, which is read again when it changes; None for none.

        Raises:
            KeysError: they are of no use, or cannot be read.
        """
        self._fixed = fixed
        self._file = file
        self._content = b""
        self._trouble = ""
        if file is not None:
            self._content = _content(file)
        self._take(self._parsed(self._content))

    def find(self, key: bytes) -> Key | None:
        """What is known of a key that a client sends; None for one that nobody was given.

        The time that it takes tells whether the digest of what was sent begins with the same two
        bytes as that of some key. That brings nobody nearer to a key: whoever could choose the
        digest could undo SHA-256. Whether the digests are equal is decided in constant time.
        """
        if self._file is not None and time.monotonic() >= self._again:
            self._look(self._file)
        digest, found = digest_of(key), None
        for known in self._near.get(_near(digest), ()):
            if compare_digest(known.digest, digest):
                found = known
        return found

    def all(self) -> list[Key]:
        """Every key."""
        return [key for near in self._near.values() for key in near]

    def _look(self, file: Path) -> None:
        """Take the file's keys if it has changed; those of before stay if that is of no use."""
        self._again = time.monotonic() + _LOOK_AGAIN
        try:
            content = _content(file)
            if content == self._content:
                self._trouble = ""
                return
            keys = self._parsed(content)
        except KeysError as error:
            if self._trouble != str(error):
                log.warning("%s; the keys of before stay", error)
            self._trouble = str(error)
            return
        self._content, self._trouble = content, ""
        self._take(keys)
        log.info("keys were read anew: %d", len(keys))

    def _parsed(self, content: bytes) -> list[Key]:
        """All keys, with what the file has in it."""
        keys = read_keys(self._fixed, "SOFTLENS_KEYS") if self._fixed else []
        if self._file is None:
            return keys
        try:
            text = content.decode("ascii")
        except UnicodeDecodeError:
            raise KeysError("SOFTLENS_KEYS_FILE: expected ASCII text") from None
        added = read_keys(text, "SOFTLENS_KEYS_FILE")
        if _both(keys, added):
            raise KeysError(
                "SOFTLENS_KEYS_FILE: expected no name and no key that SOFTLENS_KEYS has too"
            )
        return keys + added

    def _take(self, keys: list[Key]) -> None:
        self._again = time.monotonic() + _LOOK_AGAIN
        self._near: dict[bytes, list[Key]] = {}
        for key in keys:
            self._near.setdefault(_near(key.digest), []).append(key)


def key_ring(fixed: str, file: Path | None) -> KeyRing | None:
    """The keys that are set; None where nobody has set any, and everyone may ask.

    Raises:
        StartError: they are of no use.
    """
    if not fixed and file is None:
        return None
    try:
        return KeyRing(fixed, file)
    except KeysError as error:
        raise StartError(str(error), exit_codes.CONFIGURATION) from None


def _both(keys: list[Key], others: list[Key]) -> bool:
    known = {part for key in keys for part in (key.name, key.digest)}
    return any(key.name in known or key.digest in known for key in others)


def _near(digest: bytes) -> bytes:
    return bytes(digest[:2])


def _content(file: Path) -> bytes:
    """The file, whole: its times and size may stay the same when its keys do not."""
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise KeysError(f"SOFTLENS_KEYS_FILE: cannot be read: {error.strerror}") from None
    if len(content) > _LARGEST_FILE:
        raise KeysError(f"SOFTLENS_KEYS_FILE: expected at most {_LARGEST_FILE} bytes")
    return content
