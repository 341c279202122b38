import gzip
from pathlib import Path

import pytest

from model.data.gzipped import open_gzipped
from model.errors import DatasetError

PACKED = gzip.compress(bytes(range(256)) * 8)


@pytest.mark.parametrize("content", [b"", b"x", b"plain bytes"])
def test_plain_files_are_read_as_they_are(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "misnamed.gz"
    path.write_bytes(content)

    with open_gzipped(path) as stream:
        assert stream.read() == content


def test_compressed_files_are_decompressed(tmp_path: Path) -> None:
    path = tmp_path / "misnamed.csv"
    path.write_bytes(PACKED)

    with open_gzipped(path) as stream:
        assert stream.read() == bytes(range(256)) * 8


@pytest.mark.parametrize(
    "damaged",
    [PACKED[:5], PACKED[:-9], PACKED[:-1], PACKED[:20] + b"\xff" * 20, PACKED + b"junk"],
)
def test_damaged_gzip_data_is_a_fault_of_the_data(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "some.gz"
    path.write_bytes(damaged)

    with (
        pytest.raises(DatasetError, match=r"some\.gz: .*gzip.*truncated or damaged"),
        open_gzipped(path) as stream,
    ):
        stream.read()


def test_a_missing_file_and_a_folder_are_no_fault_of_the_data(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), open_gzipped(tmp_path / "absent"):
        pass
    with pytest.raises(IsADirectoryError), open_gzipped(tmp_path):
        pass
