"""The bytes of a request, refused before parsing when they are too many or of another kind."""

from functools import partial

from starlette.requests import ClientDisconnect

from app.calls import Call
from app.codecs.compression import coding_of, inflated, packed
from app.errors import MediaError, RequestError

_USUAL = [b"application/json"]
_SMALL = 2**16  # bytes; so few count for nothing, as many connections as there may be


async def read_json_body(call: Call, largest: int) -> bytes:
    """The whole body of a JSON request.

    Args:
        call: its body is read here, once.
        largest: bytes.

    Raises:
        RequestError: unsupported-media-type or body-too-large.
    """
    check_json(call)
    return await read_body(call, largest)


def check_json(call: Call) -> None:
    """Refuse a body of another kind.

    Raises:
        RequestError: unsupported-media-type.
    """
    types = call.fields(b"content-type")
    if types == _USUAL and b"content-encoding" not in call.named:
        return
    # Repeated headers must agree: a proxy in front may have gone by another of them.
    if {_kind_of(value) for value in types} != set(_USUAL):
        json = "application/json"
        raise MediaError(f"expected Content-Type: {json}", ("Accept", json))
    if {value.lower() for value in call.fields(b"content-encoding")} - {b"identity"}:
        raise packed()


def _kind_of(media_type: bytes) -> bytes:
    """Without its parameters."""
    return media_type.partition(b";")[0].strip().lower()


async def read_inference_body(call: Call, largest: int) -> bytes:
    """The whole body of a request of the Open Inference Protocol, decompressed.

    Its Content-Type is not looked at: the protocol's clients send none, or any.

    Args:
        call: its body is read here, once.
        largest: bytes, as sent and decompressed.

    Raises:
        RequestError: unsupported-media-type, body-too-large or invalid-encoding.
        OverloadedError: too much waits or is in memory already.
        DeadlineError: unpacking it did not begin or end in time.
    """
    coding = coding_of([value.decode("latin-1") for value in call.fields(b"content-encoding")])
    body = await read_body(call, largest)
    if coding is None:
        return body
    content = await call.work(partial(inflated, body, coding, largest))
    if len(content) > _SMALL:
        call.hold(max(0, len(content) - call.held))
    return content


def json_length(call: Call) -> str | None:
    """The header that says how many bytes of a body are JSON, as it was sent.

    Raises:
        RequestError: invalid-value, where it was sent twice and differs.
    """
    found = set(call.fields(b"inference-header-content-length"))
    if len(found) > 1:
        raise RequestError("invalid-value", "expected one Inference-Header-Content-Length")
    return found.pop().decode("latin-1") if found else None


async def read_body(call: Call, largest: int) -> bytes:
    """The whole body as it was sent.

    Raises:
        RequestError: body-too-large.
    """
    if call.arrived is not None and len(call.arrived) <= min(largest, _SMALL):
        return call.arrived
    for declared in call.fields(b"content-length"):
        digits = declared.lstrip(b"0")  # Python refuses to read a number of thousands of digits
        if digits.isdigit() and (len(digits) > 19 or int(digits) > largest):
            raise _too_large(largest)
    chunks, size, more = [], 0, True
    while more:
        message = await call.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message["body"])
        size += len(chunks[-1])
        if size > largest:
            raise _too_large(largest)
        if size > _SMALL:
            call.hold(size - call.held)
        more = message["more_body"]
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(largest: int) -> RequestError:
    return RequestError("body-too-large", f"expected a body of at most {largest} bytes")
