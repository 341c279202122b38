"""Models on disk, loaded and verified, and exchanged while they serve.

One `.npz`, or a folder that holds `NAME/VERSION/model.npz`, versions being positive integers, or
plain `NAME.npz` files, which are version 1. docs/decisions/0007-hot-swap.md has the reasons.

    scan        what lies in the folder
    versions    one of those: what its file held when it was read last, and what answers
    snapshot    everything that answers at one moment; requests read nothing else
    repository  looks at the disk, loads, and exchanges the snapshot
    watch       when to look: every few seconds, and when told to
"""

from app.repository.opening import load_repository
from app.repository.repository import Repository
from app.repository.snapshot import Entry, Served, Snapshot
from app.repository.watch import watching

__all__ = ["Entry", "Repository", "Served", "Snapshot", "load_repository", "watching"]
