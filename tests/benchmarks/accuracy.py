"""What a user gets: `softlens train` with its defaults, then `softlens evaluate` on unseen rows."""

import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from model import load_artifact
from model.data import load_digits
from model.training.preprocessing import stratified_split
from tests.benchmarks import mnist
from tests.benchmarks.machine import circumstances
from tests.benchmarks.markdown import Requirement, paragraphs, table, verdicts
from tests.benchmarks.processes import SOFTLENS
from tests.serving import ROOT, environment

DEADLINE = 900.0  # seconds for one training


class Result(NamedTuple):
    """One training, judged on rows it never saw."""

    seed: int
    accuracy: float
    log_loss: float  # nats
    ece: float
    seconds: float  # of the whole command `softlens train`
    kept: int  # the epoch whose weights were saved
    epochs: int  # as many as were run


def run(quick: bool) -> str:
    seeds = range(1 if quick else 3)
    return paragraphs(
        circumstances("numpy"),
        "**MNIST**, 60,000 rows to train on and 10,000 to judge by.",
        _mnist(seeds),
        "**Digits**, 1,797 rows, of which a stratified fifth, drawn with the seed, judges.",
        _digits(seeds),
    )


def _mnist(seeds: range) -> str:
    if not mnist.is_here():
        return mnist.ABSENT
    results = [_result(mnist.TRAINING, mnist.TEST, seed) for seed in seeds]

    mean = float(np.mean([result.accuracy for result in results]))
    least = min(result.accuracy for result in results)
    requirements = [
        Requirement("mean accuracy", "at least 98.0 %", f"{mean:.2%}", mean >= 0.98),
        Requirement("accuracy of each seed", "at least 97.8 %", f"{least:.2%}", least >= 0.978),
    ]
    return paragraphs(_table(results), verdicts(requirements))


def _digits(seeds: range) -> str:
    digits = load_digits()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        training, unseen = Path(folder) / "training.npz", Path(folder) / "unseen.npz"
        for seed in seeds:
            split = stratified_split(digits.labels, 0.2, np.random.default_rng(seed))
            for path, rows in ((training, split.training), (unseen, split.validation)):
                np.savez(path, X=digits.inputs[rows], y=digits.labels[rows])
            results.append(_result(str(training), str(unseen), seed))

    least = min(result.accuracy for result in results)
    wanted = Requirement("accuracy of each seed", "at least 97 %", f"{least:.2%}", least >= 0.97)
    return paragraphs(_table(results), verdicts([wanted]))


def _result(training: str, unseen: str, seed: int) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.npz"
        started = time.perf_counter()
        options = ("--output", str(model), "--hidden", "128", "--seed", str(seed))
        _softlens("train", training, *options)
        seconds = time.perf_counter() - started

        scores = json.loads(_softlens("evaluate", str(model), unseen, "--json"))
        metadata = load_artifact(model).metadata
    return Result(
        seed=seed,
        accuracy=scores["accuracy"],
        log_loss=scores["log_loss"],
        ece=scores["ece"],
        seconds=seconds,
        kept=metadata["training"]["best_epoch"],
        epochs=len(metadata["history"]),
    )


def _softlens(*arguments: str) -> str:
    """What the command prints on stdout; its talk on stderr is let through."""
    return subprocess.run(
        [*SOFTLENS, *arguments],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
        timeout=DEADLINE,
        check=True,
    ).stdout


def _table(results: list[Result]) -> str:
    rows = [
        (
            str(result.seed),
            f"{result.accuracy:.2%}",
            f"{result.log_loss:.4f}",
            f"{result.ece:.4f}",
            f"{result.seconds:.1f}",
            f"{result.kept} of {result.epochs}",
        )
        for result in results
    ]
    columns = ("accuracy", "log_loss", "ece", "seconds")
    mean = np.mean([[getattr(result, name) for name in columns] for result in results], axis=0)
    accuracy, log_loss, ece, seconds = mean.tolist()
    rows.append(("mean", f"{accuracy:.2%}", f"{log_loss:.4f}", f"{ece:.4f}", f"{seconds:.1f}", ""))
    return table(("seed", "accuracy", "log-loss, nats", "ECE", "seconds", "epoch kept"), rows)
