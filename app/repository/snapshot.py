"""Everything that is served at one moment. Nothing here changes once it is made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeAlias

import orjson

from app.errors import UnknownModelError
from model import Classifier

State: TypeAlias = Literal["READY", "LOADING", "UNAVAILABLE"]  # unloading takes no time


class Written(NamedTuple):
    """Parts of answers, as JSON."""

    names: bytes  # of the model, its version and its classes, in an object that is still open
    classes: list[bytes]  # each of them alone


@dataclass(frozen=True, eq=False)
class Served:
    """One version of one model, ready to answer."""

    name: str
    version: str
    classifier: Classifier

    @cached_property
    def classes(self) -> list[Any]:  # Any: class names keep their JSON type
        """Class names in the order of the probabilities."""
        return self.classifier.metadata["classes"]

    @cached_property
    def features(self) -> list[str] | None:
        """Feature names in the order of the inputs, when they have any."""
        return self.classifier.metadata["features"]

    @cached_property
    def widths(self) -> tuple[int, int, int]:
        """Of the layers: features, hidden units and classes."""
        return self.classifier.features, self.classifier.hidden, len(self.classes)

    @cached_property
    def written(self) -> Written:
        """What every answer of it has in common."""
        told = {"model": self.name, "version": self.version, "classes": self.classes}
        return Written(orjson.dumps(told)[:-1], [orjson.dumps(name) for name in self.classes])


class Entry(NamedTuple):
    """One version of one model that is known, whether or not it answers."""

    name: str
    version: str
    state: State
    reason: str  # why what lies on disk is not what answers; empty where it is


class Snapshot:
    """The models of one moment. A request takes one snapshot and is answered wholly by it.

    Names from a request are only ever looked up here, never joined into a path.
    """

    def __init__(self, models: Iterable[Served], entries: Sequence[Entry]) -> None:
        """Keep both by name, and the versions of a name from old to new."""
        self._versions: dict[str, dict[str, Served]] = {}
        for served in sorted(models, key=_place):
            self._versions.setdefault(served.name, {})[served.version] = served
        self._entries = sorted(entries, key=_place)
        self._default = self.find(next(iter(self._versions))) if self._versions else None

    @property
    def default(self) -> Served:
        """The newest version of the first name, in the order of the alphabet.

        Raises:
            UnknownModelError: nothing is served at all.
        """
        if self._default is None:
            raise UnknownModelError("no model is loaded; GET /models tells why")
        return self._default

    def find(self, name: str, version: str | None = None) -> Served:
        """The model of that name, its newest version unless one is named.

        Raises:
            UnknownModelError: there is none.
        """
        versions = self._versions.get(name, {})
        if version is None and versions:
            return next(reversed(versions.values()))
        if version in versions:
            return versions[version]
        raise UnknownModelError(self._explain(name, version))

    def versions(self, name: str) -> list[Served]:
        """All versions of a model that are served, oldest first.

        Raises:
            UnknownModelError: there is none of that name.
        """
        self.find(name)
        return list(self._versions[name].values())

    def all(self) -> list[Served]:
        """Every version of every model that is served, by name, oldest first."""
        return [served for versions in self._versions.values() for served in versions.values()]

    def index(self) -> list[Entry]:
        """Every version of every model that is known, by name, oldest first."""
        return list(self._entries)

    def _explain(self, name: str, version: str | None) -> str:
        for entry in reversed(self._entries):
            if entry.name == name and version in (None, entry.version):
                reason = entry.reason or "it is being loaded"
                return f"{name} version {entry.version} is not served: {reason}"
        if name in self._versions:
            return f"no such version of {name}; GET /models/{name} lists them"
        return "no model of this name; GET /models lists them"


def _place(model: Served | Entry) -> tuple[str, int]:
    return model.name, int(model.version)
