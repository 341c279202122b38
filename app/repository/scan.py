"""What lies in a folder of models, by name and version. No file is opened here.

A link counts as what it points to, so folders that are exchanged by flipping a link, as a
config map is, need nothing of their own. What begins with a dot is passed over: `..data`, `.git`,
files that are still on their way.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_VERSION = re.compile(r"[1-9][0-9]{0,17}")

Key: TypeAlias = tuple[str, str]  # name, version


class Place(NamedTuple):
    """Where one version of a model lies."""

    name: str
    version: str
    file: Path
    twin: Path | None = None  # another file for the same version, so that neither will do

    @property
    def key(self) -> Key:
        """What it is known by."""
        return self.name, self.version


class Listing(NamedTuple):
    """What was found."""

    places: dict[Key, Place]
    unlisted: dict[str, OSError]  # names whose folder could not be read, and why
    strays: list[Path]  # model files that cannot be called by their name or version


def scan(folder: Path) -> Listing:
    """List a folder of models.

    Raises:
        OSError: the folder itself cannot be read.
    """
    listing = Listing({}, {}, [])
    for path in sorted(folder.iterdir()):
        try:
            files = list(_files(path))
        except OSError as error:
            listing.unlisted[path.name.removesuffix(".npz")] = error
        else:
            for name, version, file in files:
                _add(listing, folder, Place(name, version, file))
    return listing


def _files(path: Path) -> Iterator[tuple[str, str, Path]]:
    """(name, version, file) of the model file at `path`, or of those in the folder there."""
    if path.name.startswith("."):
        return
    if path.is_dir():
        for version in sorted(path.iterdir()):
            if not version.name.startswith(".") and _is_there(version / "model.npz"):
                yield path.name, version.name, version / "model.npz"
    elif path.suffix == ".npz":
        yield path.stem, "1", path


def _is_there(file: Path) -> bool:
    """Whether there is anything, be it a link to nothing: that is a file that cannot be read."""
    try:
        file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _add(listing: Listing, folder: Path, place: Place) -> None:
    if not NAME.fullmatch(place.name) or not _VERSION.fullmatch(place.version):
        listing.strays.append(place.file)
        return
    if other := listing.places.get(place.key):
        place = other._replace(twin=place.file.relative_to(folder))
    listing.places[place.key] = place
