"""Files through a model, in this process: which rows and columns count, and how they are named."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.commands.scoring import in_blocks, read_inputs, score
from model import DatasetError, Float64s, InvalidInputError, load_classifier, save_artifact
from tests.model.artifacts import make_artifact

ROWS = 5000  # more than are computed at once
BAD = 4500


def write_csv(path: Path, values: Float64s) -> None:
    lines = [",".join(map(repr, row)) for row in values.tolist()]
    path.write_text("a,b,c,d\n\n" + "\n".join(lines) + "\n")  # the blank line counts as one


def write_npz(path: Path, values: Float64s) -> None:
    np.savez(path, X=values)


@pytest.fixture
def model(tmp_path: Path, rng: np.random.Generator) -> Path:
    path = tmp_path / "model.npz"
    save_artifact(path, make_artifact(rng, features=list("abcd"), scale=1e-3))
    return path


@pytest.mark.parametrize(
    ("name", "write", "place"),
    [
        ("rows.csv", write_csv, f"rows.csv: row {BAD + 3}: the logits overflow"),
        ("rows.npz", write_npz, rf"rows.npz: X\[{BAD}\]: the logits overflow"),
    ],
)
def test_a_row_that_overflows_is_named_as_the_file_has_it(
    name: str, write: Callable[[Path, Float64s], None], place: str, model: Path, tmp_path: Path
) -> None:
    values = np.ones((ROWS, 4))
    values[BAD] = 1.7e308
    write(tmp_path / name, values)
    classifier = load_classifier(model)

    features = read_inputs(classifier, str(tmp_path / name))

    for answer in (classifier.predict, classifier.trace):
        with pytest.raises(InvalidInputError, match=f"^{place}$"):
            list(in_blocks(features, answer))


def test_columns_that_the_model_does_not_use_may_hold_anything(model: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("note,a,b,c,d,kind\nfirst,1,2,3,4,0\n,5,6,7,8,1\n")

    report = score(model, str(tmp_path / "rows.csv"), None)

    assert report["rows"] == 2


def test_a_table_without_rows_cannot_be_evaluated_on(model: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b,c,d,kind\n")

    with pytest.raises(DatasetError, match="found none; add rows to evaluate on"):
        score(model, str(tmp_path / "rows.csv"), None)


def test_the_target_is_the_column_that_the_model_was_trained_on(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    model, data = tmp_path / "model.npz", tmp_path / "rows.csv"
    save_artifact(model, make_artifact(rng, features=list("abcd"), data={"target": "kind"}))
    data.write_text("a,kind,b,c,d,note\n1,0,2,3,4,first\n5,1,6,7,8,second\n")

    assert score(model, str(data), None)["rows"] == 2
    with pytest.raises(DatasetError, match="column 'note': expected a class the model knows"):
        score(model, str(data), "note")
