"""A repository from a path: one file, or a folder."""

from functools import partial
from pathlib import Path

from app.repository import versions
from app.repository.repository import Policy, Repository
from app.repository.scan import NAME, Listing, Place, scan
from app.repository.versions import Version
from model import ArtifactError


def load_repository(path: Path, policy: Policy = "all") -> Repository:
    """Load and verify what is at `path`. Of several models some may be bad, but not all.

    Raises:
        ArtifactError: no file is a sound model, or a folder holds none; names it.
        OSError: it is missing or cannot be read.
    """
    if path.is_dir():
        repository = Repository(partial(scan, path), policy)
    else:
        only = _only(path)
        listing = Listing({only.place.key: only.place}, {}, [])
        repository = Repository(lambda: listing, policy, [only])

    repository.start()
    if not repository.all():
        raise ArtifactError(
            f"{path}: no model in this folder; expected NAME/VERSION/model.npz or NAME.npz"
        )
    return repository


def _only(path: Path) -> Version:
    """The model of a single file, under the name in its metadata where a URL can hold it.

    It keeps this name when the file is replaced, whatever that one says: clients ask for it.
    """
    version = Version(Place(path.stem, "1", path))
    version = versions.loaded(version, versions.look(version))
    if version.classifier is None:
        raise version.error or ArtifactError(f"{path}: cannot be loaded")
    for name in (version.classifier.metadata["name"], path.stem, "model"):
        if NAME.fullmatch(name):
            break
    return version._replace(place=version.place._replace(name=name))
