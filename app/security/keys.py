"""API keys: made at random, kept as digests, each with a name and the scopes it is good for.

    NAME:SCOPE+SCOPE:sha256:DIGEST      as `softlens key` prints it
    NAME:SCOPE+SCOPE:KEY                 hashed when it is read

SHA-256 without salt or rounds is enough for what nobody can guess; that is why short keys are
refused.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable
from typing import NamedTuple

from app.access import SCOPES

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_IN_NAMES = "up to 64 letters, digits, dots, underscores and hyphens"
_KEY = re.compile(r"[A-Za-z0-9._~+/-]{20,200}=*")  # RFC 6750, section 2.1
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_LINE = "NAME:SCOPE+SCOPE:sha256:DIGEST, as `softlens key` prints it"
_MADE_WITH = 32  # random bytes


class Key(NamedTuple):
    """What is known of a key; not the key."""

    name: str
    scopes: frozenset[str]
    digest: bytes  # SHA-256


class KeysError(Exception):
    """A list of keys is of no use. Says where and why, and repeats nothing of it."""


def digest_of(key: bytes) -> bytes:
    """What is kept of a key, and compared."""
    return hashlib.sha256(key).digest()


def make_key(name: str, scopes: Iterable[str]) -> tuple[str, str]:
    """A new key, and the line that makes a server know it.

    Raises:
        KeysError: a name or a scope that cannot be.
    """
    if not _NAME.fullmatch(name):
        raise KeysError(f"expected a name of {_IN_NAMES}")
    key = f"softlens_{secrets.token_urlsafe(_MADE_WITH)}"
    line = f"{name}:{'+'.join(dict.fromkeys(scopes))}:sha256:{digest_of(key.encode()).hex()}"
    _read(line)
    return key, line


def read_keys(text: str, source: str) -> list[Key]:
    """The keys of a text: one to a line, or several between commas; `#` begins a comment line.

    Args:
        text: of a file or a variable.
        source: what to call it.

    Raises:
        KeysError: a line is malformed, a name or a key comes twice, or there is none at all.
    """
    keys: list[Key] = []
    for number, line in enumerate(text.splitlines(), 1):
        for entry in line.split(",") if not line.lstrip().startswith("#") else ():
            if entry.strip():
                try:
                    keys.append(_new(_read(entry.strip()), keys))
                except KeysError as error:
                    raise KeysError(f"{source}, line {number}: {error}") from None
    if not keys:
        raise KeysError(f"{source}: expected at least one key, found none")
    return keys


def _read(entry: str) -> Key:
    name, _, rest = entry.partition(":")
    listed, _, secret = rest.partition(":")
    scopes = frozenset(listed.split("+"))
    if not _NAME.fullmatch(name) or not secret:
        raise KeysError(f"expected {_LINE}, and names of {_IN_NAMES}")
    if not scopes <= set(SCOPES):
        raise KeysError(f"expected scopes of {', '.join(SCOPES)}, with + between them")
    if hashed := _DIGEST.fullmatch(secret):
        return Key(name, scopes, bytes.fromhex(hashed[1]))
    if not _KEY.fullmatch(secret):
        raise KeysError(
            "expected sha256: and 64 hexadecimal digits, or a key of 20 to 200 letters, digits "
            "and any of . _ ~ + / -"
        )
    return Key(name, scopes, digest_of(secret.encode()))


def _new(key: Key, before: list[Key]) -> Key:
    if any(key.name == other.name for other in before):
        raise KeysError("expected each name once")
    if any(key.digest == other.digest for other in before):
        raise KeysError("expected each key once, under one name")
    return key
