"""Heads of requests: refused when they are too large, or when two readers could read two things."""

import re
from itertools import chain
from typing import NamedTuple

import httptools

from app.errors import RequestError
from app.server.limits import Limits

Headers = list[tuple[bytes, bytes]]

_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:%\[\]-]*")  # RFC 3986, host and port
_VERSIONS = ("1.1", "1.0")


class Head(NamedTuple):
    """The head of a request."""

    url: bytes  # as it was sent
    headers: Headers  # with their names in lower case
    version: str  # of HTTP
    most: int  # bytes that it has at most, all of it


def refuse_head(head: Head, limits: Limits) -> int:
    """Refuse a head that is whole, before anything is done for it.

    Args:
        head: of a request.
        limits: of sizes; headers are counted with colons, blanks and ends of lines.

    Returns:
        Bytes of the body, where the head tells.

    Raises:
        RequestError: url-too-long, headers-too-large, bad-request or bad-host.
    """
    url, headers, version, most = head
    if most > limits.header_bytes or len(headers) > limits.headers:
        _refuse_size(headers, limits)
    if len(url) > limits.url_bytes:
        raise _url_too_long(limits)
    if version not in _VERSIONS:
        raise RequestError("bad-request", "expected HTTP/1.1 or HTTP/1.0")
    fields = dict(headers)
    host = fields.get(b"host")
    if host is None or len(fields) != len(headers) or b"transfer-encoding" in fields:
        host = _host_of(headers, version)
    if not _HOST.fullmatch(host):
        raise RequestError("bad-host", "expected a host and perhaps a port in the Host header")
    if url[:1] != b"/":
        _refuse_target(url, host)
    # What the parser has let pass is a number; Python refuses to read thousands of digits.
    return int(fields.get(b"content-length", b"").lstrip(b"0") or 0)


def without_upgrade(method: bytes, url: bytes, version: str, headers: Headers) -> bytes:
    """A head again, without the wish for another protocol."""
    lines = [b"%s: %s\r\n" % header for header in headers if header[0] != b"upgrade"]
    return b"%s %s HTTP/%s\r\n%s\r\n" % (method, url, version.encode(), b"".join(lines))


def unfinished(url: bytes, headers: Headers, limits: Limits) -> RequestError:
    """The refusal of a head, or of trailers, that are too large already and still not whole."""
    if not headers and len(url) > limits.url_bytes:
        return _url_too_long(limits)
    return _headers_too_large(limits)


def no_path() -> RequestError:
    """The refusal of a URL that cannot be taken apart."""
    return RequestError("bad-request", "expected a path that begins with /, in ASCII characters")


def _refuse_size(headers: Headers, limits: Limits) -> None:
    if len(headers) > limits.headers:
        detail = f"expected at most {limits.headers} headers (SOFTLENS_MAX_HEADERS)"
        raise RequestError("headers-too-large", detail)
    if sum(map(len, chain.from_iterable(headers))) + 4 * len(headers) > limits.header_bytes:
        raise _headers_too_large(limits)


def _host_of(headers: Headers, version: str) -> bytes:
    """The one host that is asked, which HTTP/1.0 need not name."""
    hosts = []
    for name, value in headers:
        if name == b"host":
            hosts.append(value)
        elif name == b"transfer-encoding" and value.lower() != b"chunked":
            raise RequestError("bad-request", "expected no Transfer-Encoding but chunked")
    if len(hosts) > 1 or not (hosts or version == "1.0"):
        raise RequestError("bad-request", f"expected one Host header, found {len(hosts)}")
    return hosts[0] if hosts else b""


def _refuse_target(url: bytes, host: bytes) -> None:
    """Refuse what does not begin with a slash, and is not for the host of the Host header either.

    Raises:
        RequestError: bad-request or bad-host.
    """
    try:
        target = httptools.parse_url(url)
    except httptools.HttpParserInvalidURLError:
        raise no_path() from None
    if target.path is None:
        raise no_path()
    if target.schema is not None:
        authority = re.split(rb"[/?#]", url.partition(b"://")[2], maxsplit=1)[0]
        if authority.lower() != host.lower():
            raise RequestError("bad-host", "expected the host of the URL in the Host header")


def _url_too_long(limits: Limits) -> RequestError:
    return RequestError(
        "url-too-long",
        f"expected a URL of at most {limits.url_bytes} bytes (SOFTLENS_MAX_URL_BYTES)",
    )


def _headers_too_large(limits: Limits) -> RequestError:
    return RequestError(
        "headers-too-large",
        f"expected headers of at most {limits.header_bytes} bytes (SOFTLENS_MAX_HEADER_BYTES)",
    )
