"""Folders of small models, good and bad."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from model import save_artifact
from model.archive import Arrays, pack, unpack
from tests.model.artifacts import make_artifact


def put(path: Path, seed: int = 1, **metadata: object) -> Path:
    """Save the network of this seed at `path`, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_artifact(path, make_artifact(np.random.default_rng(seed), **metadata))  # type: ignore[arg-type]  # any JSON
    return path


def truncated(good: bytes) -> bytes:
    return good[: len(good) // 2]


def flipped(good: bytes) -> bytes:
    """One bit of a weight."""
    return good[:300] + bytes([good[300] ^ 1]) + good[301:]


def with_nan_weights(good: bytes) -> bytes:
    arrays = unpack(good)
    return pack(arrays | {"W1": np.full_like(arrays["W1"], np.nan)})


def with_another_hash(good: bytes) -> bytes:
    return _with_metadata(unpack(good), sha256="0" * 64)


def with_too_many_classes(good: bytes) -> bytes:
    return _with_metadata(unpack(good), classes=list(range(99)))


def _with_metadata(arrays: Arrays, **changes: object) -> bytes:
    metadata = json.loads(arrays["metadata"].tobytes()) | changes
    text = json.dumps(metadata).encode()
    return pack(arrays | {"metadata": np.frombuffer(text, np.uint8)})


BAD: dict[str, tuple[Callable[[bytes], bytes], str]] = {  # how to make it, and what is said of it
    "truncated": (truncated, "truncated"),
    "flipped": (flipped, "damaged"),
    "NaN weights": (with_nan_weights, "W1 holds NaN"),
    "wrong hash": (with_another_hash, "do not match the SHA-256"),
    "wrong classes": (with_too_many_classes, "expected a list of 5 classes"),
}
