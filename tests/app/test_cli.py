"""The terminal, as a person uses it: real processes, their output and their exit codes."""

import csv
import fcntl
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.training import Plan
from tests.serving import DEADLINE, environment

SOFTLENS = [sys.executable, "-c", "from app.cli import main; main()"]


def softlens(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SOFTLENS, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env=environment(),
        cwd=cwd,
        check=False,
    )


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 rows of two clouds, with named columns and text classes."""
    rng, path = np.random.default_rng(3), tmp_path_factory.mktemp("data") / "clouds.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["width", "kind", "height", "year"])
        for i in range(200):
            kind = "ab"[i % 2]
            centre = 2.0 if kind == "a" else -2.0
            writer.writerow([centre + rng.normal(), kind, rng.normal(), 2000 + i % 7])
    return path


@pytest.fixture(scope="module")
def model(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "clouds.npz"
    done = softlens("train", table, "--target", "kind", "--output", path, "--hidden", 16)
    assert done.returncode == 0, done.stderr
    return path


def read_rows(table: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(table.read_text().splitlines()))


def test_help_needs_neither_numpy_nor_fastapi() -> None:
    program = (
        "import sys; sys.argv = ['softlens', '--help']\n"
        "from app.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'numpy', 'fastapi', 'pydantic', 'rich'} & set(sys.modules)))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env=environment(), timeout=DEADLINE,
    )  # fmt: skip

    assert done.stdout.endswith("[]\n")
    assert "softlens demo" in done.stdout
    assert "..." not in done.stdout.partition("Commands:")[2]  # no line is cut


@pytest.mark.parametrize(
    "command", ["demo", "train", "evaluate", "predict", "gradient", "serve", "bench", "inspect"]
)
def test_every_command_shows_two_examples(command: str) -> None:
    done = softlens(command, "--help")

    assert done.returncode == 0
    assert done.stdout.count(f"softlens {command}") >= 3


def test_training_prints_the_result_on_stdout_and_talks_on_stderr(
    table: Path, tmp_path: Path
) -> None:
    done = softlens("train", table, "--target", "kind", "--output", tmp_path / "m.npz")

    assert done.returncode == 0
    assert "validation accuracy" in done.stdout
    assert "sha256" in done.stdout
    assert "epoch 1/40" in done.stderr
    assert "\x1b" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["m.npz"]


def test_the_same_seed_gives_the_same_hash(table: Path, tmp_path: Path) -> None:
    hashes = []
    for name in ("a.npz", "b.npz"):
        softlens("train", table, "--target", "kind", "--output", tmp_path / name, "--epochs", 3)
        hashes.append(json.loads(softlens("inspect", tmp_path / name, "--json").stdout)["sha256"])

    assert hashes[0] == hashes[1]


def test_the_defaults_are_those_of_the_plan(model: Path) -> None:
    training = json.loads(softlens("inspect", model, "--json").stdout)["training"]

    assert {key: training[key] for key in asdict(Plan())} == asdict(Plan(hidden=16))


def test_inspect_tells_what_a_model_is(model: Path) -> None:
    done = softlens("inspect", model)

    assert done.returncode == 0
    assert "3 features, 16 relu units, 2 classes" in done.stdout
    assert "width, height, year" in done.stdout
    assert "(verified)" in done.stdout


def test_evaluate_counts_what_predict_says(model: Path, table: Path) -> None:
    report = json.loads(softlens("evaluate", model, table, "--target", "kind", "--json").stdout)
    labels = [
        row["label"]
        for row in csv.DictReader(softlens("predict", model, table).stdout.splitlines())
    ]
    truth = [row["kind"] for row in read_rows(table)]

    assert report["rows"] == 200
    assert report["accuracy"] == np.mean(np.array(labels) == np.array(truth))
    assert report["accuracy"] > 0.9
    assert report["classes"] == ["a", "b"]
    assert np.sum(report["confusion_matrix"]) == 200
    assert np.trace(report["confusion_matrix"]) == 200 * report["accuracy"]
    assert 0 <= report["ece"] <= 1
    assert report["log_loss"] > 0


@pytest.mark.parametrize(
    "rows", ["1,0,1\n2,0,2\n", "1,0,1\n1,0,1\n", "1,0,unknown\n", "1,0,2.0\n2,0, 1 \n"]
)
def test_a_few_of_the_classes_are_enough_to_evaluate(rows: str, tmp_path: Path) -> None:
    train, some = tmp_path / "train.csv", tmp_path / "some.csv"
    train.write_text("x,y,kind\n" + "1,0,1\n2,0,2\n3,5,unknown\n" * 20)
    some.write_text("x,y,kind\n" + rows)
    softlens("train", train, "--output", tmp_path / "m.npz", "--epochs", 3)

    done = softlens("evaluate", tmp_path / "m.npz", some, "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["classes"] == ["1", "2", "unknown"]
    assert json.loads(done.stdout)["rows"] == rows.count("\n")


def test_a_reader_that_leaves_early_is_no_failure(model: Path, table: Path) -> None:
    command = f"{sys.executable} -c '{SOFTLENS[2]}' predict {model} {table} | head -n 1"

    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False,
        timeout=DEADLINE, env=environment(),
    )  # fmt: skip

    assert (done.returncode, done.stdout, done.stderr) == (0, "label,p(a),p(b)\n", "")


def test_columns_are_found_by_name_in_any_order(model: Path, table: Path, tmp_path: Path) -> None:
    rows = read_rows(table)
    with (tmp_path / "shuffled.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["year", "height", "extra", "width"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows([row | {"extra": "1"} for row in rows])

    shuffled = softlens("predict", model, tmp_path / "shuffled.csv")

    assert shuffled.stdout == softlens("predict", model, table).stdout


def test_predictions_as_json_lines(model: Path, table: Path) -> None:
    done = softlens("predict", model, table, "--json")

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == 200
    assert lines[0]["label"] in {"a", "b"}
    assert sum(lines[0]["probabilities"]) == pytest.approx(1.0, abs=1e-6)


def test_predictions_go_to_a_file_that_is_not_overwritten(
    model: Path, table: Path, tmp_path: Path
) -> None:
    output = tmp_path / "predictions.csv"

    first = softlens("predict", model, table, "--output", output)
    second = softlens("predict", model, table, "--output", output)

    assert (first.returncode, first.stdout) == (0, "")
    assert output.read_text().startswith("label,p(a),p(b)\n")
    assert second.returncode == 73
    assert "--force" in second.stderr


def test_gradients_go_to_an_npz(model: Path, table: Path, tmp_path: Path) -> None:
    output = tmp_path / "jacobians.npz"

    done = softlens("gradient", model, table, "--output", output)

    assert done.returncode == 0
    with np.load(output) as arrays:
        p = arrays["probabilities"]
        expected = np.einsum("ni,ij->nij", p, np.eye(2)) - p[:, :, None] * p[:, None, :]
        # The textbook form loses what 1 - p loses.
        np.testing.assert_allclose(arrays["gradient"], expected, atol=1e-15)


def test_gradients_print_for_people_and_for_programs(model: Path, table: Path) -> None:
    text, found = softlens("gradient", model, table), softlens("gradient", model, table, "--json")

    assert text.stdout.startswith("row 0\n[[")
    assert np.shape(json.loads(found.stdout)["gradient"]) == (200, 2, 2)


def test_any_derivative_goes_to_an_npz(model: Path, table: Path, tmp_path: Path) -> None:
    output = tmp_path / "dW1.npz"

    done = softlens(
        "gradient", model, table, "--of", "loss", "--wrt", "W1", "--labels", "kind",
        "--output", output,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    with np.load(output) as arrays:
        assert arrays["gradient"].shape == (3, 16)


def test_attributions_go_to_an_npz(model: Path, table: Path, tmp_path: Path) -> None:
    output = tmp_path / "why.npz"

    done = softlens(
        "gradient", model, table, "--attribute", "integrated-gradients", "--output", output
    )

    assert done.returncode == 0, done.stderr
    with np.load(output) as arrays:
        assert arrays["attributions"].shape == (200, 3)
        # 50 steps over the kinks of 16 relus, of probabilities.
        assert np.abs(arrays["completeness_gap"]).max() < 0.05


def test_a_product_takes_its_vector_from_a_file(model: Path, table: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.ones((200, 2)))

    done = softlens(
        "gradient", model, table, "--mode", "vjp", "--vector", tmp_path / "v.npy", "--json"
    )

    # The probabilities sum to 1 whatever the logits do.
    found = json.loads(done.stdout)
    assert found["mode"] == "vjp"
    np.testing.assert_allclose(found["gradient"], np.zeros((200, 2)), atol=1e-15)


def test_a_pipe_is_no_vector(model: Path, table: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "v.npy")

    done = softlens("gradient", model, table, "--mode", "vjp", "--vector", tmp_path / "v.npy")

    assert done.returncode == 66
    assert "v.npy" in done.stderr


FAILURES: dict[str, tuple[list[Any], int, str]] = {  # Any: texts and paths
    "no command": (["trian"], 2, "Did you mean 'train'"),
    "unknown option": (["inspect", "MODEL", "--jsno"], 2, "--json"),
    "epochs of 0": (["train", "--output", "NEW", "--epochs", "0"], 2, "--epochs"),
    "unknown activation": (["train", "--output", "NEW", "--activation", "gelu"], 2, "relu"),
    "no data": (["train", "absent.csv", "--output", "NEW"], 66, "absent.csv"),
    "no model": (["inspect", "absent.npz"], 66, "absent.npz"),
    "a folder as model": (["inspect", "FOLDER"], 66, "FOLDER"),
    "not a model": (["inspect", "TABLE"], 65, "not a model saved by softlens"),
    "unknown target": (["train", "TABLE", "--target", "knid", "--output", "NEW"], 65, "'kind'"),
    "a target to regress": (
        ["train", "REGRESSION", "--output", "NEW"],
        65,
        "different values",
    ),
    "target without data": (["train", "--target", "x", "--output", "NEW"], 2, "--target"),
    "existing output": (["train", "--output", "MODEL"], 73, "--force"),
    "folder missing": (["train", "--output", "absent/new.npz"], 73, "absent"),
    "diverging": (
        ["train", "--output", "NEW", "--optimizer", "sgd", "--learning-rate", "1e30"],
        1,
        "is not finite",
    ),
    "a class the model lacks": (["evaluate", "MODEL", "OTHER"], 65, "'c'"),
    "a feature that is missing": (["predict", "MODEL", "NARROW"], 65, "'year'"),
    "decay without end": (["train", "--output", "NEW", "--weight-decay", "inf"], 2, "weight-decay"),
    "an output that is no file": (["train", "--output", "/dev/null", "--force"], 73, "regular"),
    "an output where none may be": (["train", "--output", "/proc/new.npz"], 73, "/proc"),
    "a prediction where none may be": (
        ["predict", "MODEL", "TABLE", "--output", "/proc/x"],
        73,
        "/proc",
    ),
    "a name that is too long": (["train", "--output", "n" * 300], 73, "file name"),
    "a network too large to save": (
        ["train", "--output", "NEW", "--hidden", "1000000000000"],
        2,
        "at most 3579139 hidden units",
    ),
    "more units than any number": (
        ["train", "--output", "NEW", "--hidden", "1" + "0" * 30],
        2,
        "--hidden",
    ),
    "a model of another name": (["train", "--output", "model.v2"], 73, "name it model.v2.npz"),
    "a derivative against the flow": (
        ["gradient", "MODEL", "TABLE", "--of", "inputs", "--wrt", "logits"],
        2,
        "does not depend on",
    ),
    "a loss without labels": (["gradient", "MODEL", "PLAIN", "--of", "loss"], 65, "'kind'"),
    "attributions of the loss": (
        [
            "gradient",
            "MODEL",
            "TABLE",
            "--attribute",
            "saliency",
            "--of",
            "loss",
            "--labels",
            "kind",
        ],
        2,
        "--of",
    ),
    "a product without a vector": (["gradient", "MODEL", "TABLE", "--mode", "vjp"], 2, "--vector"),
    "serving nothing": (["serve", "absent.npz", "--port", "0"], 66, "absent.npz"),
    "serving a table": (["serve", "TABLE", "--port", "0"], 65, "not a model"),
    "an impossible port": (["serve", "MODEL", "--port", "70000"], 2, "--port"),
    "an empty folder": (["serve", "FOLDER", "--port", "0"], 65, "no model in this folder"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_failures_are_one_line_and_an_exit_code(
    case: str, model: Path, table: Path, tmp_path: Path
) -> None:
    arguments, code, words = FAILURES[case]
    (tmp_path / "other.csv").write_text("width,height,year,kind\n1,2,3,c\n1,2,3,a\n")
    (tmp_path / "narrow.csv").write_text("width,height\n1,2\n")
    (tmp_path / "plain.csv").write_text("width,height,year\n1,2,3\n")
    (tmp_path / "regression.csv").write_text("x,y\n1,0.1\n2,0.2\n3,0.3\n")
    (tmp_path / "FOLDER").mkdir()
    names = {
        "MODEL": model, "TABLE": table, "NEW": tmp_path / "new.npz",
        "FOLDER": tmp_path / "FOLDER", "OTHER": tmp_path / "other.csv",
        "NARROW": tmp_path / "narrow.csv", "PLAIN": tmp_path / "plain.csv",
        "REGRESSION": tmp_path / "regression.csv",
    }  # fmt: skip

    done = softlens(*(names.get(a, a) for a in arguments), cwd=tmp_path)

    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "new.npz").exists()
    if code != 2:  # usage errors show the usage too
        assert done.stderr.splitlines()[-1].startswith("softlens: ")


def test_a_stack_trace_is_shown_when_asked_for(tmp_path: Path) -> None:
    done = softlens("inspect", "absent.npz", "--debug", cwd=tmp_path)

    assert done.returncode == 66
    assert "Traceback" in done.stderr


def test_two_trainers_of_one_file_do_not_mix(table: Path, tmp_path: Path) -> None:
    with (tmp_path / ".m.npz.lock").open("w") as lock:
        lock.write("4242")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = softlens("train", table, "--target", "kind", "--output", tmp_path / "m.npz")

    assert done.returncode == 75
    assert "locked by process 4242" in done.stderr


def test_a_lock_that_is_a_link_is_not_followed(table: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("precious")
    (tmp_path / ".m.npz.lock").symlink_to(precious)

    done = softlens("train", table, "--target", "kind", "--output", tmp_path / "m.npz")

    assert done.returncode == 73
    assert precious.read_text() == "precious"


def test_ctrl_c_once_saves_the_best_and_exits_130(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    with subprocess.Popen(
        [*SOFTLENS, "train", "--output", str(path), "--epochs", "100000", "--patience", "100000"],
        env=environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    ) as trainer:  # fmt: skip
        assert trainer.stderr is not None
        trainer.stderr.readline()  # the first epoch has ended
        trainer.send_signal(signal.SIGINT)
        talk = trainer.stderr.read()
        code = trainer.wait(timeout=DEADLINE)

    assert code == 130
    assert "the best weights so far are saved" in talk
    assert softlens("inspect", path).returncode == 0


def test_a_bar_is_drawn_on_a_terminal(tmp_path: Path) -> None:
    master, slave = os.openpty()
    with subprocess.Popen(
        [*SOFTLENS, "train", "--output", str(tmp_path / "m.npz"), "--epochs", "3"],
        env=environment() | {"TERM": "xterm"}, stderr=slave, stdout=subprocess.DEVNULL,
    ) as trainer:  # fmt: skip
        os.close(slave)
        drawn = b""
        while True:
            try:
                drawn += os.read(master, 4096)
            except OSError:  # the other end is closed: that is how a terminal says so
                break
        assert trainer.wait(timeout=DEADLINE) == 0
    os.close(master)

    assert b"\x1b" in drawn
    assert b"3/3" in drawn


def test_the_demo_prints_a_curl_that_works() -> None:
    with subprocess.Popen(
        [*SOFTLENS, "demo", "--port", "0"],
        env=environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as demo:  # fmt: skip
        assert demo.stdout is not None
        command = next(line for line in demo.stdout if line.startswith("curl "))
        answer = subprocess.run(
            ["/bin/sh", "-c", command], capture_output=True, check=True, timeout=DEADLINE
        )
        demo.send_signal(signal.SIGINT)
        code = demo.wait(timeout=DEADLINE)

    found = json.loads(answer.stdout)
    assert found["model"] == "digits"
    assert found["labels"] == [0]
    assert code == 130
