"""Hostile model files beside a good one that is served: each is named, and nothing else happens."""

import os
import pickle
import signal
import time
from pathlib import Path

import httpx
import numpy as np

from model import save_artifact
from tests.fuzz.targets import sealed
from tests.model.artifacts import make_artifact
from tests.model.test_artifact import HOSTILE, members_of, npy, rewrite
from tests.serving import DEADLINE, Server, serving

GOOD = {"inputs": [1, 2, 3, 4]}


class Canary:
    """Leaves a trace where it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, tuple[str, int]]:
        return os.mkdir, (str(self.place), 0o700)


def wrong_things(sound: bytes, place: Path) -> dict[str, bytes]:
    """What is no model at all."""
    bait = pickle.dumps(Canary(place))
    return {
        "empty": b"",
        "a pickle": bait,
        "a sealed pickle": sealed(b"PK\x03\x04" + bait + b"PK\x05\x06" + bytes(18)),
        "html": b"<html><script>alert(1)</script>",
        "an array": npy(np.ones(3)),
        "pickled objects": npy(np.array([Canary(place)], dtype=object)),
        "half": sound[: len(sound) // 2],
        "twice": sound * 2,
        "followed by a script": sound + b"#!/bin/sh\n",
        "after a script": b"#!/bin/sh\n" + sound,
        "a bit": sound[:500] + bytes([sound[500] ^ 1]) + sound[501:],
        "zeros": bytes(len(sound)),
    }


def named_safely(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name)


def refusals(client: httpx.Client, server: Server, count: int) -> dict[str, str]:
    """What the server says of so many files, as soon as it has looked at them."""
    os.kill(server.process.pid, signal.SIGHUP)
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        found = client.get("/models").json()["unserved"]
        if len(found) >= count:
            break
        time.sleep(0.05)
    return {entry["name"]: entry["reason"] for entry in found}


def test_hostile_files_are_named_and_the_good_model_answers_as_before(tmp_path: Path) -> None:
    folder, trace = tmp_path / "models", tmp_path / "unpickled"
    folder.mkdir()
    sound = folder / "sound.npz"
    save_artifact(sound, make_artifact(np.random.default_rng(1)))
    with serving(folder, reload_seconds=0) as server, server.client() as client:
        before, opened = client.post("/predict", json=GOOD).content, server.descriptors()
        resident, placed = server.resident(), set()

        for name, (make, _) in HOSTILE.items():
            placed.add(named_safely(name))
            rewrite(folder / f"{named_safely(name)}.npz", make(sound))
        for name, content in wrong_things(sound.read_bytes(), trace).items():
            placed.add(named_safely(name))
            (folder / f"{named_safely(name)}.npz").write_bytes(content)
        bomb = members_of(sound) | {"W1.npy": bytes(2**26)}
        rewrite(folder / "bomb.npz", bomb, compression=8)
        os.mkfifo(folder / "pipe.npz")
        (folder / "device.npz").symlink_to("/dev/zero")
        (folder / "loop.npz").symlink_to("loop.npz")
        placed |= {"bomb", "pipe", "device", "loop"}
        found = refusals(client, server, len(placed))

        assert set(found) == placed
        assert all(reason and "\n" not in reason for reason in found.values())
        assert client.post("/predict", json=GOOD).content == before
        assert client.get("/readyz").status_code == 200
        assert server.process.poll() is None
        assert server.descriptors() <= opened
        assert server.resident() - resident < 2**26
        assert "Traceback" not in "".join(server.stderr)
    assert not trace.exists()


def test_the_bait_would_be_noticed(tmp_path: Path) -> None:
    """The control: unpickled, it leaves its trace."""
    pickle.loads(pickle.dumps(Canary(tmp_path / "trace")))  # noqa: S301  our own

    assert (tmp_path / "trace").exists()
