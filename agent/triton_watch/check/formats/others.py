"""Files that declare no inputs or outputs: what is wrong with them, and the facts that are cheap to find.

Details: tensorrt (version that wrote a plan), library (whose objects a pickle names), class (the first
one that a PyTorch checkpoint names: collections.OrderedDict for weights), version (of GGUF, Keras),
tensors (of GGUF), looks_like (what an unknown file seems to be), oid and pointer_size (of a Git LFS pointer).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from triton_watch.check.formats import zips
from triton_watch.check.formats.model import Format, Reading
from triton_watch.check.formats.wire import truncated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from triton_watch.check.formats.source import Source

_HEAD: Final = 4096
_LARGEST_HEADER: Final = 1 << 20


def read(source: Source, path: Path, known: Format) -> Reading:  # noqa: ARG001 - the signature of all readers
    """Return what is known of such a file. Raises FormatError, OSError."""
    reader = _READERS.get(known)
    return reader(source) if reader else Reading()


def _empty(source: Source) -> Reading:  # noqa: ARG001
    return Reading(problem="is empty")


def _lfs(source: Source) -> Reading:
    head = source.read(0, 1024).decode("utf-8", "replace")
    size = re.search(r"^size (\d{1,18})$", head, re.MULTILINE)
    oid = re.search(r"^oid (\S{1,80})$", head, re.MULTILINE)
    detail = {"oid": oid[1] if oid else "", "pointer_size": size[1] if size else ""}
    stands_for = f"a file of {int(size[1]):,} bytes" if size else "a file"
    problem = f"is a Git LFS pointer that stands for {stands_for}: fetch it with `git lfs pull`"
    return Reading(detail={key: value for key, value in detail.items() if value}, problem=problem)


def _page(source: Source) -> Reading:
    title = re.search(rb"<(title|Message)[^>]{0,99}>\s*([^<]{1,80})", source.read(0, _HEAD), re.IGNORECASE)
    said = f": {' '.join(title[2].decode('utf-8', 'replace').split())!r}" if title else ""
    return Reading(problem=f"is a web page or an error message that a download saved in the model's place{said}")


def _plan(source: Source) -> Reading:
    """Bytes 24 to 27 are the version: trtexec --getPlanVersionOnly reads it there (TensorRT 8.6 and newer).

    That is from TensorRT's samples and was not tried on a real plan here; what is no likely version is left out.
    """
    head = source.read(0, 28)
    if len(head) < 28:
        return Reading(problem=str(truncated(28, source.size)))
    plausible = head.startswith(b"ftrt") and 8 <= head[24] <= 15 and head[25] <= 30 and head[26] <= 30
    return Reading(detail={"tensorrt": ".".join(map(str, head[24:28]))} if plausible else {})


def _pickle(source: Source) -> Reading:
    head = source.read(0, _HEAD)
    found = re.search(rb"[c\x8c].?(sklearn|xgboost|lightgbm|torch|joblib|numpy|pandas|catboost|cuml)\b", head)
    return Reading(detail={"library": found[1].decode("ascii", "replace")} if found else {})


def _torch(source: Source) -> Reading:
    found = re.search(rb"c([\w.]{2,100})\n(\w{1,100})\n", source.read(0, _HEAD))
    return Reading(
        detail={"class": f"{found[1].decode('ascii', 'replace')}.{found[2].decode('ascii', 'replace')}"}
        if found
        else {}
    )


def _safetensors(source: Source) -> Reading:
    length = int.from_bytes(source.read(0, 8), "little")
    needed = 8 + length
    if length <= _LARGEST_HEADER:
        ends = re.findall(rb'"data_offsets"\s*:\s*\[\s*\d{1,18}\s*,\s*(\d{1,18})\s*\]', source.read(8, length))
        needed += max(map(int, ends), default=0)
    return Reading(problem=str(truncated(needed, source.size)) if needed > source.size else None)


def _gguf(source: Source) -> Reading:
    head = source.read(0, 24)
    if len(head) < 24:
        return Reading(problem=str(truncated(24, source.size)))
    return Reading(
        detail={
            "version": str(int.from_bytes(head[4:8], "little")),
            "tensors": str(int.from_bytes(head[8:16], "little")),
        }
    )


def _hdf5(source: Source) -> Reading:
    """The superblock says where the file ends: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html."""
    head = source.read(0, 48).ljust(48, b"\0")
    version = head[8]
    at = 40 if version < 2 else 28
    offset_size = head[13] if version < 2 else head[9]
    end = int.from_bytes(head[at : at + 8], "little")
    wrong = version <= 3 and offset_size == 8 and source.size < end < 1 << 63
    return Reading(problem=str(truncated(end, source.size)) if wrong else None)


_LIKENESS: Final[tuple[tuple[int, bytes, str], ...]] = (
    (4, b"ORTM", "ONNX Runtime's ORT format"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ", "an xz archive"),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (0, b"\x7fELF", "a shared library or program"),
    (0, b"x\x9c", "zlib-compressed data"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"\x89PNG", "a picture"),
    (0, b"\xff\xd8\xff", "a picture"),
    (0, b"%PDF", "a PDF"),
)


def _unknown(source: Source) -> Reading:
    head = source.read(0, _HEAD)
    if head.startswith(b"PK\x03\x04"):
        zips.directory(source)  # to say what is wrong with it, if it is
    places = (source.size // 2, max(source.size - _HEAD, 0))
    if not any(head) and not any(map(any, (source.read(place, _HEAD) for place in places))):
        return Reading(problem="holds nothing but zero bytes: it was allocated and never written")
    if not any(head):
        return Reading(problem="begins with zero bytes: it was not written completely")
    likeness = next((words for at, magic, words in _LIKENESS if head.startswith(magic, at)), None)
    return Reading(detail={"looks_like": likeness} if likeness else {})


_READERS: Final[Mapping[Format, Callable[[Source], Reading]]] = {
    Format.EMPTY: _empty,
    Format.GIT_LFS_POINTER: _lfs,
    Format.HTML: _page,
    Format.TENSORRT_PLAN: _plan,
    Format.PICKLE: _pickle,
    Format.TORCH_PICKLE: _torch,
    Format.SAFETENSORS: _safetensors,
    Format.GGUF: _gguf,
    Format.KERAS_H5: _hdf5,
    Format.UNKNOWN: _unknown,
}
