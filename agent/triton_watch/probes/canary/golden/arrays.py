"""Tensors in a .npz: the same tensors are the same bytes, and nothing that is read is unpickled or trusted.

Each tensor is an array under a key such as `input/0/NAME`, in numpy's own datatype; BF16 as uint16, and texts as the
bytes of the wire, each after its length. The file is for numpy.load too, and one of numpy.savez is read as well.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

from triton_watch.triton.infer.messages import BYTES, DTYPES, Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_BYTES = 256 * 1024 * 1024

_VISIBLE = " !#$&'()*+,/:;=?@[]^`{|}"
_HEADER = re.compile(rb"\{'descr': '([^']{1,8})', 'fortran_order': False, 'shape': \(([0-9, ]*)\), \} *\n?")
_MAGIC = b"\x93NUMPY"
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,  # a compression or an encryption that zipfile does not know
    RuntimeError,  # an encrypted entry
    MemoryError,
)
"""What zipfile ends in when the bytes are not what `packed` wrote; ValueError besides."""


def key_of(*parts: str | int) -> str:
    """The key of a tensor; what a file name in a zip cannot hold is quoted as in a URL."""
    return "/".join(quote(str(part), safe=_VISIBLE, errors="surrogatepass") for part in parts)


def packed(tensors: Mapping[str, Tensor]) -> bytes:
    """The .npz of the tensors. Raises ValueError for a datatype that is not known."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for key in sorted(tensors):
            entry = zipfile.ZipInfo(f"{key}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, _npy(tensors[key]))
    return target.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    """Key -> the bytes of its .npy. Raises ValueError, with what is wrong with them."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            size = sum(entry.file_size for entry in entries)
            if size > MOST_BYTES:
                raise ValueError(f"it unpacks to {size} bytes, and {MOST_BYTES} are read at most")
            return {entry.filename.removesuffix(".npy"): archive.read(entry) for entry in entries}
    except _UNREADABLE as error:
        raise ValueError(f"it is no sound .npz: {str(error) or type(error).__name__}") from None


def tensor_in(npy: bytes, datatype: str, shape: tuple[int, ...]) -> Tensor:
    """The tensor of this datatype and shape in a .npy. Raises ValueError where there is another one, or none."""
    descr, found, data = _split(npy)
    tensor = Tensor(datatype, shape, data)
    wanted = (_descr(datatype), shape if datatype in DTYPES else (len(data),))
    if (descr, found) != wanted:
        raise ValueError(f"it has {descr} of shape {list(found)} where {wanted[0]} of {list(wanted[1])} should be")
    if datatype == BYTES and 4 * tensor.size > len(data):  # before room is made for so many
        raise ValueError(f"{len(data)} bytes are too few for {tensor.size} texts")
    try:
        tensor.array()
    except OverflowError as error:  # numpy's word for a dimension beyond its reach
        raise ValueError(str(error)) from None
    return tensor


def _npy(tensor: Tensor) -> bytes:
    """Written here and not by numpy, whose versions do not all leave the same room after the header."""
    shape = tuple(map(int, tensor.shape)) if tensor.datatype in DTYPES else (len(tensor.data),)
    header = f"{{'descr': '{_descr(tensor.datatype)}', 'fortran_order': False, 'shape': {shape}, }}"
    room = -(len(_MAGIC) + 4 + len(header) + 1) % 64
    text = f"{header}{' ' * room}\n".encode()
    return _MAGIC + b"\x01\x00" + len(text).to_bytes(2, "little") + text + tensor.data


def _descr(datatype: str) -> str:
    return np.dtype(DTYPES.get(datatype, "u1")).str


def _split(npy: bytes) -> tuple[str, tuple[int, ...], bytes]:
    """Descr, shape and data. numpy's own reader evaluates the header and warns of some; one pattern does here."""
    length_bytes = 2 if npy[6:7] == b"\x01" else 4
    start = 8 + length_bytes
    end = start + int.from_bytes(npy[8:start], "little")
    header = _HEADER.fullmatch(npy[start:end])
    if not npy.startswith(_MAGIC) or header is None:
        raise ValueError("it is no array in C order of a plain datatype")
    return header[1].decode("latin-1"), tuple(_sizes(header[2])), npy[end:]


def _sizes(text: bytes) -> Iterator[int]:
    for size in text.split(b","):
        if size.strip():
            yield int(size)  # ValueError for "1 2"
