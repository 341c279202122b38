"""Every input that a fuzzer once found is tried again, and some changes of each."""

import random
from pathlib import Path

import pytest

from tests.fuzz.targets import CORPUS, TARGETS
from tests.long import times

INPUTS = sorted(path for path in CORPUS.rglob("*") if path.is_file())
ENDS = 0.05  # of the changes


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_was_found_once_stays_mended(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_changes_of_what_was_found_find_nothing(target: str) -> None:
    rng = random.Random(3)  # noqa: S311  the same changes every time
    seeds = [path.read_bytes() for path in INPUTS if path.parent.name == target]

    for _ in range(times(2_000, 500_000)):
        TARGETS[target](changed(rng, rng.choice(seeds), rng.choice(seeds)))


def changed(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """With bits flipped, bytes cut out, and something of another input put in."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randint(0, len(found))
        if rng.random() < 0.5 and at < len(found):
            found[at] ^= 1 << rng.randrange(8)
        else:
            piece, length = rng.randint(0, len(other)), rng.choice([1, 4, 16])
            found[at : at + rng.choice([0, 1, 4, 16])] = other[piece : piece + length]
    return bytes(found[: rng.randint(0, len(found))] if rng.random() < ENDS else found)


def test_a_bug_would_come_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: what is no refusal is not kept quiet."""
    monkeypatch.setattr("tests.fuzz.targets.CODECS", [lambda body: body[99]])

    with pytest.raises(IndexError):
        TARGETS["codecs"](b"\0{}")
