"""What the API reference says of bodies that are parsed from bytes, with examples that work."""

from typing import Any

import numpy as np

from model import Classifier
from model.gradients import METHODS

Schema = dict[str, Any]  # Any: JSON

_LARGEST_EXAMPLE = 3.402e38  # the largest of 4 digits that is no infinity in float32

_NUMBERS: Schema = {"type": "array", "items": {"type": "number"}, "minItems": 1}
ROWS: Schema = {
    "description": "Rows of finite numbers, or one flat row.",
    "anyOf": [{"type": "array", "items": _NUMBERS, "minItems": 1}, _NUMBERS],
}
LABEL: Schema = {"anyOf": [{"type": "string"}, {"type": "number"}]}
LABELS: Schema = {"anyOf": [{"type": "array", "items": LABEL, "minItems": 1}, *LABEL["anyOf"]]}
_MATRIX: Schema = {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}

# Of the API reference, in this order; what the tags of routes are.
HEADINGS: list[Schema] = [
    {"name": "predict"},
    {"name": "gradient"},
    {"name": "models"},
    {"name": "health"},
    {"name": "Open Inference Protocol", "description": "The same models, for its stock clients."},
    {"name": "platforms", "description": "The payloads of managed platforms."},
]


def object_of(properties: Schema, *required: str) -> Schema:
    """An object of exactly these properties, all required unless some are named."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required) or list(properties),
        "additionalProperties": False,
    }


PREDICT_REQUEST: Schema = {
    "oneOf": [
        object_of({"inputs": ROWS}),
        object_of(
            {
                "records": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": "object", "additionalProperties": {"type": "number"}},
                    "description": "Rows by feature name, where the features have names.",
                }
            }
        ),
    ]
}
PREDICT_ANSWER: Schema = object_of(
    {
        "model": {"type": "string"},
        "version": {"type": "string"},
        "classes": {"type": "array", "items": LABEL},
        "labels": {"type": "array", "items": LABEL, "description": "The likeliest of each row."},
        "probabilities": _MATRIX,
    }
)
_NODES = ["inputs", "z1", "a1", "logits", "probabilities", "loss"]
_DERIVATIVE: Schema = {
    "of": {"enum": _NODES, "default": "probabilities"},
    "wrt": {"enum": [*_NODES, "W1", "b1", "W2", "b2"], "default": "logits"},
    "mode": {"enum": ["jacobian", "vjp", "jvp"], "default": "jacobian"},
}
NESTED: Schema = {
    "description": "A number, or arrays of numbers nested as deeply as the shape says.",
    "anyOf": [{"type": "number"}, {"type": "array"}],
}
_QUESTION: Schema = {
    **_DERIVATIVE,
    "vector": {**NESTED, "description": "For a vjp of the shape of `of`, for a jvp of `wrt`."},
    "labels": {
        **LABELS,
        "description": "The class of each row, for the loss; with bare logits its index.",
    },
}
GRADIENT_REQUEST: Schema = {
    "oneOf": [
        object_of({"inputs": ROWS, **_QUESTION}, "inputs"),
        object_of({"logits": ROWS, **_QUESTION}, "logits"),
        object_of(
            {
                "inputs": ROWS,
                "attribute": {"enum": list(METHODS)},
                "of": {"enum": ["probabilities", "logits"], "default": "probabilities"},
                "target": {**LABELS, "description": "or the predicted"},
                "baseline": {**_NUMBERS, "description": "or the middle of the training data"},
                "steps": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50},
            },
            "inputs", "attribute",
        ),
    ]
}  # fmt: skip
_DERIVATIVE_ANSWER: Schema = object_of(
    {
        "model": {"type": ["string", "null"], "description": "null for bare logits"},
        "version": {"type": ["string", "null"], "description": "null for bare logits"},
        **_DERIVATIVE,
        "shape": {"type": "array", "items": {"type": "integer"}},
        "gradient": NESTED,
        "logits": _MATRIX,
        "probabilities": _MATRIX,
        "certain_rows": {
            "type": "array",
            "items": {"type": "integer"},
            "description": "Rows whose softmax is saturated, where there are any.",
        },
        "note": {"type": "string"},
    },
    "model", "version", "of", "wrt", "mode", "shape", "gradient", "logits", "probabilities",
)  # fmt: skip
_ATTRIBUTIONS: Schema = object_of(
    {
        "model": {"type": "string"},
        "version": {"type": "string"},
        "attribute": {"enum": list(METHODS)},
        "of": {"enum": ["probabilities", "logits"]},
        "target": {"type": "array", "items": LABEL},
        "attributions": _MATRIX,
        "completeness_gap": {
            **_NUMBERS,
            "description": "f(x) - f(baseline) - sum of the attributions, for each row",
        },
        "logits": _MATRIX,
        "probabilities": _MATRIX,
    }
)
GRADIENT_ANSWER: Schema = {"oneOf": [_DERIVATIVE_ANSWER, _ATTRIBUTIONS]}
TRACE_REQUEST: Schema = object_of({"inputs": ROWS, "labels": LABELS})
TRACE_ANSWER: Schema = object_of(
    {
        "model": {"type": "string"},
        "version": {"type": "string"},
        "tensors": {
            "type": "object",
            "additionalProperties": object_of(
                {
                    "equation": {"type": ["integer", "null"], "description": "of docs/mathematics"},
                    "shape": {"type": "array", "items": {"type": "integer"}},
                    "value": NESTED,
                }
            ),
        },
    }
)
PROBLEM: Schema = object_of(
    {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": object_of({"pointer": {"type": "string"}, "detail": {"type": "string"}}),
        },
    },
    "type", "title", "status", "detail", "instance",
)  # fmt: skip


def ask_for_keys(document: Schema) -> None:
    """Add to an API reference that every path wants a key; which do not, docs/security.md tells."""
    scheme = {"type": "http", "scheme": "bearer", "description": "A key that `softlens key` made."}
    document.setdefault("components", {})["securitySchemes"] = {"key": scheme}
    document["security"] = [{"key": []}]


def predict_examples(classifier: Classifier) -> Schema:
    """Bodies that /predict answers, made of the model's own mean row."""
    row = _example_row(classifier)
    examples = {"a batch of one": {"value": {"inputs": [row]}}, "a row": {"value": {"inputs": row}}}
    if names := classifier.metadata["features"]:
        record = dict(zip(names, row, strict=True))
        examples["records"] = {"value": {"records": [record]}}
    return examples


def gradient_examples(classifier: Classifier) -> Schema:
    """Bodies that /gradient answers."""
    return {
        "bare logits": {"value": {"logits": [[2.0, 1.0, 0.1]]}},
        "features": {"value": {"inputs": [_example_row(classifier)]}},
        "integrated gradients": {
            "value": {"inputs": [_example_row(classifier)], "attribute": "integrated-gradients"}
        },
        "the loss by W2": {
            "value": {
                "inputs": [_example_row(classifier)],
                "labels": classifier.metadata["classes"][:1],
                "of": "loss",
                "wrt": "W2",
            }
        },
    }


def trace_examples(classifier: Classifier) -> Schema:
    """Bodies that /gradient/trace answers."""
    labels = classifier.metadata["classes"][:1]
    return {"a row": {"value": {"inputs": [_example_row(classifier)], "labels": labels}}}


def _example_row(classifier: Classifier) -> list[float]:
    """The middle of the training data, short enough to read, and float32 as /predict has it."""
    centre = classifier.centre.clip(-_LARGEST_EXAMPLE, _LARGEST_EXAMPLE)
    return [float(np.format_float_positional(x, 4, fractional=False)) for x in centre]
