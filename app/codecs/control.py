"""The small bodies by which the Open Inference Protocol asks for models: all of them optional."""

from app.codecs.documents import Document, is_object, members, read_document
from app.errors import Cell, RequestError


def decode_index(body: bytes) -> bool:
    """Whether only models that are ready are asked for.

    Raises:
        RequestError: the body is neither empty nor an object, or `ready` no boolean.
    """
    ready = _document(body).get("ready", False)
    if not isinstance(ready, bool):
        raise _refusal("invalid-type", "/ready", "expected a boolean")
    return ready


def decode_load(body: bytes) -> None:
    """Nothing: what is loaded is what lies on the server's own disk.

    Raises:
        RequestError: the body is neither empty nor an object, or brings a model or a configuration.
    """
    parameters = _document(body).get("parameters")
    if parameters is None:
        return
    if not is_object(parameters):
        raise _refusal("invalid-type", "/parameters", "expected an object")
    for key in members(parameters, "/parameters"):
        if key == "config" or key.startswith("file:"):
            detail = "expected no configuration and no files: models come from the server's disk"
            raise _refusal("invalid-value", "/parameters", detail)


def _document(body: bytes) -> Document:
    return read_document(body, fields=None) if body else {}


def _refusal(slug: str, place: str, detail: str) -> RequestError:
    return RequestError(slug, f"{detail} at {place}", Cell(place, detail))
