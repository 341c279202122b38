"""Arrays as the bytes of an `.npz` that plain NumPy opens, and back, trusting nothing.

The container of docs/artifact.md: stored members in a fixed order with fixed dates, and the
SHA-256 of every byte before it as the comment at the end.
"""

import hashlib
import io
import math
import re
import struct
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST_FILE = 2**30  # bytes; 1 GiB is a network of 250 million weights

MEMBERS = {  # name: (dtype, dimensions), in the order of the file
    "W1": ("<f4", 2),
    "b1": ("<f4", 1),
    "W2": ("<f4", 2),
    "b2": ("<f4", 1),
    "input_mean": ("<f8", 1),
    "input_scale": ("<f8", 1),
    "temperature": ("<f8", 0),
    "metadata": ("|u1", 1),
}

Arrays = dict[str, NDArray[Any]]  # Any: float32, float64 and bytes side by side

# The header that NumPy writes for version 1.0 of the format, and no other: NumPy's own reader
# evaluates Python and falls back on a tokenizer.
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([<>|=\w]{2,8})', 'fortran_order': (True|False), "
    rb"'shape': \(([\d, ]{0,99})\), \} *\n",
    re.DOTALL,
)

_DAMAGE = (
    zipfile.BadZipFile, struct.error, ArithmeticError, ValueError, EOFError, RuntimeError, OSError,
)  # fmt: skip
_DIGEST_LENGTH = 64  # a SHA-256 in hexadecimal
_END_OF_ZIP = b"PK\x05\x06"
_END_LENGTH = 22  # bytes of that record before its comment


class RefusedError(Exception):
    """Why some bytes are not an artifact; the reader of the file adds its name."""


def pack(arrays: Arrays) -> bytes:
    """The bytes of the file; the same arrays always give the same bytes.

    Args:
        arrays: one for each of MEMBERS, of the dtype and dimensions given there.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in MEMBERS:
            member = io.BytesIO()
            np.lib.format.write_array(member, arrays[name], version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3  # the same bytes on every platform
            archive.writestr(info, member.getvalue())
        archive.comment = b"0" * _DIGEST_LENGTH
    body = buffer.getvalue()[:-_DIGEST_LENGTH]
    return body + hashlib.sha256(body).hexdigest().encode()


def unpack(data: bytes) -> Arrays:
    """The arrays of a file that is exactly what `pack` makes, read-only.

    Raises:
        RefusedError: it is not; nothing was inflated, unpickled or allocated on its word.
    """
    _verify_bytes(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _verify_members(archive.infolist(), len(data))
            return {name: _array(name, archive.read(f"{name}.npy")) for name in MEMBERS}
    # What zipfile raises for a damaged archive is not one family.
    except _DAMAGE:
        raise RefusedError("not a readable .npz archive") from None


def _verify_bytes(data: bytes) -> None:
    """Every byte is as it was written; a hostile file can still pass, so the rest is as strict."""
    if len(data) > LARGEST_FILE:
        raise RefusedError(f"larger than {LARGEST_FILE} bytes, the most a model may have")
    if not data:
        raise RefusedError("empty file; expected a model saved by softlens")
    if not data.startswith(b"PK\x03\x04"):
        raise RefusedError("not a model saved by softlens: expected an .npz archive")

    end = data[-_DIGEST_LENGTH - _END_LENGTH : -_DIGEST_LENGTH]
    if not end.startswith(_END_OF_ZIP) or end[-2:] != _DIGEST_LENGTH.to_bytes(2, "little"):
        raise RefusedError("truncated, or not saved by softlens: no checksum at its end")
    found = hashlib.sha256(data[:-_DIGEST_LENGTH]).hexdigest().encode()
    if found != data[-_DIGEST_LENGTH:]:
        raise RefusedError("damaged: its bytes do not match the checksum at its end")


def _verify_members(members: list[zipfile.ZipInfo], size: int) -> None:
    expected = [f"{name}.npy" for name in MEMBERS]
    if [member.filename for member in members] != expected:
        raise RefusedError(f"expected exactly the members {', '.join(expected)} in this order")
    if any(m.compress_type != zipfile.ZIP_STORED or m.flag_bits & 1 for m in members):
        raise RefusedError("has compressed or encrypted members; expected stored ones")
    if sum(member.file_size for member in members) > size:
        raise RefusedError("declares members larger than itself")


def _array(name: str, member: bytes) -> NDArray[Any]:  # Any: the dtype is checked here
    """One `.npy` member, its header trusted with nothing: no pickle, no allocation by its word."""
    dtype, dimensions = MEMBERS[name]
    header = _HEADER.match(member)
    if not header or header.end() - 10 != int.from_bytes(member[8:10], "little"):
        raise RefusedError(f"{name}: expected an npy header of version 1.0 for plain numbers")

    found, order, sizes = (group.decode() for group in header.groups())
    if found != dtype or order != "False":
        raise RefusedError(f"{name}: expected dtype {dtype} in C order, found {found}")
    shape = tuple(int(size) for size in sizes.split(",") if size.strip())
    if len(shape) != dimensions or 0 in shape:
        raise RefusedError(f"{name}: expected {dimensions} positive dimensions, found {shape}")
    content = memoryview(member)[header.end() :]
    if math.prod(shape) * np.dtype(dtype).itemsize != len(content):
        raise RefusedError(f"{name}: its shape {shape} does not match its {len(content)} bytes")
    return np.frombuffer(content, dtype).reshape(shape)
