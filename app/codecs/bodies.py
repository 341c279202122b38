"""The bytes of a request, refused before parsing when they are too many or of another kind."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from app.codecs.compression import coding_of, inflated
from app.errors import RequestError


async def read_json_body(request: Request, largest: int) -> bytes:
    """The whole body of a JSON request.

    Args:
        request: its body is read here, once.
        largest: bytes.

    Raises:
        RequestError: unsupported-media-type or body-too-large.
    """
    headers = request.headers
    # Repeated headers must agree: a proxy in front may have gone by another of them.
    types = {value.partition(";")[0].strip().lower() for value in headers.getlist("content-type")}
    if types != {"application/json"}:
        raise RequestError("unsupported-media-type", "expected Content-Type: application/json")
    if {value.lower() for value in headers.getlist("content-encoding")} - {"identity"}:
        raise RequestError("unsupported-media-type", "expected a body without Content-Encoding")

    return await read_body(request, largest)


async def read_inference_body(request: Request, largest: int) -> bytes:
    """The whole body of a request of the Open Inference Protocol, decompressed.

    Its Content-Type is not looked at: the protocol's clients send none, or any.

    Args:
        request: its body is read here, once.
        largest: bytes, as sent and decompressed.

    Raises:
        RequestError: unsupported-media-type, body-too-large or invalid-encoding.
    """
    coding = coding_of(request.headers.getlist("content-encoding"))
    body = await read_body(request, largest)
    return body if coding is None else await run_in_threadpool(inflated, body, coding, largest)


def json_length(request: Request) -> str | None:
    """The header that says how many bytes of a body are JSON, as it was sent.

    Raises:
        RequestError: invalid-value, where it was sent twice and differs.
    """
    found = set(request.headers.getlist("inference-header-content-length"))
    if len(found) > 1:
        raise RequestError("invalid-value", "expected one Inference-Header-Content-Length")
    return found.pop() if found else None


async def read_body(request: Request, largest: int) -> bytes:
    """The whole body as it was sent.

    Raises:
        RequestError: body-too-large.
    """
    declared = request.headers.get("content-length", "0")
    digits = declared.lstrip("0")  # Python refuses to read a number of thousands of digits
    if digits.isdecimal() and (len(digits) > 19 or int(digits) > largest):
        raise _too_large(largest)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > largest:
            raise _too_large(largest)
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(largest: int) -> RequestError:
    return RequestError("body-too-large", f"expected a body of at most {largest} bytes")
