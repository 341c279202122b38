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
from typing import Any, NamedTuple
from zlib import crc32

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


class _Member(NamedTuple):
    """What the archive says of one member."""

    name: bytes
    size: int
    crc: int


class _Frame(NamedTuple):
    """Every byte of an archive but those of its members and of the checksum at its end."""

    heads: list[bytes]  # one before each member
    end: bytes  # the central directory and the end record


def pack(arrays: Arrays) -> bytes:
    """The bytes of the file; the same arrays always give the same bytes.

    Args:
        arrays: one for each of MEMBERS, of the dtype and dimensions given there.
    """
    files = {
        name: _npy_header(dtype, arrays[name].shape) + arrays[name].tobytes()
        for name, (dtype, _) in MEMBERS.items()
    }
    frame = _frame(
        [_Member(f"{name}.npy".encode(), len(file), crc32(file)) for name, file in files.items()]
    )
    parts = [part for pair in zip(frame.heads, files.values(), strict=True) for part in pair]
    digest = hashlib.sha256()
    for part in (*parts, frame.end):
        digest.update(part)
    return b"".join((*parts, frame.end, digest.hexdigest().encode()))


def unpack(data: bytes) -> Arrays:
    """The arrays of a file that is exactly what `pack` makes, read-only.

    Raises:
        RefusedError: it is not; nothing was inflated, unpickled or allocated on its word.
    """
    _verify_bytes(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _verify_members(members, len(data))
            arrays = {name: _array(name, archive.read(f"{name}.npy")) for name in MEMBERS}
    # What zipfile raises for a damaged archive is not one family.
    except _DAMAGE:
        raise RefusedError("not a readable .npz archive") from None
    _verify_frame(data, members)
    return arrays


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


def _verify_frame(data: bytes, members: list[zipfile.ZipInfo]) -> None:
    """Nothing stands beside the members, and what is said of them is what `pack` says."""
    frame = _frame([_Member(m.filename.encode(), m.file_size, m.CRC) for m in members])
    at, same = 0, True
    for head, member in zip(frame.heads, members, strict=True):
        same &= data[at : at + len(head)] == head
        at += len(head) + member.file_size
    if not same or data[at:-_DIGEST_LENGTH] != frame.end:
        raise RefusedError("not packed as softlens does: other dates, or bytes beside its members")


def _frame(members: list[_Member]) -> _Frame:
    """The frame around stored members dated 1980-01-01 00:00:00, mode 600, made on Unix.

    Written out, because what zipfile writes may change with Python.

    Source: APPNOTE.TXT, the ZIP file format specification, sections 4.3.7, 4.3.12 and 4.3.16.
    """
    heads, directory, offset = [], b"", 0
    for name, size, crc in members:
        # version 2.0, no flags, stored, time, date, and the sizes before and after
        said = (20, 0, 0, 0, 0x21, crc, size, size, len(name), 0)
        heads.append(struct.pack("<4s5H3I2H", b"PK\3\4", *said) + name)
        made, mode = 3 << 8 | 20, 0o600 << 16
        entry = struct.pack("<4sH5H3I5H2I", b"PK\1\2", made, *said, 0, 0, 0, mode, offset)
        directory += entry + name
        offset += len(heads[-1]) + size
    count = len(members)
    sizes = (0, 0, count, count, len(directory), offset, _DIGEST_LENGTH)
    return _Frame(heads, directory + struct.pack("<4s4H2IH", _END_OF_ZIP, *sizes))


def _npy_header(dtype: str, shape: tuple[int, ...]) -> bytes:
    """What NumPy writes before the numbers: 128 bytes for any shape that fits the file."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00\x76\x00" + text.encode().ljust(117) + b"\n"


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
    if header.group() != _npy_header(dtype, shape):
        raise RefusedError(f"{name}: expected an npy header of 128 bytes, spaced as NumPy does")
    return np.frombuffer(content, dtype).reshape(shape)
