"""Bodies that travel compressed: inflated up to a limit, and compressed where a client asks."""

import gzip
import zlib

from app.errors import MediaError, RequestError

_WINDOWS = {"gzip": 31, "deflate": 15}  # of zlib; what HTTP calls deflate has zlib's own header
_QUICKLY = 1  # the level: an answer is sent once


def coding_of(encodings: list[str]) -> str | None:
    """How a body is compressed, by its headers Content-Encoding; None where it is not.

    Raises:
        MediaError: in any other way or in two.
    """
    codings = {value.strip().lower() for value in encodings} - {"identity"}
    if not codings:
        return None
    if len(codings) > 1 or not codings <= _WINDOWS.keys():
        known = ", ".join(_WINDOWS)
        raise MediaError(f"expected Content-Encoding {known} or none", ("Accept-Encoding", known))
    return codings.pop()


def packed() -> MediaError:
    """The refusal of a compressed body where none is read."""
    return MediaError("expected a body without Content-Encoding", ("Accept-Encoding", "identity"))


def accepted(encodings: str) -> str | None:
    """How an answer may be compressed, by the header Accept-Encoding; None where it may not.

    Of equals the first one named is taken.
    """
    best, weight = None, 0.0
    for part in encodings.lower().split(","):
        coding, _, parameter = part.partition(";")
        quality = _quality(parameter)
        if coding.strip() in _WINDOWS and quality > weight:
            best, weight = coding.strip(), quality
    return best


def _quality(parameter: str) -> float:
    """The number of `q=0.5`, 1 where there is none."""
    name, _, digits = parameter.strip().partition("=")
    try:
        return float(digits) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


def inflated(body: bytes, coding: str, largest: int) -> bytes:
    """A compressed body in full.

    Raises:
        RequestError: body-too-large as soon as it passes `largest` bytes; invalid-encoding when
            it is damaged, cut short, or followed by something.
    """
    stream = zlib.decompressobj(_WINDOWS[coding])
    try:
        content = stream.decompress(body, largest + 1)
    except zlib.error:
        raise RequestError("invalid-encoding", f"the body is not {coding}") from None
    if len(content) > largest:
        detail = f"expected a body of at most {largest} bytes when decompressed"
        raise RequestError("body-too-large", detail)
    if not stream.eof or stream.unused_data:
        what = "followed by something" if stream.eof else "cut short"
        raise RequestError("invalid-encoding", f"the {coding} body is {what}")
    return content


def compressed(content: bytes, coding: str) -> bytes:
    """An answer as a client asked for it; `coding` comes from `accepted`."""
    if coding == "gzip":
        return gzip.compress(content, _QUICKLY, mtime=0)
    return zlib.compress(content, _QUICKLY)
