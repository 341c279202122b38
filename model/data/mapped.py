"""A member of a NumPy archive as an array that stays in its file."""

import struct
import zipfile
from io import BufferedReader
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

LARGE = 2**26  # bytes; an array of features that has more stays in its file
_READ_AT_ONCE = 2**20  # bytes
_LENGTHS = struct.Struct("<HH")  # of the name and the extra field, at the end of ...
_LOCAL_HEADER = 30  # ... so many bytes before both


def mapped_member(raw: BufferedReader, member: str, least: int) -> NDArray[Any] | None:
    """Map an array of an archive. Its checksum is compared, which reads the file once.

    Args:
        raw: the file of the archive.
        member: name of the array, without `.npy`.
        least: bytes; a smaller array is not mapped.

    Returns:
        The array, read-only; None where it is absent, small, compressed, encrypted, in Fortran
        order, or not of numbers as this machine keeps them.

    Raises:
        Exception: whatever zipfile and NumPy find wrong with it.
    """
    archive = zipfile.ZipFile(raw)
    found = next((info for info in archive.infolist() if info.filename == f"{member}.npy"), None)
    if found is None or found.compress_type != zipfile.ZIP_STORED or found.flag_bits & 1:
        return None
    if found.file_size < least:
        return None
    with archive.open(found) as content:
        is_first = npy.read_magic(content) == (1, 0)
        read = npy.read_array_header_1_0 if is_first else npy.read_array_header_2_0
        shape, fortran_order, dtype = read(content)
        header = content.tell()
        while content.read(_READ_AT_ONCE):
            pass  # the end is where zipfile compares
    if fortran_order or dtype.kind not in "biuf" or not dtype.isnative:
        return None

    raw.seek(found.header_offset + _LOCAL_HEADER - _LENGTHS.size)
    lengths = _LENGTHS.unpack(raw.read(_LENGTHS.size))
    start = found.header_offset + _LOCAL_HEADER + sum(lengths) + header
    # NumPy maps the file for itself; this one may be closed.
    return np.memmap(raw, dtype, "r", start, shape)
