"""Archives: one JSON document and named arrays in one .npz file, written whole and read with suspicion.

Knows NumPy, files and the checks at the door. The file is what np.load expects: a zip archive of uncompressed
.npy members; the document is the member "header", a text in UTF-8 as an array of bytes. The archive's
comment, the last bytes of the file, is the SHA-256 of all bytes before: no bit of a file can change without
notice. Nothing is ever unpickled, and reading takes memory in proportion to the file's size, whatever it
declares: a file that was made to deceive can have the right checksum.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import stat
import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nn import checks

Array = npt.NDArray[Any]

DTYPES = ("<f8", "<f4", "<i8", "|u1")
MARK = b"sha256:"
TAIL = len(MARK) + 64           # the mark and 64 hexadecimal digits
LONGEST_HEADER = 1 << 20        # bytes: a parsed document takes many times its size

# what zipfile and json raise over files that were made by hand; struct.error is not a ValueError
UNREADABLE = (zipfile.BadZipFile, ValueError, RuntimeError, EOFError, KeyError, OverflowError, struct.error)


class CheckpointError(Exception):
    """A file is no checkpoint that can be trusted; `path` says which, `reason` why."""

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return printable(f"{os.fspath(self.path)}: {self.reason}")


def printable(text: str) -> str:
    r"""The text with what no terminal can take, or should, written as Python writes it.

    >>> print(printable("a\ud800\x1b[2J"))
    a\ud800\x1b[2J
    """
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


class Archive(NamedTuple):
    """What a file holds: the document, and the arrays by name."""

    header: dict[str, Any]
    arrays: dict[str, Array]


def write(path: str | os.PathLike[str], header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Write beside `path`, to disk, and rename over it: whenever it is interrupted, the old file or the new
    one is there, whole.

    The arrays' dtypes are among float64, float32, int64 and uint8. Raises OSError, and leaves what was there.
    """
    target = Path(checks.path("path", path)).resolve()      # of a link, where it leads
    if target.exists() and not (target.is_file() or target.is_dir()):   # a device, which a rename would end
        raise FileExistsError(f"path: {str(path)!r} is there and is no file; choose another name")
    content = encode(header, arrays)
    beside = target.with_name(f"{target.name}.part")
    try:
        with open(beside, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)
    _sync_folder(target.parent)


def encode(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """The bytes of the file; equal contents give equal bytes."""
    little = {name: np.asarray(a, a.dtype.newbyteorder("<")) for name, a in arrays.items()}
    kinds = {name: [array.dtype.str, list(array.shape)] for name, array in little.items()}
    text = json.dumps({**header, "arrays": kinds}).encode()
    if len(text) > LONGEST_HEADER:
        raise ValueError(f"header: expected at most {LONGEST_HEADER} bytes of text, got {len(text)}")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = bytes(TAIL)           # room for the checksum
        for name, array in {"header": np.frombuffer(text, np.uint8), **little}.items():
            content = npy_header(array.dtype.str, array.shape) + array.tobytes()
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content)      # dated 1980, always
    body = buffer.getvalue()[:-TAIL]
    return body + MARK + hashlib.sha256(body).hexdigest().encode()


def npy_header(dtype: str, shape: tuple[int, ...]) -> bytes:
    """How a .npy file of this dtype and shape begins (NumPy Enhancement Proposal 1, version 1.0)."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    padded = text + " " * (-(len(text) + 11) % 64) + "\n"       # 10 bytes before it, 1 after: 64 divides all
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded.encode("latin1")


def read(path: str | os.PathLike[str]) -> Archive:
    """What write put there. Raises CheckpointError where anything is not as it was written.

    Raises OSError, FileNotFoundError among others, where there is nothing to read.
    """
    if not stat.S_ISREG(os.stat(checks.path("path", path)).st_mode):
        raise CheckpointError(path, "expected a file, got a folder or a device")
    with open(path, "rb") as file:
        try:
            _check_sum(file)
            with _explained("it is no .npz archive that can be read"):
                archive = zipfile.ZipFile(file)
            with archive:
                return _contents(archive, os.fstat(file.fileno()).st_size)
        except ValueError as error:             # with our own words
            raise CheckpointError(path, str(error)) from error


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """What the standard library raises over a file that was made by hand, as a ValueError that says so."""
    try:
        yield
    except UNREADABLE as error:
        raise ValueError(f"{what} ({type(error).__name__}: {error})") from error


def _check_sum(file: IO[bytes]) -> None:
    """Refuse a file whose last bytes are not the checksum of all before, in bounded memory."""
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        raise ValueError("the file is empty")
    file.seek(0)
    if file.read(1) == b"\x80":                 # how pickles begin since protocol 2
        raise ValueError("expected an .npz file, got what looks like a pickle; pickles are never loaded")
    file.seek(max(size - TAIL, 0))
    tail = file.read()
    if not tail.startswith(MARK) or len(tail) != TAIL:
        raise ValueError("it does not end in a checksum: cut short, written over, or no checkpoint at all")
    file.seek(0)
    found, left = hashlib.sha256(), size - TAIL
    while left > 0 and (chunk := file.read(min(left, 1 << 20))):
        found.update(chunk)
        left -= len(chunk)
    if tail != MARK + found.hexdigest().encode():
        raise ValueError("it is corrupted: its content does not match its checksum")


def _contents(archive: zipfile.ZipFile, size: int) -> Archive:
    members = {info.filename: info for info in archive.infolist()}
    if len(members) != len(archive.infolist()):
        raise ValueError("two members have one name")
    if sum(info.file_size for info in members.values()) > size:
        raise ValueError("its members declare more bytes than the file has")
    for name, info in members.items():
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise ValueError(f"member {name!r} is compressed; a checkpoint's are not")
    header = _header(archive, members)
    kinds = header.pop("arrays")
    if set(members) != {"header.npy", *(f"{name}.npy" for name in kinds)}:
        raise ValueError(f"expected the arrays {', '.join(kinds)}, got members {', '.join(members)}")
    return Archive(header, {name: _array(archive, members[f"{name}.npy"], kinds[name]) for name in kinds})


def _header(archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo]) -> dict[str, Any]:
    info = members.get("header.npy")
    if info is None:
        raise ValueError("expected a member 'header.npy', got none")
    length = info.file_size - len(npy_header("|u1", (info.file_size,)))     # as long as that of `length`
    if not 0 < length <= LONGEST_HEADER:
        raise ValueError(f"header: expected 1 to {LONGEST_HEADER} bytes of text, got {length}")
    text = _array(archive, info, ["|u1", [length]]).tobytes()
    with _explained("header: expected a document in JSON"):
        header = json.loads(text)
    if not isinstance(header, dict) or not isinstance(header.get("arrays"), dict):
        raise ValueError("header: expected an object that lists the arrays")
    return header


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, kind: Any) -> Array:
    """One array, if the member's size and beginning are those of its declared dtype and shape."""
    match kind:
        case [str(dtype), list(shape)] if dtype in DTYPES and all(type(n) is int and n >= 0 for n in shape):
            start = npy_header(dtype, tuple(shape))
        case _:
            raise ValueError(f"{info.filename}: expected a dtype and a shape, got {kind!r:.60}")
    if info.file_size != len(start) + math.prod(shape) * np.dtype(dtype).itemsize:
        raise ValueError(f"{info.filename}: {info.file_size} bytes are no array {dtype} of shape {shape}")
    with _explained(f"{info.filename}: it cannot be read"):
        content = archive.read(info)
    if not content.startswith(start):
        raise ValueError(f"{info.filename}: it does not begin as an array {dtype} of shape {shape} does")
    with _explained(f"{info.filename}: no array has the shape {shape}"):
        return np.frombuffer(content, dtype, offset=len(start)).reshape(shape).copy()


def _sync_folder(folder: Path) -> None:
    """Bring the renaming itself to disk, where folders can be opened: not on Windows."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
