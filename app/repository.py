"""Models on disk, loaded and verified: one `.npz`, or a folder of them.

A folder holds `NAME/VERSION/model.npz`, versions being positive integers, or plain `NAME.npz`
files, which are version 1. The highest version of a name is its default.
"""

import logging
import re
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from app.errors import UnknownModelError
from model import ArtifactError, Classifier, load_classifier

log = logging.getLogger("softlens")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_VERSION = re.compile(r"[1-9][0-9]{0,17}")


class Served(NamedTuple):
    """One version of one model, ready to answer."""

    name: str
    version: str
    classifier: Classifier

    @property
    def classes(self) -> list[Any]:  # Any: class names keep their JSON type
        """Class names in the order of the probabilities."""
        return self.classifier.metadata["classes"]

    @property
    def features(self) -> list[str] | None:
        """Feature names in the order of the inputs, when they have any."""
        return self.classifier.metadata["features"]


class Entry(NamedTuple):
    """What is known of one version of one model, whether or not it answers."""

    name: str
    version: str
    state: str  # READY, UNAVAILABLE, LOADING or UNLOADING
    reason: str  # empty where it is READY


class Repository:
    """The models that are served; fixed after loading, so requests need no lock.

    Names from a request are only ever looked up here, never joined into a path.
    """

    def __init__(self, models: list[Served]) -> None:
        """Keep at least one model; the first name is the default."""
        self._versions: dict[str, dict[str, Served]] = {}
        self._unloaded: dict[str, dict[str, Served]] = {}
        for served in models:
            self._versions.setdefault(served.name, {})[served.version] = served
        self._newest = {name: _newest(versions) for name, versions in self._versions.items()}
        self.default = self._newest[models[0].name]

    def find(self, name: str, version: str | None = None) -> Served:
        """The model of that name, its newest version unless one is named.

        Raises:
            UnknownModelError: there is none.
        """
        if name not in self._versions:
            raise UnknownModelError("no model of this name; GET /models lists them")
        if version is None:
            return self._newest[name]
        if version not in self._versions[name]:
            raise UnknownModelError(f"no such version of {name}; GET /models/{name} lists them")
        return self._versions[name][version]

    def versions(self, name: str) -> list[Served]:
        """All versions of a model, oldest first.

        Raises:
            UnknownModelError: there is none of that name.
        """
        self.find(name)
        return sorted(self._versions[name].values(), key=lambda served: int(served.version))

    def index(self) -> list[Entry]:
        """Every version of every model that there is, also of those that do not answer."""
        there = [Entry(served.name, served.version, "READY", "") for served in self.all()]
        gone = [
            Entry(name, version, "UNAVAILABLE", "unloaded")
            for name, versions in self._unloaded.items()
            for version in versions
        ]
        return there + gone

    def load(self, name: str) -> None:
        """Take up what is on disk under this name, also where it is served already.

        Raises:
            UnknownModelError: nothing is.
        """
        if name in self._unloaded:
            self._versions[name] = self._unloaded.pop(name)
        self.find(name)

    def unload(self, name: str) -> None:
        """Stop serving every version of a model.

        Raises:
            UnknownModelError: there is none of this name.
        """
        self.find(name)
        self._unloaded[name] = self._versions.pop(name)

    def all(self) -> list[Served]:
        """Every version of every model, by name."""
        return [served for name in self._versions for served in self.versions(name)]


def load_repository(path: Path) -> Repository:
    """Load and verify everything at `path`.

    Raises:
        ArtifactError: a file is no sound model, or a folder holds none; names it.
        OSError: it is missing or cannot be read.
    """
    if not path.is_dir():
        classifier = load_classifier(path)
        return Repository([Served(_served_name(classifier, path), "1", classifier)])

    found = _scan(path)
    for (name, version, file), (*twin, other) in pairwise(found):
        if [name, version] == twin:
            raise ArtifactError(f"{file} and {other} are both version {version} of {name}")
    if not found:
        raise ArtifactError(
            f"{path}: no model in this folder; expected NAME/VERSION/model.npz or NAME.npz"
        )
    return Repository(
        [Served(name, version, load_classifier(file)) for name, version, file in found]
    )


def _newest(versions: dict[str, Served]) -> Served:
    return max(versions.values(), key=lambda served: int(served.version))


def _served_name(classifier: Classifier, path: Path) -> str:
    """The name in the metadata; the file's where that one would not do in a URL."""
    for name in (classifier.metadata["name"], path.stem):
        if _NAME.fullmatch(name):
            return name
    return "model"


def _scan(folder: Path) -> list[tuple[str, str, Path]]:
    """(name, version, file) of every model in a folder, by name and version."""
    single = [(file.stem, "1", file) for file in folder.glob("*.npz")]
    versioned = [
        (file.parent.parent.name, file.parent.name, file) for file in folder.glob("*/*/model.npz")
    ]
    found = []
    for name, version, file in single + versioned:
        if _NAME.fullmatch(name) and _VERSION.fullmatch(version):
            found.append((name, version, file))
        else:
            log.warning("%s is not served: expected NAME/VERSION/model.npz or NAME.npz", file)
    return sorted(found, key=lambda entry: (entry[0], int(entry[1])))
