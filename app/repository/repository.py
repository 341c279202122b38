"""Looks at the disk, loads what is new while the old answers, and exchanges the snapshot."""

import logging
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Literal, TypeAlias

from app.errors import LoadError, UnknownModelError
from app.repository import reports, versions
from app.repository.scan import Key, Listing, Place
from app.repository.snapshot import Entry, Served, Snapshot
from app.repository.versions import Version
from model import ArtifactError

log = logging.getLogger("softlens")

Policy: TypeAlias = Literal["latest", "all"]

_LOOKS_TO_BE_GONE = 2  # in a row; a file that is just being replaced may be missed once


class Repository:
    """The models that are served, and what is known of the others.

    Whoever answers a request takes `snapshot` once, or what `default`, `find`, `versions`, `all`
    and `index` say of it; they never wait. `reload`, `load` and `unload` read from disk, one at a
    time, and wait for each other: they belong in a thread.

    Attributes:
        snapshot: everything that answers now.
        reloaded: called in that thread with `loaded` or `refused`, for each version after `start`.
    """

    def __init__(
        self, listed: Callable[[], Listing], policy: Policy, known: Iterable[Version] = ()
    ) -> None:
        """Serve nothing before `start`.

        Args:
            listed: tells what lies on disk, or raises OSError.
            policy: `latest` keeps only the newest sound version of each name loaded.
            known: versions that are loaded already.
        """
        self._listed = listed
        self._policy = policy
        self._known = {version.place.key: version for version in known}
        self._unloaded: set[str] = set()
        self._complaints: set[str] = set()
        self.reloaded: Callable[[str], None] = lambda result: None
        self._started = False
        self._lock = Lock()
        self.snapshot = Snapshot([], [])

    @property
    def default(self) -> Served:
        """The newest version of the first name; UnknownModelError if nothing is served."""
        return self.snapshot.default

    def find(self, name: str, version: str | None = None) -> Served:
        """The model of that name, its newest version unless one is named; or UnknownModelError."""
        return self.snapshot.find(name, version)

    def versions(self, name: str) -> list[Served]:
        """All versions of a model that are served, oldest first; or UnknownModelError."""
        return self.snapshot.versions(name)

    def all(self) -> list[Served]:
        """Every version of every model that is served, by name, oldest first."""
        return self.snapshot.all()

    def index(self) -> list[Entry]:
        """Every version of every model that is known, bad and unloaded ones too, by name."""
        return self.snapshot.index()

    def start(self) -> None:
        """Load everything for the first time. Some files may be bad, but not all.

        Raises:
            ArtifactError: there are files, and none is a sound model.
            OSError: nothing can be read.
        """
        with self._lock:
            listing = self._listed()
            for name in _names(listing.places):
                self._renew(name, listing)
            self._publish()
            errors = [version.error for version in self._known.values() if version.error]
            for error in [*errors, *listing.unlisted.values()]:
                if not self.snapshot.all():
                    raise error
            self._complain(listing)
            reports.report_refused({}, self._known)
            self._started = True

    def reload(self) -> bool:
        """Look at the disk and serve what is new and sound there. What fails is only reported.

        Returns:
            Whether a file was missed for the first time: if the next look misses it too, it goes.
        """
        with self._lock:
            try:
                listing = self._listed()
            except OSError as error:
                self._complain(error)
                return False
            self._complain(listing)
            self._count_missed(listing)
            for name in _names([*listing.places, *self._known]):
                if name not in listing.unlisted:
                    self._renew(name, listing)
            return any(version.looks_missed == 1 for version in self._known.values())

    def load(self, name: str) -> None:
        """Load what is new of a model, unloaded or not, and try again what failed before.

        Raises:
            UnknownModelError: there is none of this name, neither here nor on disk.
            LoadError: its newest version is not sound; what was loaded before still answers.
        """
        with self._lock:
            try:
                listing = self._listed()
            except OSError as error:
                raise LoadError(f"{name}: {error.strerror}") from None
            if name not in _names([*listing.places, *self._known]):
                raise UnknownModelError("no model of this name")
            if name not in _names(listing.places):
                raise LoadError(f"{name}: its file is gone")
            self._unloaded.discard(name)
            self._renew(name, listing, again=True)
            newest = self._of(name)[0]
            if newest.error is not None:
                raise LoadError(f"{name} version {newest.place.version}: {newest.reason}")

    def unload(self, name: str) -> None:
        """Serve a model no more, whatever comes on disk, until `load` is called for it.

        Raises:
            UnknownModelError: there is none of this name.
        """
        with self._lock:
            if name not in _names(self._known):
                raise UnknownModelError("no model of this name")
            self._unloaded.add(name)
            self._renew(name, Listing({}, {}, []))

    def _of(self, name: str) -> list[Version]:
        """The known versions of a name, newest first."""
        found = [version for version in self._known.values() if version.place.name == name]
        return sorted(found, key=lambda version: int(version.place.version), reverse=True)

    def _count_missed(self, listing: Listing) -> None:
        """A folder with nothing at all in it is taken for a disk that went, not for a wish."""
        for key, version in self._known.items():
            found = key in listing.places or key[0] in listing.unlisted or not listing.places
            missed = 0 if found else version.looks_missed + 1
            self._known[key] = version._replace(looks_missed=missed)

    def _renew(self, name: str, listing: Listing, *, again: bool = False) -> None:
        """Bring the versions of one name up to date, serve them, and say what has changed."""
        before = {version.place.key: version for version in self._of(name)}
        for key, place in listing.places.items():
            if place.name == name:
                self._known[key] = self._known.get(key, Version(place))._replace(place=place)

        self._forget_gone(name, listing, others=self._load_newest_first(name, listing, again=again))
        after = {version.place.key: version for version in self._of(name)}
        if after == before:
            return
        self._publish()
        if self._started:
            for _ in range(reports.report_served(before, after)):
                self.reloaded("loaded")
            for _ in range(reports.report_refused(before, after)):
                self.reloaded("refused")

    def _load_newest_first(self, name: str, listing: Listing, *, again: bool) -> bool:
        """Load what the policy wants of one name, and tell whether any of it answers."""
        newest = ""
        for version in self._of(name):
            key = version.place.key
            if name in self._unloaded:
                self._known[key] = _idle(version, "unloaded on request")
            elif newest and self._policy == "latest":
                self._known[key] = _idle(version, f"version {newest} is newer")
            elif key in listing.places:
                self._known[key] = self._renewed(version, again=again)
            if self._known[key].classifier is not None and not _is_gone(version):
                newest = newest or key[1]
        return bool(newest)

    def _renewed(self, version: Version, *, again: bool) -> Version:
        """The version as its file is now, which is loaded only if it holds something else."""
        try:
            seen = versions.look(version)
            retried = again and seen.refusal is not None
            if version.seen and version.seen.digest == seen.digest and not retried:
                return version._replace(seen=seen, trouble=None)
            self._publish(loading=version.place)
            return versions.loaded(version, seen)
        except (OSError, ArtifactError) as trouble:
            if str(trouble) == str(version.trouble):
                return version
            return version._replace(trouble=trouble.with_traceback(None), idle="")

    def _forget_gone(self, name: str, listing: Listing, *, others: bool) -> None:
        """Drop what has gone, unless nothing else answers for a model that is still there."""
        needed = name in _names(listing.places) and not others
        for version in self._of(name):
            if _is_gone(version) and not (needed and version.classifier is not None):
                del self._known[version.place.key]

    def _publish(self, loading: Place | None = None) -> None:
        """Exchange the snapshot: the one assignment by which anything changes for requests."""
        known, before = self._known.values(), self.snapshot
        served = [Served(*v.place.key, v.classifier) for v in known if v.classifier is not None]
        self.snapshot = Snapshot(served, [v.entry(loading=v.place == loading) for v in known])
        if self._started:
            reports.report_default(before, self.snapshot)

    def _complain(self, found: Listing | OSError) -> None:
        """Say what is wrong with the folder, once for as long as it lasts."""
        complaints = reports.complaints(found, self._known.values())
        for line in sorted(complaints - self._complaints):
            log.warning("%s", line)
        self._complaints = complaints


def _names(keys: Iterable[Key]) -> list[str]:
    return sorted({name for name, _ in keys})


def _idle(version: Version, why: str) -> Version:
    return Version(version.place, idle=why, looks_missed=version.looks_missed)


def _is_gone(version: Version) -> bool:
    return version.looks_missed >= _LOOKS_TO_BE_GONE
