"""Models are exchanged under load: no request is lost, and no answer is of anything in between."""

import http.client
import json
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np
import pytest

from model import Float64s, fold, save_artifact
from tests.app.repository.folders import BAD
from tests.model.artifacts import make_artifact
from tests.serving import DEADLINE, Server, serving

CHANGES, WARM, CONNECTIONS = 200, 60, 8
SHAPE = (784, 128, 5)
KINDS = ["good", "truncated", "good", "flipped", "copied", "NaN weights", "good", "wrong hash",
         "copied", "wrong classes"]  # fmt: skip
BODY = json.dumps({"inputs": [0.25] * SHAPE[0]})
HEADERS = {"content-type": "application/json"}


class Network(NamedTuple):
    file: bytes
    probabilities: Float64s  # (C,) of the row in BODY, in float64


class Load:
    """Clients that ask without pause, and what came of it."""

    def __init__(self, url: str, networks: list[Network]) -> None:
        self.address = urlsplit(url).netloc
        self.networks = networks
        self.allowed: dict[str, set[int]] = {}  # by version, the networks that it has been
        self.lost: list[str] = []
        self.wrong: list[str] = []
        self.answered = 0
        self.over = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self.ask_on) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.over.set()
            for thread in threads:
                thread.join(DEADLINE)

    def ask_on(self) -> None:
        """On one connection after the other, each for a hundred requests."""
        while not self.over.is_set():
            connection = http.client.HTTPConnection(self.address, timeout=DEADLINE)
            for _ in range(100):
                self.ask(connection)
                if self.over.is_set():
                    break
            connection.close()

    def ask(self, connection: http.client.HTTPConnection) -> tuple[str, set[int]]:
        """One request; returns the version that answered and the networks it agrees with."""
        try:
            connection.request("POST", "/predict", BODY, HEADERS)
            answer = connection.getresponse()
            text = answer.read()
        except OSError as error:
            self.lost.append(repr(error))
            return "", set()
        if answer.status != 200:
            self.lost.append(text.decode())
            return "", set()
        self.answered += 1
        found = json.loads(text)
        version, p = found["version"], np.array(found["probabilities"][0])
        agreeing = {
            i for i, n in enumerate(self.networks) if np.abs(p - n.probabilities).max() <= 2e-6
        }
        if not agreeing & self.allowed[version]:
            self.wrong.append(text.decode())
        return version, agreeing


class Operator:
    """Puts good and bad versions in place, and waits until the server has said what it thinks."""

    def __init__(self, server: Server, load: Load, folder: Path) -> None:
        self.server, self.load, self.folder = server, load, folder
        self.newest, self.network = 1, 1  # the version that answers now, and what it is

    def act(self, kind: str) -> None:
        if kind == "copied":
            self.copy_over()
            return
        file = self.folder / str(self.newest + 1) / "model.npz"
        network = (self.newest + 1) % 2
        good = self.load.networks[network].file
        file.parent.mkdir()
        if kind != "good":
            file.write_bytes(BAD[kind][0](good))
            self.wait_for(f"{file} is not served: ")
            shutil.rmtree(file.parent)
            return
        self.newest, self.network = self.newest + 1, network
        self.load.allowed[str(self.newest)] = {network}
        file.write_bytes(good)
        self.wait_for(f"serving a version {self.newest} under")
        shutil.rmtree(self.folder / str(self.newest - 2), ignore_errors=True)

    def copy_over(self) -> None:
        """Another network over the newest one, in place and in two parts, as `cp` does."""
        file = self.folder / str(self.newest) / "model.npz"
        self.network = 1 - self.network
        self.load.allowed[str(self.newest)] = {0, 1}
        data = self.load.networks[self.network].file
        with file.open("wb") as opened:
            opened.write(data[: len(data) // 2])
            opened.flush()
            self.wait_for(f"{file} is not served: truncated")
            opened.write(data[len(data) // 2 :])
        self.wait_for(f"serving a version {self.newest} anew")

    def wait_for(self, text: str) -> None:
        said, deadline = len(self.server.stderr), time.monotonic() + DEADLINE
        self.server.process.send_signal(signal.SIGHUP)
        while not any(text in line for line in self.server.stderr[said:]):
            assert time.monotonic() < deadline, f"{text}: {self.server.stderr[-5:]}"
            time.sleep(0.002)


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> list[Network]:
    found, path = [], tmp_path_factory.mktemp("networks") / "m.npz"
    for seed in (0, 1):
        artifact = make_artifact(np.random.default_rng(seed), shape=SHAPE)
        save_artifact(path, artifact)
        probabilities = fold(artifact).trace(np.full((1, SHAPE[0]), 0.25)).a2[0]
        found.append(Network(path.read_bytes(), np.asarray(probabilities, np.float64)))
    assert np.abs(found[0].probabilities - found[1].probabilities).max() > 0.01
    return found


def test_200_swaps_under_load_lose_nothing_and_mix_nothing(
    networks: list[Network], tmp_path: Path
) -> None:
    first = tmp_path / "a" / "1" / "model.npz"
    first.parent.mkdir(parents=True)
    first.write_bytes(networks[1].file)
    with serving(tmp_path, model_policy="latest", reload_seconds=0) as server:
        load = Load(server.url, networks)
        load.allowed["1"] = {1}
        operator = Operator(server, load, first.parents[1])
        mine = http.client.HTTPConnection(load.address, timeout=DEADLINE)

        with load.running():
            for number in range(CHANGES):
                operator.act(KINDS[number % len(KINDS)])
                assert load.ask(mine) == (str(operator.newest), {operator.network})
                if number == WARM:
                    warm = server.resident()
        grown = server.resident() - warm
        mine.close()

    assert load.lost == []
    assert load.wrong == []
    assert load.answered > CHANGES
    assert grown <= 5 * 2**20, f"{grown} bytes more after {load.answered} answers"
