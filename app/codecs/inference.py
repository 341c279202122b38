"""The body of an inference request of the Open Inference Protocol: JSON, then perhaps raw bytes."""

from collections.abc import Collection
from typing import NamedTuple, NoReturn

from app.codecs.documents import (
    Document,
    Value,
    is_array,
    is_object,
    kind,
    members,
    read_document,
)
from app.codecs.rows import Batch, Limits
from app.codecs.tensors import Head, batch_of_bytes, batch_of_json, head_of
from app.errors import Cell, RequestError
from model.gradients import Question

INPUT = "inputs"  # the name of the one input
RANKED = ("probabilities", "logits")  # outputs with a number for each class, given unasked
DERIVED = {  # outputs only given when asked for
    "jacobian": Question("probabilities", "logits"),
    "input_gradient": Question("probabilities", "inputs"),
}
_LONGEST_ID = 256  # characters


class Wanted(NamedTuple):
    """An output, and the form it shall have."""

    name: str
    binary: bool = False
    classes: int = 0  # so many of the likeliest as text; 0 for the numbers themselves


class Inference(NamedTuple):
    """A batch, and which outputs of it are wanted."""

    id: str  # empty where there is none
    batch: Batch
    outputs: list[Wanted]


class Offer(NamedTuple):
    """What a request is held against."""

    width: int  # of a row
    outputs: Collection[str]  # names
    limits: Limits


def decode_inference(body: bytes, header: str | None, offer: Offer) -> Inference:
    """What a body asks for.

    Args:
        body: JSON, then the bytes of the input if it is binary.
        header: `Inference-Header-Content-Length`, the bytes of JSON; 0 for a body without any,
            None for one that has nothing else.
        offer: what there is.

    Raises:
        RequestError: with the slug of the first thing that is wrong.
    """
    length = text_length(header, len(body))
    if length == 0 and header is not None:
        return _raw(body, offer)
    text = body if length == len(body) else body[:length]
    document = read_document(text, fields=None, long=(f"{INPUT}/0/data",))

    by_default = _flag(_parameters(document, ""), "binary_data_output", "")
    inputs, outputs = document.get("inputs"), _array(document, "outputs")
    arrays = 2 + (document.get("outputs") is not None)  # inputs, its shape, and perhaps outputs
    batch = _batch(_only(inputs), body, length, arrays, offer.limits)
    if len(outputs) > len(offer.outputs):
        _refuse("invalid-value", "/outputs", "each output once")
    wanted = [_wanted(output, i, by_default, offer) for i, output in enumerate(outputs)]
    _refuse_twins([one.name for one in wanted])
    return Inference(
        _identifier(document), batch, wanted or [Wanted(name, by_default) for name in RANKED]
    )


def text_length(header: str | None, size: int) -> int:
    """How many bytes of a body of this size are JSON.

    Raises:
        RequestError: invalid-value.
    """
    if header is None:
        return size
    # Python refuses to read a number of thousands of digits.
    if not (header.isascii() and header.isdecimal()) or len(header) > 19 or int(header) > size:
        detail = f"expected Inference-Header-Content-Length to be an integer from 0 to {size}"
        raise RequestError("invalid-value", detail)
    return int(header)


