from pathlib import Path

import pytest

from model.data.wording import listed, named, shown, suggestion


@pytest.mark.parametrize(
    ("text", "display"),
    [
        ("cat", "'cat'"),
        ("a\nb", r"'a\nb'"),
        ("x" * 50, f"'{'x' * 40}'..."),
        ("\udcff", r"'\udcff'"),
    ],
)
def test_text_is_shown_short_and_on_one_line(text: str, display: str) -> None:
    assert shown(text) == display


def test_a_file_is_named_without_its_folder() -> None:
    assert named(Path("some/folder/data.csv")) == "data.csv"
    assert named(Path("two\nlines.csv")) == r"'two\nlines.csv'"


def test_long_lists_are_cut() -> None:
    assert listed([]) == "nothing"
    assert listed(["a", "b"]) == "'a', 'b'"
    assert listed([str(i) for i in range(9)]) == "'0', '1', '2', '3', '4' and 4 more"


def test_only_a_close_name_is_suggested() -> None:
    assert suggestion("lable", ["x", "label"]) == ", did you mean 'label'?"
    assert suggestion("lable", ["x", "y"]) == ""
