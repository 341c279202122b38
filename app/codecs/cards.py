"""What the Open Inference Protocol tells of a server and its models, in JSON of its own shapes."""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import orjson

from app.codecs.inference import INPUT
from app.repository import Entry, Served
from app.statistics import Counters, Total
from model import __version__

Card = dict[str, Any]  # Any: JSON

_PLATFORM = "softlens_npz"


class _Tensor(NamedTuple):
    """An input or an output."""

    name: str
    datatype: str
    shape: tuple[int, ...]  # without the batch


def server_card(extensions: Iterable[str]) -> Card:
    """The metadata of the server."""
    return {"name": "softlens", "version": __version__, "extensions": list(extensions)}


def model_metadata(served: Served, versions: list[str], outputs: Collection[str]) -> Card:
    """The metadata of a model; `outputs` are the names of those that it has."""
    inputs, given = _tensors(served, outputs)
    metadata = served.classifier.metadata
    return {
        "name": served.name,
        "versions": versions,
        "platform": _PLATFORM,
        "inputs": [_described(tensor) for tensor in inputs],
        "outputs": [_described(tensor) for tensor in given],
        "properties": {
            "activation": metadata["activation"],
            "classes": orjson.dumps(served.classes).decode(),
            "features": orjson.dumps(served.features).decode(),
            "sha256": metadata["sha256"],
        },
    }


def model_configuration(served: Served, outputs: Collection[str], most_rows: int) -> Card:
    """The configuration of a model, for tools that plan their load by it."""
    inputs, given = _tensors(served, outputs)
    return {
        "name": served.name,
        "platform": _PLATFORM,
        "backend": "softlens",
        "max_batch_size": most_rows,
        "input": [_configured(tensor) for tensor in inputs],
        "output": [_configured(tensor) for tensor in given],
    }


def model_statistics(served: Served, counters: Counters) -> Card:
    """What a version of a model has answered. Nothing waits in a queue here."""
    success = _durations(counters.answered)
    return {
        "name": served.name,
        "version": served.version,
        "last_inference": counters.last,
        "inference_count": counters.rows,
        "execution_count": counters.answered.count,
        "inference_stats": {
            "success": {"count": counters.answered.count, "ns": sum(counters.answered.stages)},
            "fail": {"count": counters.failed, "ns": counters.failed_ns},
            "queue": {"count": counters.answered.count, "ns": 0},
            **success,
        },
        "batch_stats": [
            {"batch_size": rows, **_durations(total)}
            for rows, total in sorted(counters.by_rows.items())
        ],
    }


def index(entries: Iterable[Entry], ready: bool) -> list[Card]:
    """The model repository, or of it only what is ready."""
    return [entry._asdict() for entry in entries if entry.state == "READY" or not ready]


def _tensors(served: Served, outputs: Collection[str]) -> tuple[list[_Tensor], list[_Tensor]]:
    features, classes = served.classifier.features, len(served.classes)
    known = (
        _Tensor("probabilities", "FP32", (classes,)),
        _Tensor("logits", "FP32", (classes,)),
        _Tensor("jacobian", "FP64", (classes, classes)),
        _Tensor("input_gradient", "FP64", (classes, features)),
    )
    return [_Tensor(INPUT, "FP32", (features,))], [t for t in known if t.name in outputs]


def _described(tensor: _Tensor) -> Card:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": [-1, *tensor.shape]}


def _configured(tensor: _Tensor) -> Card:
    """As the configuration has it: the batch is not among the dimensions."""
    return {"name": tensor.name, "data_type": f"TYPE_{tensor.datatype}", "dims": tensor.shape}


def _durations(total: Total) -> dict[str, Card]:
    names = ("compute_input", "compute_infer", "compute_output")
    return {
        name: {"count": total.count, "ns": nanoseconds}
        for name, nanoseconds in zip(names, total.stages, strict=True)
    }