def _raw(body: bytes, offer: Offer) -> Inference:
    """A body that is nothing but the input, in FP32: as many rows as it has."""
    row = 4 * offer.width
    if not body or len(body) % row:
        detail = f"expected a multiple of {row} bytes, {offer.width} FP32 for each row"
        raise RequestError("wrong-size", f"{detail}, got {len(body)}")
    # Judged as any other shape is, for its limits.
    head = head_of("FP32", [len(body) // row, offer.width], "", offer.limits)
    return Inference("", batch_of_bytes(head, body, 0), [Wanted(name, True) for name in RANKED])


def _only(inputs: Value) -> Document:
    """The one input."""
    if not is_array(inputs):
        _refuse("missing-field", "/inputs", f"an array of one input, `{INPUT}`")
    if len(inputs) != 1:
        _refuse("wrong-shape", "/inputs", f"one input, `{INPUT}`, got {len(inputs)}")
    found = _object(inputs[0], "/inputs/0")
    if found.get("name") != INPUT:
        _refuse("invalid-value", "/inputs/0/name", f"`{INPUT}`, the only input")
    return found


def _batch(found: Document, body: bytes, length: int, arrays: int, limits: Limits) -> Batch:
    """The input, from JSON or from the bytes behind it, whichever it says."""
    parameters = _parameters(found, "/inputs/0")
    _refuse_shared_memory(parameters)
    head = head_of(found.get("datatype"), found.get("shape"), "/inputs/0", limits)
    size = parameters.get("binary_data_size")
    if (size is None) == ("data" not in found):
        _refuse("missing-field", "/inputs/0", "either `data` or `parameters.binary_data_size`")
    if size is None:
        _check_rest(0, len(body) - length)
        return batch_of_json(head, found["data"], body[:length], arrays, limits)
    return _binary(head, size, body, length)


def _binary(head: Head, size: Value, body: bytes, length: int) -> Batch:
    place = "/inputs/0/parameters/binary_data_size"
    if type(size) is not int or size != head.bytes:
        _refuse("wrong-size", place, f"{head.bytes} bytes, as datatype and shape say")
    _check_rest(size, len(body) - length)
    return batch_of_bytes(head, body, length)


def _check_rest(expected: int, found: int) -> None:
    if expected != found:
        detail = f"expected {expected} bytes after the JSON, got {found}"
        raise RequestError("wrong-size", detail)


def _wanted(output: Value, number: int, by_default: bool, offer: Offer) -> Wanted:
    place = f"/outputs/{number}"
    found = _object(output, place)
    name, parameters = found.get("name"), _parameters(found, place)
    if not isinstance(name, str) or name not in offer.outputs:
        _refuse("invalid-value", f"{place}/name", f"one of {', '.join(offer.outputs)}")
    _refuse_shared_memory(parameters)

    classes = parameters.get("classification", 0)
    if type(classes) is not int or classes < 0:
        _refuse("invalid-value", f"{place}/parameters/classification", "a number of classes")
    if classes and name not in RANKED:
        detail = f"classes of {' or '.join(RANKED)}"
        _refuse("invalid-value", f"{place}/parameters/classification", detail)
    binary = "binary_data" in parameters
    return Wanted(name, _flag(parameters, "binary_data", place) if binary else by_default, classes)


def _refuse_twins(names: list[str]) -> None:
    for i, name in enumerate(names):
        if name in names[:i]:
            _refuse("invalid-value", f"/outputs/{i}/name", "each output once")


def _refuse_shared_memory(parameters: Document) -> None:
    if any(key.startswith("shared_memory_") for key in parameters):
        raise RequestError("not-implemented", "there is no shared memory here: send the tensor")


def _identifier(document: Document) -> str:
    found = "" if document.get("id") is None else document["id"]
    if not isinstance(found, str) or len(found) > _LONGEST_ID:
        _refuse("invalid-value", "/id", f"text of at most {_LONGEST_ID} characters")
    return found


def _parameters(holder: Document, pointer: str) -> Document:
    """The parameters of a request, an input or an output: names with plain values."""
    place = f"{pointer}/parameters"
    found = holder.get("parameters")
    parameters = {} if found is None else _object(found, place)
    for key, value in parameters.items():
        if not isinstance(value, str | int | float):  # which a boolean is
            _refuse("invalid-type", place, f"text, numbers and booleans, got {kind(value)}")
        if key.startswith("triton_"):
            _refuse("invalid-value", place, "no names that begin with triton_, they are reserved")
    return parameters


def _flag(parameters: Document, key: str, pointer: str) -> bool:
    found = parameters.get(key, False)
    if not isinstance(found, bool):
        _refuse("invalid-type", f"{pointer}/parameters/{key}", "a boolean")
    return found


def _array(document: Document, field: str) -> Value:
    """An optional array; null is as good as none."""
    found = document.get(field)
    if found is None:
        return []
    if not is_array(found):
        _refuse("invalid-type", f"/{field}", f"an array, got {kind(found)}")
    return found


def _object(value: Value, place: str) -> Document:
    if not is_object(value):
        _refuse("invalid-type", place, f"an object, got {kind(value)}")
    return members(value, place)


def _refuse(slug: str, place: str, expected: str) -> NoReturn:
    detail = f"expected {expected}"
    raise RequestError(slug, f"{detail} at {place}", Cell(place, detail))
