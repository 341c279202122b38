"""Which labels a loss is taken at, and what is said of a sure network, in this process."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.commands.gradient import run
from app.failures import OptionError
from model import DatasetError, save_artifact
from tests.model.artifacts import make_artifact

ROWS = "a,kind,b,c,d,note\n1,0,2,3,4,1\n5,1,6,7,8,0\n"  # `note` has the classes the other way round


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    return path


def model_in(folder: Path, **data: str) -> Path:
    path = folder / "model.npz"
    rng = np.random.default_rng(0)
    save_artifact(path, make_artifact(rng, features=list("abcd"), data=data))
    return path


def gradient_of_loss(model: Path, data: Path, **options: Any) -> Any:  # Any: passed on; an array
    output = model.with_name("dW2.npz")
    run(model, str(data), of="loss", wrt="W2", output=output, force=True, **options)
    with np.load(output) as arrays:
        return arrays["gradient"]


def test_the_labels_are_the_column_that_the_model_was_trained_on(
    tmp_path: Path, table: Path
) -> None:
    model = model_in(tmp_path, target="kind")

    usual = gradient_of_loss(model, table)

    np.testing.assert_array_equal(usual, gradient_of_loss(model, table, labels="kind"))
    assert not np.array_equal(usual, gradient_of_loss(model, table, labels="note"))


def test_a_model_that_knows_no_column_does_not_guess_one(tmp_path: Path, table: Path) -> None:
    with pytest.raises(OptionError, match="--labels: the loss needs the column of the class"):
        gradient_of_loss(model_in(tmp_path), table)


def test_an_archive_has_its_labels_in_one_place(tmp_path: Path, table: Path) -> None:
    x, model = np.array([[1.0, 2, 3, 4], [5, 6, 7, 8]]), model_in(tmp_path)
    np.savez(tmp_path / "rows.npz", X=x, y=[0, 1])

    found = gradient_of_loss(model, tmp_path / "rows.npz")

    np.testing.assert_array_equal(found, gradient_of_loss(model, table, labels="kind"))


def test_labels_are_read_only_where_the_loss_needs_them(tmp_path: Path) -> None:
    (tmp_path / "plain.csv").write_text("a,b,c,d\n1,2,3,4\n")
    model, output = model_in(tmp_path, target="kind"), tmp_path / "out.npz"

    run(model, str(tmp_path / "plain.csv"), output=output)

    assert output.exists()
    with pytest.raises(DatasetError, match="'kind'"):
        gradient_of_loss(model, tmp_path / "plain.csv")


@pytest.mark.parametrize("rows", [1, 3, 11])
def test_rows_that_nothing_moves_are_named_and_where_to_look(
    rows: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "sure.csv"
    data.write_text("a,b,c,d\n0,0,0,0\n" + "1e6,-1e6,1e6,1e6\n" * rows)

    run(model_in(tmp_path), str(data), as_json=True)

    said = capsys.readouterr()
    answer = json.loads(said.out)
    assert answer["certain_rows"] == list(range(1, rows + 1))
    assert "`logits`" in answer["note"]
    assert said.err.startswith("softlens: row 1:" if rows == 1 else "softlens: rows 1, 2, 3")
    assert (", ...:" in said.err) == (rows > 10)


def test_nothing_is_said_of_logits_however_sure_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "sure.csv"
    data.write_text("a,b,c,d\n1e6,-1e6,1e6,1e6\n")

    run(model_in(tmp_path), str(data), of="logits", wrt="inputs", as_json=True)

    said = capsys.readouterr()
    assert said.err == ""
    assert "certain_rows" not in json.loads(said.out)
