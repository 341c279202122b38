"""`softlens probe` and `softlens check` as real processes: files in, words and exit codes out."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.gradients import check, probe, read_given, right_answers
from tests.app.test_cli import softlens


@pytest.fixture
def problem(tmp_path: Path) -> Path:
    path = tmp_path / "probe.npz"
    done = softlens("probe", "--level", "network", "--seed", 7, "--output", path)
    assert done.returncode == 0, done.stderr
    return path


def right() -> dict[str, Any]:
    found = probe("network", 7)
    answers = right_answers(read_given(found.given))
    return {name: answers[name] for name in found.wanted}


def test_a_problem_says_what_is_wanted_and_under_which_names(tmp_path: Path) -> None:
    done = softlens("probe", "--level", "loss", "--seed", 3, "--output", tmp_path / "p.npz")

    with np.load(tmp_path / "p.npz") as arrays:
        assert set(arrays.files) == {"logits", "labels", "level", "seed", "probe_version"}
        np.testing.assert_array_equal(arrays["logits"], probe("loss", 3).given["logits"])
    N, C = probe("loss", 3).wanted["delta3"]
    assert f"wanted: delta3 ({N}, {C})" in done.stdout
    assert "labels counted from 0" in done.stdout


def test_a_problem_without_a_file_is_printed_as_json() -> None:
    done = softlens("probe", "--level", "jacobian", "--seed", 3)

    assert json.loads(done.stdout)["given"] == {
        "logits": probe("jacobian", 3).given["logits"].tolist()
    }


@pytest.mark.parametrize(
    ("factor", "code", "word"), [(1.0, 0, "right"), (-1.0, 1, "negative-gradient")]
)
def test_the_exit_code_is_the_verdict(
    factor: float, code: int, word: str, problem: Path, tmp_path: Path
) -> None:
    np.savez(tmp_path / "answer.npz", **{name: factor * g for name, g in right().items()})

    done = softlens("check", problem, tmp_path / "answer.npz")

    assert (done.returncode, done.stderr) == (code, "")
    assert word in done.stdout


def test_what_cannot_be_decided_has_an_exit_code_of_its_own(problem: Path, tmp_path: Path) -> None:
    rounded = {name: [float(f"{x:.2g}") for x in g.ravel()] for name, g in right().items()}
    answer = {name: np.reshape(rounded[name], g.shape).tolist() for name, g in right().items()}
    (tmp_path / "answer.json").write_text(json.dumps(answer))

    done = softlens("check", problem, tmp_path / "answer.json")

    assert done.returncode == 3
    assert done.stdout.startswith("undecidable\n")


def test_json_goes_in_and_out(tmp_path: Path) -> None:
    given = {"logits": [[1.0, 2.0, 4.0]], "labels": [0]}
    answer = {"delta3": [[None, 0.1, 0.2]]}
    (tmp_path / "mine.json").write_text(json.dumps(given))
    (tmp_path / "answer.json").write_text(json.dumps(answer))

    done = softlens("check", tmp_path / "mine.json", tmp_path / "answer.json", "--json")

    expected = check(given, {"delta3": [[np.nan, 0.1, 0.2]]}).document()
    assert json.loads(done.stdout) == expected
    assert done.returncode == 1


def test_blind_spots_are_listed_without_an_answer(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps({"logits": [[1.0, 2.0, 4.0]], "labels": [0]}))

    done = softlens("check", tmp_path / "mine.json", "--blind-spots")

    assert done.returncode == 0
    assert "sum-instead-of-mean" in done.stdout.splitlines()  # one row hides the mean


@pytest.mark.parametrize(
    ("name", "content", "code", "says"),
    [
        ("absent.npz", None, 66, "No such file"),
        ("answer.txt", b"", 2, "ends in .npz or .json"),
        ("answer.npz", b"no archive", 65, "expected a NumPy archive"),
        ("answer.npz", b"PK\x03\x04 and then nothing", 65, "is damaged"),
        ("answer.json", b"{", 65, "is not JSON"),
        ("answer.json", b"[1, 2]", 65, "expected a JSON object"),
        ("answer.json", b'{"dw1": [1]}', 65, "did you mean dW1?"),
        ("answer.json", b'{"dW1": [[1, 2]]}', 65, "expected shape (9, 10), got (1, 2)"),
        ("answer.json", b'{"dW1": [[1, 2], [3]]}', 65, "rows of one length"),
        ("answer.json", b'{"dW1": "no"}', 65, "expected numbers"),
        ("answer.json", b'{"dW1": {"a": 1}}', 65, "expected numbers"),
        ("answer.json", b"{}", 65, "expected at least one of dW1"),
    ],
)
def test_an_unfit_answer_is_explained(
    name: str, content: bytes | None, code: int, says: str, problem: Path, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)

    done = softlens("check", problem, tmp_path / name)

    assert (done.returncode, says in done.stderr) == (code, True), done.stderr
    assert done.stderr.count("\n") == 1
    assert name in done.stderr


def test_a_pipe_is_no_answer(problem: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "answer.npz")

    assert softlens("check", problem, tmp_path / "answer.npz").returncode == 66


@pytest.mark.parametrize(
    "arguments",
    [
        ("probe", "--level", "network"),
        ("probe", "--level", "none", "--seed", 1),
        ("probe", "--level", "loss", "--seed", -1),
        ("check", "probe.npz"),
        ("check", "probe.npz", "answer.npz", "--blind-spots"),
        ("check", "probe.npz", "answer.npz", "--precision"),
    ],
)
def test_a_wrong_command_line_is_refused(arguments: tuple[object, ...]) -> None:
    assert softlens(*arguments).returncode == 2


def test_an_existing_problem_is_not_replaced(problem: Path) -> None:
    again = softlens("probe", "--level", "network", "--seed", 8, "--output", problem)

    assert (again.returncode, "already exists" in again.stderr) == (73, True)


def test_a_precision_that_does_not_exist_is_refused(problem: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "answer.npz", **right())

    done = softlens("check", problem, tmp_path / "answer.npz", "--precision", "much")

    assert (done.returncode, "--precision: expected float64" in done.stderr) == (2, True)
