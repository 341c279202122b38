"""Bytes to a response, with the headers that all answers have."""

from collections.abc import Iterable
from typing import TypeAlias

from starlette.responses import Response

Headers: TypeAlias = list[tuple[bytes, bytes]]  # names in small letters

JSON = b"application/json"
PROBLEM = b"application/problem+json"
BINARY = b"application/octet-stream"
CSV = b"text/csv; charset=utf-8"

# Answers depend on the model of the moment; nothing between us and the client may keep them.
_ALWAYS: Headers = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


class Reply(Response):
    """A response of bytes that are there already, made without looking its headers over."""

    def __init__(
        self,
        body: bytes,
        media_type: bytes = JSON,
        status: int = 200,
        headers: Iterable[tuple[bytes, bytes]] = (),
    ) -> None:
        self.status_code = status
        self.body = body
        self.background = None
        self.raw_headers = [
            (b"content-type", media_type),
            (b"content-length", b"%d" % len(body)),
            *_ALWAYS,
            *headers,
        ]
