"""One version of a model: where it lies, what its file held when it was read last, what answers.

A file is loaded once for each content it has. Its stamp tells cheaply that nothing has changed;
a stamp so young that another write could still leave it as it is tells nothing, and is then
backed by a hash.
"""

import hashlib
import time
from pathlib import Path
from typing import NamedTuple, TypeAlias

from app.repository.scan import Place
from app.repository.snapshot import Entry, State
from model import ArtifactError, Classifier, ModelError, load_classifier, open_regular

Stamp: TypeAlias = tuple[int, ...]  # device, inode, size, and times of change in ns

_SETTLED_SECONDS = 3.0  # the coarsest clocks of file systems tick every 2


class Seen(NamedTuple):
    """The content of a file that was read last."""

    stamp: Stamp
    settled: bool  # the same stamp later means the same content
    digest: bytes
    refusal: ArtifactError | None = None


class Version(NamedTuple):
    """One version of a model, of which perhaps an earlier content answers."""

    place: Place
    seen: Seen | None = None  # None: not tried yet, or idle
    classifier: Classifier | None = None  # what answers
    trouble: OSError | ArtifactError | None = None  # why the file could not be looked at
    idle: str = ""  # why nothing is loaded though nothing is wrong
    looks_missed: int = 0  # in a row, that did not find the file

    @property
    def error(self) -> ArtifactError | OSError | None:
        """What is wrong with the file, if anything is."""
        if self.trouble is not None:
            return self.trouble
        return None if self.seen is None else self.seen.refusal

    @property
    def reason(self) -> str:
        """Why what lies on disk is not what answers, without a path; empty where it is."""
        if self.error is not None:
            return _without_path(self.error, self.place.file)
        return "its file is gone" if self.looks_missed else self.idle

    def entry(self, *, loading: bool) -> Entry:
        """What the index tells of it."""
        reason, state = self.reason, _state(self, loading=loading)
        if reason and state == "READY":
            reason += "; what was loaded before answers"
        return Entry(self.place.name, self.place.version, state, reason)


def look(version: Version) -> Seen:
    """What the file holds now; the same object as before if it has not been touched.

    Raises:
        OSError: it cannot be read.
        ArtifactError: it is one of two files for the same version.
    """
    file, seen = version.place.file, version.seen
    if version.place.twin is not None:
        what = f"version {version.place.version} of {version.place.name}"
        raise ArtifactError(f"{file}: it and {version.place.twin} are both {what}")
    stamp = _stamp(file)
    if seen is not None and seen.settled and seen.stamp == stamp:
        return seen
    with open_regular(file) as opened:
        digest = hashlib.file_digest(opened, "sha256").digest()
    refusal = seen.refusal if seen is not None and seen.digest == digest else None
    return Seen(stamp, _is_settled(file, stamp), digest, refusal)


def loaded(version: Version, seen: Seen) -> Version:
    """The version with its present content, or with the one before if that is not sound.

    It is read, verified, folded and tried on a row and a batch before anybody is answered by it.
    """
    file, classifier = version.place.file, version.classifier
    refusal: ArtifactError | None = None
    try:
        classifier = load_classifier(file)
    except ModelError as error:
        # A new one: this one's traceback would keep the bytes of the file in memory.
        refusal = ArtifactError(str(error))
    # What was loaded may be later than what was hashed.
    settled = seen.settled and _is_settled(file, seen.stamp)
    return Version(version.place, seen._replace(settled=settled, refusal=refusal), classifier)


def _state(version: Version, *, loading: bool) -> State:
    if version.classifier is not None:
        return "READY"
    return "LOADING" if loading else "UNAVAILABLE"


def _stamp(file: Path) -> Stamp:
    found = file.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _is_settled(file: Path, stamp: Stamp) -> bool:
    old = all(abs(time.time() - changed / 1e9) > _SETTLED_SECONDS for changed in stamp[-2:])
    return old and _stamp(file) == stamp


def _without_path(error: ArtifactError | OSError, file: Path) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error).removeprefix(f"{file}: ")
