"""Answers that the application has no part in, because the request never came to it."""

import logging
from typing import NamedTuple

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from app.calls import id_of
from app.codecs import answers
from app.errors import RequestError, describe
from app.server.limits import Limits

log = logging.getLogger("softlens")

_AWAITED = {  # by the field of Limits
    "header_seconds": "the head of a request",
    "body_seconds": "the next part of a body",
    "request_seconds": "a whole request",
}


class Refused(NamedTuple):
    """What is known of a request that is refused, perhaps before much of it came."""

    url: bytes = b""
    method: bytes = b""
    headers: list[tuple[bytes, bytes]] = []  # noqa: RUF012  never changed


def last_answer(error: Exception, refused: Refused, always: list[tuple[bytes, bytes]]) -> bytes:
    """The whole answer to a request that is refused; no other follows on its connection.

    Args:
        error: why.
        refused: its path decides the shape of the answer.
        always: headers that every answer has.
    """
    path, name = refused.url.partition(b"?")[0].decode("latin-1"), id_of(refused.headers)
    answer = answers.refusal(describe(error), path, name)
    headers = [*always, *answer.raw_headers, (b"x-request-id", name.encode())]
    lines = b"".join(b"%s: %s\r\n" % header for header in headers)
    head = b"%s%sconnection: close\r\n\r\n" % (STATUS_LINE[answer.status_code], lines)
    return head if refused.method == b"HEAD" else head + bytes(answer.body)


def too_slow(late: str, limits: Limits) -> RequestError:
    """The refusal of a request that does not come, by the field of `limits` whose time is over."""
    seconds = getattr(limits, late)
    return RequestError(
        "request-timeout",
        f"expected {_AWAITED[late]} within {seconds:g} seconds (SOFTLENS_{late.upper()})",
    )


def reason_of(error: httptools.HttpParserError) -> Exception:
    """Why the parser stopped: what a callback raised, or what is no HTTP."""
    cause = error.__context__
    if isinstance(cause, RequestError):
        return cause
    if cause is None:
        # The parser's own words, which never repeat what was sent.
        return RequestError("bad-request", f"expected HTTP/1.1: {error}")
    log.error("reading a request failed", exc_info=cause)
    return error
