"""Bytes to a response, with the headers that all answers have."""

from typing import TypeAlias

from starlette.responses import Response

Headers: TypeAlias = list[tuple[bytes, bytes]]  # names in small letters

JSON = b"application/json"
PROBLEM = b"application/problem+json"
BINARY = b"application/octet-stream"
CSV = b"text/csv; charset=utf-8"

# Answers depend on the model of the moment; nothing between us and the client may keep them.
_ALWAYS: Headers = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
_LINES = {  # of the usual answers, but for their length
    kind: b"".join(
        b"%b: %b\r\n" % header
        for header in [(b"content-type", kind), (b"content-length", b"%d"), *_ALWAYS]
    )
    for kind in (JSON, PROBLEM, BINARY, CSV)
}


class Reply(Response):
    """A response of bytes that are there already, made without looking its headers over."""

    def __init__(
        self,
        body: bytes,
        media_type: bytes = JSON,
        status: int = 200,
        headers: Headers | None = None,
    ) -> None:
        self.status_code = status
        self.body = body
        self.background = None
        self._media_type = media_type
        self._others = headers

    @property
    def raw_headers(self) -> Headers:  # type: ignore[override]  # an attribute of Starlette's
        """All of them."""
        others = self._others or []
        length = (b"content-length", b"%d" % len(self.body))
        return [(b"content-type", self._media_type), length, *_ALWAYS, *others]


def lines_of(response: Response) -> bytes:
    """Its headers as they are sent, each with the end of its line.

    Raises:
        ValueError: one of them has the end of a line in it.
    """
    if type(response) is Reply and not response._others:
        lines = _LINES.get(response._media_type)
        if lines is not None:
            return lines % len(response.body)
    headers = response.raw_headers
    lines = b"".join([b"%b: %b\r\n" % header for header in headers])
    if lines.count(b"\n") != len(headers) or lines.count(b"\r") != len(headers):
        raise ValueError("a header of an answer is more than one line")
    return lines
