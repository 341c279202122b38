"""Files that may be gzip-compressed. Their first bytes decide, not their name."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import TypeAlias

from model.data.wording import named
from model.errors import DatasetError
from model.files import open_regular

Stream: TypeAlias = BufferedReader | gzip.GzipFile  # of bytes

GZIP_MAGIC = b"\x1f\x8b"


@contextmanager
def open_gzipped(path: Path) -> Iterator[Stream]:
    """Open a file for reading, decompressed if need be.

    Raises:
        DatasetError: while the file is open, when compressed data is cut short or damaged.
        OSError: the file is missing or cannot be read.
    """
    try:
        with open_regular(path) as raw:
            if raw.peek(2)[:2] != GZIP_MAGIC:
                yield raw
                return
            with gzip.GzipFile(fileobj=raw) as plain:
                yield plain
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DatasetError(
            f"{named(path)}: expected whole gzip data, found it truncated or damaged ({error}); "
            "copy or download the file again"
        ) from error
