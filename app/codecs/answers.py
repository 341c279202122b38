"""Arrays to the bytes of an answer, in one pass and with the shortest digits that round-trip."""

from typing import Any, NamedTuple

import numpy as np
import orjson
from starlette.responses import Response

from app.codecs.arrays import writable, written_json
from app.codecs.replies import JSON, PROBLEM, Reply
from app.errors import Problem, under_open_inference
from app.repository import Served
from model import Float32s, Floats, Trace
from model.gradients import (
    CERTAIN,
    Attributions,
    Probe,
    Question,
    Report,
    Tensor,
    certain_rows,
)

_OTHER_PROTOCOLS = ("/v2/", "/v1/", "/invocations/", "/ping/")  # whose clients read `error`
_MOST_CELLS = 10  # named in one problem, so that it stays small


def json_response(content: Any) -> Response:  # Any: what JSON can hold, and arrays
    """200 with `content` as JSON; arrays are written from their own memory."""
    return Reply(orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY))


def prediction(served: Served, probabilities: Float32s) -> Response:
    """The answer of /predict. probabilities: (N, C)."""
    written = served.written
    if len(probabilities) == 1:
        labels = written.classes[probabilities.argmax()]
    else:
        labels = b",".join([written.classes[i] for i in probabilities.argmax(axis=1).tolist()])
    numbers = written_json(probabilities)
    return Reply(b'%b,"labels":[%b],"probabilities":%b}' % (written.names, labels, numbers))


class Derivative(NamedTuple):
    """A derivative and where it was taken, in float64."""

    asked: Question
    gradient: Floats
    logits: Floats  # (N, C)
    probabilities: Floats  # (N, C)


class Attributed(NamedTuple):
    """Attributions and what they are of."""

    method: str
    of: str
    target: list[Any]  # N class names (Any: they keep their JSON type)
    found: Attributions
    trace: Trace


def attributions(served: Served, answer: Attributed) -> Response:
    """The answer of /gradient to `attribute`."""
    return json_response(
        {
            "model": served.name,
            "version": served.version,
            "attribute": answer.method,
            "of": answer.of,
            "target": answer.target,
            "attributions": writable(np.ascontiguousarray(answer.found.values)),
            "completeness_gap": answer.found.completeness_gap,
            "logits": writable(answer.trace.z2),
            "probabilities": writable(answer.trace.a2),
        }
    )


def derivative(served: Served | None, found: Derivative) -> Response:
    """The answer of /gradient; bare logits come from no model."""
    gradient = np.ascontiguousarray(found.gradient, np.float64)
    content = {
        "model": served and served.name,
        "version": served and served.version,
        **found.asked._asdict(),
        "shape": np.shape(found.gradient),
        "gradient": writable(gradient) if np.ndim(found.gradient) else float(found.gradient),
        "logits": writable(found.logits),
        "probabilities": writable(found.probabilities),
    }
    if rows := certain_rows(found.asked, found.probabilities):
        content |= {"certain_rows": rows, "note": CERTAIN}
    return json_response(content)


def trace(served: Served, found: list[Tensor]) -> Response:
    """The answer of /gradient/trace."""
    tensors = {
        tensor.name: {
            "equation": tensor.equation,
            "shape": np.shape(tensor.value),
            "value": tensor.value
            if isinstance(tensor.value, float)
            else writable(np.ascontiguousarray(tensor.value)),
        }
        for tensor in found
    }
    return json_response({"model": served.name, "version": served.version, "tensors": tensors})


def probe(found: Probe) -> Response:
    """The answer of /gradient/probe."""
    return json_response(found._asdict())


def verdict(served: Served | None, report: Report) -> Response:
    """The answer of /gradient/check; a model is named where it was checked at one."""
    names = {} if served is None else {"model": served.name, "version": served.version}
    return json_response(names | report.document())


def model_card(
    served: Served, versions: list[str], *, default: bool
) -> dict[str, Any]:  # Any: JSON
    """What /models tells of a model."""
    metadata = served.classifier.metadata
    return {
        "name": served.name,
        "version": served.version,
        "versions": versions,
        "default": default,
        "classes": served.classes,
        "features": served.features,
        "activation": metadata["activation"],
        "shapes": served.classifier.shapes,
        "metrics": metadata["metrics"],
        "sha256": metadata["sha256"],
    }


def refusal(found: Problem, path: str, name: str) -> Response:
    """A problem as clients of `path` read it. `name` is that of the request."""
    instance = f"urn:uuid:{name}"
    if f"{path}/".startswith(_OTHER_PROTOCOLS):
        return _for_others(under_open_inference(found), instance)
    return _problem(found, instance)


def _for_others(found: Problem, instance: str) -> Response:
    """What clients of the Open Inference Protocol read, `error`, and what it is called here."""
    content: dict[str, Any] = {  # Any: text, and perhaps a list
        "error": found.detail,
        "type": f"/problems/{found.slug}",
        "instance": instance,
    }
    return _response(found, content, JSON)


def _problem(found: Problem, instance: str) -> Response:
    """RFC 9457. `instance` names this occurrence."""
    content: dict[str, Any] = {  # Any: strings, a number, a list
        "type": f"/problems/{found.slug}",
        "title": found.title,
        "status": int(found.status),
        "detail": found.detail,
        "instance": instance,
    }
    return _response(found, content, PROBLEM)


def _response(found: Problem, content: dict[str, Any], media_type: bytes) -> Response:
    if found.cells:
        content["errors"] = [cell._asdict() for cell in found.cells[:_MOST_CELLS]]
    headers = [(name.lower().encode(), value.encode()) for name, value in found.headers]
    return Reply(orjson.dumps(content), media_type, found.status, headers)
