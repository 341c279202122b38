from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from app.repository import Served
from app.statistics import Stages, Statistics
from model import fold
from tests.model.artifacts import make_artifact


@pytest.fixture
def served(rng: np.random.Generator) -> Served:
    return Served("m", "2", fold(make_artifact(rng)))


def test_nothing_is_lost_between_threads(served: Served) -> None:
    statistics = Statistics()

    def answer() -> None:
        for _ in range(500):
            statistics.answered(served, 3, Stages(1, 2, 4))

    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(answer)

    found = statistics.of("m", "2")
    assert found.rows == 12_000
    assert (found.answered.count, found.answered.stages) == (4000, (4000, 8000, 16_000))


def test_answers_are_also_counted_by_the_size_of_their_batch(served: Served) -> None:
    statistics = Statistics()

    for rows in (1, 8, 8):
        statistics.answered(served, rows, Stages(1, 1, 1))

    by_rows = statistics.of("m", "2").by_rows
    assert {rows: total.count for rows, total in by_rows.items()} == {1: 1, 8: 2}


def test_a_version_that_was_never_asked_has_answered_nothing() -> None:
    found = Statistics().of("m", "1")

    assert (found.rows, found.answered.count, found.failed, found.last) == (0, 0, 0, 0)


def test_what_was_read_does_not_go_on_counting(served: Served) -> None:
    statistics = Statistics()
    statistics.answered(served, 1, Stages(1, 1, 1))
    found = statistics.of("m", "2")

    statistics.answered(served, 1, Stages(1, 1, 1))

    assert (found.answered.count, found.by_rows[1].count) == (1, 1)
