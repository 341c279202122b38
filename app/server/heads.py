"""Heads of requests: refused when they are too large, or when two readers could read two things."""

import re
from itertools import chain

import httptools

from app.errors import RequestError
from app.server.limits import Limits

Headers = list[tuple[bytes, bytes]]

_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:%\[\]-]*")  # RFC 3986, host and port
_VERSIONS = ("1.1", "1.0")


def refuse_head(url: bytes, headers: Headers, version: str, limits: Limits) -> None:
    """Refuse a head that is whole, before anything is done for it.

    Args:
        url: as it was sent.
        headers: with their names in lower case.
        version: of HTTP.
        limits: of sizes; headers are counted with colons, blanks and ends of lines.

    Raises:
        RequestError: url-too-long, headers-too-large, bad-request or bad-host.
    """
    _refuse_size(url, headers, limits)
    if version not in _VERSIONS:
        raise RequestError("bad-request", "expected HTTP/1.1 or HTTP/1.0")
    host = _host_of(headers, version)
    if url[:1] != b"/":
        _refuse_target(url, host)


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


def _refuse_size(url: bytes, headers: Headers, limits: Limits) -> None:
    if len(url) > limits.url_bytes:
        raise _url_too_long(limits)
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
    host = hosts[0] if hosts else b""
    if not _HOST.fullmatch(host):
        raise RequestError("bad-host", "expected a host and perhaps a port in the Host header")
    return host


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


def length_of(headers: list[tuple[bytes, bytes]]) -> int:
    """Bytes of the body, where the head tells: what the parser has let pass is a number."""
    told = next((value for name, value in headers if name == b"content-length"), b"")
    return int(told.lstrip(b"0") or 0)  # Python refuses to read a number of thousands of digits
