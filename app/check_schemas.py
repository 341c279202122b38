"""What the API reference says of probes and verdicts."""

from typing import Any  # Any: JSON

from app.openapi import LABEL, NESTED, PROBLEM, ROWS, Schema, object_of

_TEXT: Schema = {"type": "string"}
_INDEX: Schema = {"type": "array", "items": {"type": "integer"}}
_LABELS: Schema = {"type": "array", "items": LABEL, "minItems": 1}
_LEVEL: Schema = {"enum": ["jacobian", "loss", "network"]}
_SEED: Schema = {"type": "integer", "description": "from 0 to 2^63 - 1"}

_TENSORS = ("jacobian", "delta3", "delta2", "dW1", "db1", "dW2", "db2")
_CANDIDATE: Schema = {
    "type": "object",
    "description": "Your gradients by name. null stands for NaN.",
    "properties": dict.fromkeys(
        ("jacobian", "delta3", "delta2", "dW1", "db1", "dW2", "db2"), NESTED
    ),
    "minProperties": 1,
    "additionalProperties": False,
}
_GIVEN: Schema = {
    "type": "object",
    "description": "The point in arrays of your own; labels are class indices from 0.",
    "properties": {
        **dict.fromkeys(("logits", "labels", "inputs", "W1", "b1", "W2", "b2"), NESTED),
        "activation": {"enum": ["relu", "tanh"]},
        "weight_decay": {"type": "number", "minimum": 0, "default": 0},
        "temperature": {"type": "number", "exclusiveMinimum": 0, "default": 1},
    },
    "additionalProperties": False,
}
_ALWAYS: Schema = {
    "candidate": _CANDIDATE,
    "precision": {
        **_TEXT,
        "description": "float64, float32, float16 or such as `4 digits`; by default inferred.",
    },
}
_PROBE_NAMED = object_of({"level": _LEVEL, "seed": _SEED})
CHECK_REQUEST: Schema = {
    "oneOf": [
        object_of(
            {"probe": object_of({"level": _LEVEL, "seed": _SEED}), **_ALWAYS}, "probe", "candidate"
        ),
        object_of({"given": _GIVEN, **_ALWAYS}, "given", "candidate"),
        object_of({"inputs": ROWS, "labels": _LABELS, **_ALWAYS}, "inputs", "labels", "candidate"),
        object_of({"logits": ROWS, "labels": _LABELS, **_ALWAYS}, "logits", "candidate"),
    ]
}
_VERDICT: Schema = {"enum": ["right", "wrong", "undecidable"]}
_NUMBER_OR_NULL: Schema = {"type": ["number", "null"]}
_TENSOR: Schema = object_of(
    {
        "verdict": _VERDICT,
        "precision": _TEXT,
        "relative_error": {**_NUMBER_OR_NULL, "description": "max |a - b| / max |b|"},
        "worst": {
            "anyOf": [
                {"type": "null"},
                object_of(
                    {"index": _INDEX, "expected": _NUMBER_OR_NULL, "received": _NUMBER_OR_NULL}
                ),
            ]
        },
    }
)
_MISTAKE: Schema = object_of(
    {
        "slug": _TEXT,
        "explanation": _TEXT,
        "wrong": {**_TEXT, "description": "what was written, in NumPy"},
        "right": {**_TEXT, "description": "the line that mends it"},
        "see": {**_TEXT, "description": "how to see it"},
        "fit": {"type": "number", "description": "1 when it reproduces the answer exactly"},
        "equivalent": {
            "type": "array",
            "items": _TEXT,
            "description": "mistakes that give the same numbers here",
        },
        "convention": {"type": "boolean", "description": "right under another convention"},
    }
)
CHECK_ANSWER: Schema = object_of(
    {
        "model": {**_TEXT, "description": "with `inputs`"},
        "version": {**_TEXT, "description": "with `inputs`"},
        "verdict": _VERDICT,
        "tensors": {"type": "object", "additionalProperties": _TENSOR},
        "not_given": {"type": "array", "items": _TEXT},
        "mistakes": {"type": "array", "items": _MISTAKE, "description": "best first"},
        "evidence": {"type": "object", "description": "what the numbers show of the steps"},
        "blind_spots": {
            "type": "array",
            "items": _TEXT,
            "description": "mistakes that this check could not have seen",
        },
    },
    "verdict", "tensors", "not_given", "mistakes", "evidence", "blind_spots",
)  # fmt: skip
_SHAPES: Schema = {"type": "object", "additionalProperties": _INDEX}
_PROBE: Schema = object_of(
    {
        "level": _LEVEL,
        "seed": _SEED,
        "probe_version": {"type": "integer"},
        "given": _GIVEN,
        "wanted": _SHAPES,
        "optional": _SHAPES,
        "conventions": _TEXT,
    }
)


def _query(name: str, schema: Schema, example: Any) -> Schema:
    return {"name": name, "in": "query", "required": True, "schema": schema, "example": example}


PROBE_OPERATION: Schema = {
    "parameters": [_query("level", _LEVEL, "network"), _query("seed", _SEED, 7)],
    "responses": {
        "200": {"description": "The problem.", "content": {"application/json": {"schema": _PROBE}}},
        "4XX": {
            "description": "There is no such problem, and why.",
            "content": {"application/problem+json": {"schema": PROBLEM}},
        },
    },
}


def check_examples() -> Schema:
    """Bodies that /gradient/check answers."""
    wrong = {
        "logits": [1.2, -0.4, 0.7, 2.0],
        "candidate": {"jacobian": [0.1907, 0.0487, 0.1293, 0.2492]},
    }
    return {
        "a vector where a matrix belongs": {"value": wrong},
        "a probe": {
            "value": {
                "probe": {"level": "loss", "seed": 7},
                "candidate": {"delta3": [[0.0] * 4] * 3},
            }
        },
    }
