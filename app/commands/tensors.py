"""Problems and answers as files: `.npz`, or `.json` for code that has no NumPy."""

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any  # Any: arrays, numbers and text, by name

from app.commands.output import writing
from app.failures import OptionError, UnfitFileError

if TYPE_CHECKING:
    from model.gradients import Probe

_LARGEST = 2**28  # bytes of a file, or of the arrays in it


def probe_document(found: "Probe") -> dict[str, Any]:
    """As JSON, the same that GET /gradient/probe answers."""
    given = {
        name: value.tolist() if hasattr(value, "tolist") else value
        for name, value in found.given.items()
    }
    return found._asdict() | {"given": given}


def write_probe(path: Path, found: "Probe") -> None:
    """Arrays by their names beside level, seed and probe_version; or the JSON document."""
    import numpy as np

    from model import write_atomically

    if _is_json(path):
        data = json.dumps(probe_document(found)).encode()
    else:
        buffer = io.BytesIO()
        named = {"level": found.level, "seed": found.seed, "probe_version": found.probe_version}
        np.savez(buffer, allow_pickle=False, **found.given, **named)
        data = buffer.getvalue()
    with writing(path):
        write_atomically(path, data)


def read_problem(path: Path) -> dict[str, Any]:
    """What is given, by name: a probe, or arrays of somebody's own under the same names.

    Raises:
        UnfitFileError: the file holds something else.
        OSError: it is missing or cannot be read.
    """
    found = _read(path)
    if _is_json(path) and isinstance(found.get("given"), dict):
        found = found["given"]
    return {
        name: str(value) if name == "activation" else value
        for name, value in found.items()
        if name not in ("level", "seed", "probe_version")
    }


def read_answer(path: Path) -> dict[str, Any]:
    """Somebody's gradients, by name; null and NaN in JSON stand for what is no number.

    Raises:
        UnfitFileError: the file holds something else.
        OSError: it is missing or cannot be read.
    """
    found = _read(path)
    if list(found) == ["candidate"] and isinstance(found["candidate"], dict):
        found = found["candidate"]  # as it is posted to a server
    return {name: _numbers(path, name, value) for name, value in found.items()}


def check_name(path: Path) -> None:
    """Refuse a name that tells of neither format.

    Raises:
        OptionError: always, for one.
    """
    if path.suffix not in (".npz", ".json"):
        raise OptionError(f"{path}: expected a name that ends in .npz or .json")


def _read(path: Path) -> dict[str, Any]:
    check_name(path)
    from model import open_regular

    with open_regular(path) as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise UnfitFileError(f"{path}: expected at most {_LARGEST} bytes")
    return _from_json(path, data) if _is_json(path) else _from_npz(path, data)


def _from_json(path: Path, data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise UnfitFileError(f"{path}: {place}: is not JSON") from None
    except (ValueError, RecursionError):
        raise UnfitFileError(f"{path}: is not JSON") from None
    if not isinstance(found, dict):
        raise UnfitFileError(f"{path}: expected a JSON object of arrays by their names")
    return found


def _from_npz(path: Path, data: bytes) -> dict[str, Any]:
    import numpy as np

    wanted = "expected a NumPy archive of plain arrays; np.savez makes one"
    if not data.startswith(b"PK"):
        raise UnfitFileError(f"{path}: {wanted}")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            if sum(member.file_size for member in archive.zip.filelist) > _LARGEST:
                raise UnfitFileError(f"{path}: expected at most {_LARGEST} bytes of arrays")
            return {name: archive[name] for name in archive.files}
    except UnfitFileError:
        raise
    except Exception:  # zipfile and NumPy raise a dozen kinds for damaged bytes
        raise UnfitFileError(f"{path}: is damaged; {wanted}") from None


def _numbers(path: Path, name: str, value: Any) -> Any:
    """The same with NaN for null; Python would take true for 1."""
    if isinstance(value, list):
        return [_numbers(path, name, item) for item in value]
    if isinstance(value, bool):
        raise UnfitFileError(f"{path}: {name}: expected numbers, got true or false")
    return float("nan") if value is None else value


def _is_json(path: Path) -> bool:
    return path.suffix == ".json"
