"""A trained network as one `.npz`: save, load, verify. The format is docs/artifact.md.

The rule kept here: what `load_artifact` returns is exactly what `save_artifact` was given, and
anything else is refused in one line before it can cost memory or run code.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from model.archive import LARGEST_FILE, MEMBERS, Arrays, RefusedError, pack, unpack
from model.arrays import Float64s
from model.errors import ArtifactError
from model.files import open_regular, write_atomically
from model.functions import ACTIVATIONS
from model.network import Parameters

FORMAT_VERSION = 1
REQUIRED_METADATA = (
    "format_version", "name", "classes", "features", "activation", "seed", "training", "history",
    "metrics", "data", "versions", "sha256",
)  # fmt: skip

_OBJECTS = ("training", "metrics", "data", "versions")
_NUMBERS = [name for name in MEMBERS if name != "metadata"]
Metadata = dict[str, Any]  # Any: what JSON can hold


class Artifact(NamedTuple):
    """A trained network with everything needed to serve it and to say where it came from."""

    parameters: Parameters  # float32, on standardised features
    input_mean: Float64s  # (D,)
    input_scale: Float64s  # (D,), positive
    temperature: float  # positive
    metadata: Metadata  # REQUIRED_METADATA and whatever else was recorded; JSON values


def save_artifact(path: Path, artifact: Artifact) -> str:
    """Write the network to `path` atomically; the same network always gives the same bytes.

    Args:
        path: the `.npz` to make or replace.
        artifact: its `format_version` and `sha256` are filled in here.

    Returns:
        The SHA-256 of its arrays, in hexadecimal.

    Raises:
        ArtifactError: the artifact would be refused by `load_artifact`.
        OSError: the system could not write it; the old file, if any, is intact.
    """
    arrays = _arrays_of(artifact)
    digest = _sha256(arrays)
    metadata = {**artifact.metadata, "format_version": FORMAT_VERSION, "sha256": digest}
    text = json.dumps(metadata, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    arrays["metadata"] = np.frombuffer(text.encode(), np.uint8)
    data = pack(arrays)
    _verified(path, data)
    write_atomically(path, data)
    return digest


def load_artifact(path: Path) -> Artifact:
    """Read a network once into memory and refuse whatever is not exactly one.

    Raises:
        ArtifactError: one line with the file and the reason.
        OSError: the file is missing or cannot be read.
    """
    try:
        with open_regular(path) as file:
            # No more than there is: a larger buffer would be reserved before it is filled.
            data = file.read(min(os.fstat(file.fileno()).st_size, LARGEST_FILE) + 1)
        return _verified(path, data)
    except RecursionError:
        raise ArtifactError(f"{path}: its metadata is nested too deeply") from None
    except MemoryError:
        raise ArtifactError(f"{path}: needs more memory than there is") from None


def _verified(path: Path, data: bytes) -> Artifact:
    try:
        return _assemble(unpack(data))
    except RefusedError as refusal:
        raise ArtifactError(f"{path}: {refusal}") from None


def _arrays_of(artifact: Artifact) -> Arrays:
    values = {
        **artifact.parameters._asdict(),
        "input_mean": artifact.input_mean,
        "input_scale": artifact.input_scale,
        "temperature": artifact.temperature,
    }
    return {
        name: np.ascontiguousarray(values[name], MEMBERS[name][0]).reshape(np.shape(values[name]))
        for name in _NUMBERS
    }


def _sha256(arrays: Arrays) -> str:
    """Digest of name, dtype, shape and little-endian C-order bytes of every array in order."""
    digest = hashlib.sha256()
    for name in _NUMBERS:
        dtype, _ = MEMBERS[name]
        array = arrays[name]
        digest.update(f"{name} {dtype} {list(array.shape)}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _assemble(arrays: Arrays) -> Artifact:
    _verify_numbers(arrays)
    metadata = _metadata(arrays["metadata"].tobytes())
    if metadata["sha256"] != _sha256(arrays):
        raise RefusedError("the arrays do not match the SHA-256 in its metadata")

    features, classes = len(arrays["W1"]), len(arrays["b2"])
    _verify_names(metadata, features, classes)
    return Artifact(
        parameters=Parameters(*(arrays[name] for name in Parameters._fields)),
        input_mean=arrays["input_mean"],
        input_scale=arrays["input_scale"],
        temperature=float(arrays["temperature"]),
        metadata=metadata,
    )


def _verify_numbers(arrays: Arrays) -> None:
    features, hidden = arrays["W1"].shape
    classes = arrays["W2"].shape[1]
    chain = {
        "b1": (hidden,),
        "W2": (hidden, classes),
        "b2": (classes,),
        "input_mean": (features,),
        "input_scale": (features,),
    }
    for name, expected in chain.items():
        if arrays[name].shape != expected:
            raise RefusedError(
                f"shapes do not chain: {name} is {arrays[name].shape}, "
                f"but W1 {arrays['W1'].shape} and W2 {arrays['W2'].shape} need {expected}"
            )
    if classes < 2:
        raise RefusedError("has 1 class; expected at least 2")
    for name in _NUMBERS:
        if not np.isfinite(arrays[name]).all():
            raise RefusedError(f"{name} holds NaN or infinity")
    for name in ("input_scale", "temperature"):
        if not (arrays[name] > 0).all():
            raise RefusedError(f"{name} must be positive")


def _metadata(text: bytes) -> Metadata:
    try:
        metadata = json.loads(text.decode(), parse_constant=_refuse_constant)
        json.dumps(metadata, ensure_ascii=False, allow_nan=False).encode()  # nor half surrogates
    except (ValueError, RecursionError):
        raise RefusedError("its metadata is not JSON") from None
    if not isinstance(metadata, dict):
        raise RefusedError("its metadata is not a JSON object")
    _verify_version(metadata)
    _verify_kinds(metadata)
    return metadata


def _verify_version(metadata: Metadata) -> None:
    version = metadata.get("format_version")
    if type(version) is not int or version < 1:
        raise RefusedError("its metadata has no format_version")
    if metadata.get("requires"):
        raise RefusedError(
            "requires what this version of softlens lacks: update softlens to read it"
        )
    if version > FORMAT_VERSION:
        raise RefusedError(
            f"written by a newer version of softlens (format {version}; "
            f"this version reads {FORMAT_VERSION}): update softlens to read it"
        )


def _verify_kinds(metadata: Metadata) -> None:
    if missing := [key for key in REQUIRED_METADATA if key not in metadata]:
        raise RefusedError(f"its metadata lacks {', '.join(missing)}")
    if broken := [key for key in _OBJECTS if not isinstance(metadata[key], dict)]:
        raise RefusedError(f"its {broken[0]} is not a JSON object")
    if not all(map(_are_scores, metadata["metrics"].values())):
        raise RefusedError("its metrics must be numbers or null by name, for each part of the data")
    if "certificate" in metadata and not _is_certificate(metadata["certificate"]):
        raise RefusedError("its certificate is not what training writes")
    if _has_huge_integer(metadata):
        raise RefusedError("its metadata has an integer of more than 64 bits")


def _are_scores(scores: Any) -> bool:  # Any: JSON
    return isinstance(scores, dict) and all(
        value is None or type(value) in (int, float) for value in scores.values()
    )


def _is_certificate(found: Any) -> bool:  # Any: JSON
    kinds = {"verdict": str, "seed": int, "relative_error": dict, "mistakes_seen": list}
    if not isinstance(found, dict):
        return False
    return all(type(found.get(key)) is kind for key, kind in kinds.items()) and all(
        map(_are_scores, found["relative_error"].values())
    )


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def _has_huge_integer(value: Any) -> bool:  # Any: JSON
    """Whether some number could not be written again by every JSON writer."""
    if isinstance(value, dict):
        return any(map(_has_huge_integer, value.values()))
    if isinstance(value, list):
        return any(map(_has_huge_integer, value))
    return isinstance(value, int) and not -(2**63) <= value < 2**63


def _verify_names(metadata: Metadata, features: int, classes: int) -> None:
    if not isinstance(metadata["name"], str) or not metadata["name"]:
        raise RefusedError("its name is not a text")
    if metadata["activation"] not in list(ACTIVATIONS):
        raise RefusedError(f"its activation is none of {', '.join(ACTIVATIONS)}")
    _verify_list("classes", metadata["classes"], classes, (str, int, float))
    if metadata["features"] is not None:
        _verify_list("features", metadata["features"], features, (str,))


def _verify_list(what: str, names: Any, length: int, types: tuple[type, ...]) -> None:  # Any: JSON
    if not isinstance(names, list) or len(names) != length:
        raise RefusedError(f"expected a list of {length} {what} in its metadata")
    if any(type(name) not in types for name in names):
        raise RefusedError(f"its {what} must be {' or '.join(kind.__name__ for kind in types)}")
    if len(set(names)) != length:
        raise RefusedError(f"its {what} are not all different")
