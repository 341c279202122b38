import csv
import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.data.table import read_csv, read_csv_features
from model.errors import DatasetError

DOUBLES = st.floats(allow_nan=False, allow_infinity=False)


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def assert_explained(error: pytest.ExceptionInfo[DatasetError], words: list[str]) -> None:
    message = str(error.value)
    assert [word for word in ["table.csv", *words] if word not in message] == []
    assert "\n" not in message


def test_the_last_column_is_the_target_unless_named(tmp_path: Path) -> None:
    path = write(tmp_path, "x,y,z\n1,2,3\n4,5,6\n")

    last, first = read_csv(path), read_csv(path, "x")

    assert (last.features, last.classes) == (("x", "y"), (3, 6))
    assert (first.features, first.classes) == (("y", "z"), (1, 4))
    np.testing.assert_array_equal(first.inputs, [[2.0, 3.0], [5.0, 6.0]])


def test_a_table_becomes_a_dataset(tmp_path: Path) -> None:
    path = write(tmp_path, "length,width,kind\n1.5,2,cat\n-3e-1, 4 ,ant\n0,1, cat\n")

    data = read_csv(path)

    np.testing.assert_array_equal(data.inputs, [[1.5, 2.0], [-0.3, 4.0], [0.0, 1.0]])
    assert data.inputs.dtype == np.float64
    assert data.labels.tolist() == [1, 0, 1]
    assert (data.classes, data.source) == (("ant", "cat"), "table.csv")


@pytest.mark.parametrize("name", ["table.csv.gz", "table.csv"])
def test_gzip_is_recognised_whatever_the_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"x,y\n1,a\n2,b\n"))

    data = read_csv(path)

    assert data.inputs.tolist() == [[1.0], [2.0]]


@given(st.lists(st.tuples(DOUBLES, DOUBLES, DOUBLES), min_size=2, max_size=20))
def test_what_a_csv_writer_wrote_is_read_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, float, float]]
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["a", "b", "c", "y"], *([*row, i] for i, row in enumerate(rows))])
    path = write(tmp_path_factory.mktemp("law"), text.getvalue())

    inputs = read_csv(path).inputs

    assert inputs.tobytes() == np.array(rows, dtype=np.float64).tobytes()


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("tall", ["finite number", "text 'tall'", "remove the column"]),
        ("1_000", ["finite number", "text '1_000'", "digits only"]),
        ('"1,5"', ["finite number", "text '1,5'", "decimal point"]),
        ("", ["finite number", "empty cell", "fill it in"]),
        ("  ", ["finite number", "empty cell", "fill it in"]),
        ("nan", ["finite number", "NaN", "fill it in"]),
        ("-Infinity", ["finite number", "'-Infinity'", "infinite as float64"]),
        ("1e400", ["finite number", "'1e400'", "infinite as float64"]),
        ("9" * 400, ["finite number", "'99999", "...", "infinite as float64"]),
        ("True", ["finite number", "text 'True'"]),
        ("0x10", ["finite number", "text '0x10'"]),
        ("\u0663", ["finite number", "text '\u0663'"]),
        ("1\uff0e5", ["finite number", "text '1\uff0e5'"]),
        ('"a\nb"', ["finite number", r"text 'a\nb'"]),
    ],
)
def test_a_cell_that_is_no_number_is_named(tmp_path: Path, cell: str, words: list[str]) -> None:
    path = write(tmp_path, f"x,height,y\n1,2,a\n1,{cell},b\n")

    with pytest.raises(DatasetError) as error:
        read_csv(path)

    assert_explained(error, ["row 3", "column 'height'", *words])


def test_a_cell_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, b"x,y\n1,a\n\xb2,b\n")

    with pytest.raises(DatasetError) as error:
        read_csv(path)

    assert_explained(error, ["row 3", "column 'x'", "UTF-8"])


@pytest.mark.parametrize(
    ("cell", "found"), [(b"", "nothing"), (b" ", "nothing"), (b"NaN", "NaN"), (b"\xe9", "UTF-8")]
)
def test_a_row_without_a_label_is_named(tmp_path: Path, cell: bytes, found: str) -> None:
    path = write(tmp_path, b"x,species\n1,a\n\n2," + cell + b"\n")

    with pytest.raises(DatasetError) as error:
        read_csv(path)

    assert_explained(error, ["row 4", "column 'species'", "expected a label", found])


