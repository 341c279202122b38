from pathlib import Path

import pytest

from model.data.csv_rows import Row, Sheet, open_sheet, refuse_numeric_header
from model.errors import DatasetError


def write(folder: Path, content: bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_the_byte_order_mark_and_line_ends_of_excel_do_not_count(
    tmp_path: Path, mark: bytes, end: bytes
) -> None:
    path = write(tmp_path, mark + end.join([b"a, b", b"1,2", b"3,4", b""]))

    with open_sheet(path) as sheet:
        rows = list(sheet.rows)

    assert sheet.columns == ("a", "b")
    assert rows == [Row(2, ["1", "2"]), Row(3, ["3", "4"])]


def test_rows_are_counted_in_the_lines_an_editor_shows(tmp_path: Path) -> None:
    path = write(tmp_path, b'a,b\n"1\n1",2\n\n3,4\n')

    with open_sheet(path) as sheet:
        lines = [row.line for row in sheet.rows]

    assert lines == [2, 5]


def test_quoted_cells_may_hold_commas_quotes_and_line_ends(tmp_path: Path) -> None:
    path = write(tmp_path, b'"a,1","b ""x"""\n"1,5","two\r\nlines"\n')

    with open_sheet(path) as sheet:
        rows = list(sheet.rows)

    assert sheet.columns == ("a,1", 'b "x"')
    assert rows[0].cells == ["1,5", "two\r\nlines"]


def test_a_blank_line_in_a_table_of_one_column_is_an_empty_cell(tmp_path: Path) -> None:
    path = write(tmp_path, b"a\n1\n\n2\n")

    with open_sheet(path) as sheet:
        cells = [row.cells for row in sheet.rows]

    assert cells == [["1"], [""], ["2"]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["row 1", "header", "empty file"]),
        (b"\n\na,b\n", ["row 1", "header", "blank line"]),
        (b"a,a ,b\n1,2,3\n", ["row 1", "distinct", "'a' 2 times", "rename"]),
        (b"0,0,1\n1,2,3\n", ["row 1", "header", "only numbers", "'0', '0', '1'"]),
        (b",a,b\n0,1,2\n", ["row 1", "column 1", "empty cell", "index=False"]),
        (b"a;b\n1;2\n", ["row 1", "commas", "semicolons"]),
        (b'"a";"b"\n1;2\n', ["row 1", "commas", "semicolons"]),
        (b"a\tb\n1\t2\n", ["row 1", "commas", "tabs"]),
        (b"a,b\xe9\n1,2\n", ["row 1", "column 2", "UTF-8", "save it"]),
        ("a,b\n1,2\n".encode("utf-16"), ["row 1", "UTF-8", "UTF-16", "save it"]),
        (b"a,b\n1,2\n3\n", ["row 3", "column 'b'", "expected 2 cells", "found 1"]),
        (b"a,b\n1,2,9\n3,4\n", ["row 2", "expected 2 cells", "found 3", "'9'"]),
        (b'a,b\n1,2\n"3,4\n5,6\n', ["row 3", "quote", "end of data"]),
        (b'a,b\n1,2\n"3"x,4\n', ["row 3", "quote", "correct"]),
        (b"a,b\n1," + b"x" * 200_000, ["row 2", "field limit"]),
    ],
)
def test_a_file_that_is_no_table_is_explained(
    tmp_path: Path, content: bytes, words: list[str]
) -> None:
    path = write(tmp_path, content)

    with pytest.raises(DatasetError) as error, open_sheet(path) as sheet:
        list(sheet.rows)

    message = str(error.value)
    assert [word for word in ["table.csv", *words] if word not in message] == []
    assert "\n" not in message


def test_a_header_of_numbers_only_is_refused_where_it_cannot_be_meant() -> None:
    sheet = Sheet("table.csv", ("5.1", "-3", "1e2", "nan"), iter(()))

    with pytest.raises(DatasetError, match=r"table\.csv: row 1: .* header .* only numbers"):
        refuse_numeric_header(sheet)


def test_a_header_with_one_word_is_no_row_of_data() -> None:
    refuse_numeric_header(Sheet("table.csv", ("0", "1", "label"), iter(())))
