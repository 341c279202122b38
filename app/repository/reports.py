"""What the log tells of models that come, change, fail and go. Each thing is said once."""

import logging
from collections.abc import Iterable, Mapping

from app.repository.scan import Key, Listing
from app.repository.snapshot import Snapshot
from app.repository.versions import Version

log = logging.getLogger("softlens")


def report_refused(before: Mapping[Key, Version], after: Mapping[Key, Version]) -> int:
    """Name the files that are new and cannot be served, each with its reason, and count them."""
    count = 0
    for key, version in after.items():
        old = before.get(key)
        gone = version.looks_missed > 1 and (old is None or old.looks_missed <= 1)
        if gone or (version.error is not None and (old is None or version.error is not old.error)):
            entry = version.entry(loading=False)
            log.warning("%s is not served: %s", version.place.file, entry.reason)
            count += 1
    return count


def report_served(before: Mapping[Key, Version], after: Mapping[Key, Version]) -> int:
    """Name what answers now and did not before, and what answers no more; count the former."""
    count = 0
    for key, version in after.items():
        old = before.get(key)
        if version.classifier is None or (old and old.classifier is version.classifier):
            continue
        count += 1
        if old is None or old.classifier is None:
            log.info("serving %s version %s under /models/%s/versions/%s", *key, *key)
        else:
            log.info("serving %s version %s anew: its file has changed", *key)
    for key, version in before.items():
        now = after.get(key)
        if version.classifier is not None and (now is None or now.classifier is None):
            reason = now.reason if now else "its file is gone"
            log.info("%s version %s is no longer served: %s", *key, reason)
    return count


def report_default(before: Snapshot, after: Snapshot) -> None:
    """Name the default model when it is another one: it may have other classes."""
    if not after.all():
        log.warning("no model is left: /readyz says so, and requests are refused")
    elif not before.all() or before.default.name != after.default.name:
        log.warning("the default model, of /predict, is %s now", after.default.name)


def complaints(found: Listing | OSError, known: Iterable[Version]) -> set[str]:
    """What is wrong with a folder itself."""
    if isinstance(found, OSError):
        return {_unlisted(found)}
    said = {_unlisted(error) for error in found.unlisted.values()}
    said |= {
        f"{file} is not served: expected NAME/VERSION/model.npz or NAME.npz"
        for file in found.strays
    }
    if not found.places and any(version.classifier is not None for version in known):
        said.add("no model file is left; those that were loaded keep answering")
    return said


def _unlisted(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}; what was loaded from there keeps answering"