@pytest.mark.parametrize(
    ("text", "target", "words"),
    [
        ("x,y\n", None, ["at least 2 rows", "found 0"]),
        ("x,y\n1,a\n", None, ["at least 2 rows", "found 1"]),
        ("x,y\n1,a\n2,a\n", None, ["at least 2 classes", "'a'", "2 rows"]),
        ("x\n1\n2\n", None, ["row 1", "at least 2 columns", "'x'"]),
        ("5.1,3.5,0\n4.9,3.0,1\n", None, ["row 1", "header", "only numbers"]),
        ("5.1,3.5,0\n4.9,3.0,1\n", "label", ["row 1", "header", "only numbers"]),
        ("x,label\n1,a\n2,b\n", "lable", ["row 1", "'lable'", "'x', 'label'", "mean 'label'?"]),
        ("x,label\n1,a\n2,b\n", "q", ["row 1", "'q'", "'x', 'label'", "name one of them"]),
    ],
)
def test_a_table_unfit_to_train_on_is_explained(
    tmp_path: Path, text: str, target: str | None, words: list[str]
) -> None:
    path = write(tmp_path, text)

    with pytest.raises(DatasetError) as error:
        read_csv(path, target)

    assert_explained(error, words)


def test_numbers_are_names_when_one_of_them_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path, "0,1,2\n5,6,0\n7,8,1\n")

    data = read_csv(path, "2")

    assert data.features == ("0", "1")


def test_a_truncated_gzip_is_explained(tmp_path: Path) -> None:
    rows = "".join(f"{i / 7},{i % 2}\n" for i in range(5000))
    path = write(tmp_path, gzip.compress(f"x,y\n{rows}".encode())[:-100])

    with pytest.raises(DatasetError) as error:
        read_csv(path)

    assert_explained(error, ["gzip", "truncated", "again"])


def test_features_are_found_by_name_in_any_order_among_others(tmp_path: Path) -> None:
    path = write(tmp_path, "id,b,a,note\nk1,2,1,\nk2,4,3,text\n")

    inputs = read_csv_features(path, ("a", "b"), 2).inputs

    assert inputs.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_features_named_by_numbers_are_found_in_a_table_without_target(tmp_path: Path) -> None:
    path = write(tmp_path, "0,1\n5,6\n")

    inputs = read_csv_features(path, ("0", "1"), 2).inputs

    assert inputs.tolist() == [[5.0, 6.0]]


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "a,b,target\n1,2,cat\n"])
def test_without_names_the_first_columns_are_the_features(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)

    inputs = read_csv_features(path, None, 2).inputs

    assert inputs.tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize(
    ("text", "features", "words"),
    [
        ("widht,x\n1,2\n", ("x", "width"), ["row 1", "2 features", "'width'", "mean 'widht'?"]),
        ("1,2\n3,4\n", ("x", "width"), ["row 1", "header", "only numbers"]),
        ("1,2\n3,4\n", None, ["row 1", "header", "only numbers"]),
        ("a\n1\n", None, ["row 1", "expected 2 columns", "found 1"]),
        ("a,b,c,d\n1,2,3,4\n", None, ["row 1", "expected 2 columns", "found 4"]),
        ("a,b\n", None, ["rows", "found none"]),
        ("x,width\n1,2\n3,?\n", ("x", "width"), ["row 3", "column 'width'", "'?'"]),
    ],
)
def test_features_that_do_not_fit_the_model_are_explained(
    tmp_path: Path, text: str, features: tuple[str, ...] | None, words: list[str]
) -> None:
    path = write(tmp_path, text)

    with pytest.raises(DatasetError) as error:
        read_csv_features(path, features, 2)

    assert_explained(error, words)


def test_a_culprit_is_found_among_the_columns_that_count(tmp_path: Path) -> None:
    path = write(tmp_path, "note,a,b\ntext,1,2\ntext,1,oops\n")

    with pytest.raises(DatasetError) as error:
        read_csv_features(path, ("b", "a"), 2)

    assert_explained(error, ["row 3", "column 'b'", "'oops'"])


def test_a_table_remembers_its_target(tmp_path: Path) -> None:
    path = write(tmp_path, "x,kind,y\n1,0,2\n3,1,4\n")

    assert read_csv(path, " kind ").target == "kind"
    assert read_csv(path, None, known=[2, 4]).target == "y"


def test_blanks_of_any_kind_around_a_number_do_not_count(tmp_path: Path) -> None:
    path = write(tmp_path, "x,y\n\u00a01.5 ,a\n2\u2003,b\n")

    assert read_csv(path).inputs.tolist() == [[1.5], [2.0]]
