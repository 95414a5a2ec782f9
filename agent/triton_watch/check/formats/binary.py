"""Binary formats without leading magic bytes: told from their structure."""

from __future__ import annotations

import re
import struct
from itertools import islice
from typing import TYPE_CHECKING, Final

from triton_watch.check.formats.model import Format, FormatError
from triton_watch.check.formats.wire import LENGTH, VARINT, Field, Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from triton_watch.check.formats.source import Source


_ANYWHERE: Final = 1 << 62
"""An end that lets a length lead beyond the end of the file: a truncated file is still what it was."""
_VARINT: Final = rb"[\x80-\xff]{0,9}[\x00-\x7f]"


def format_of(source: Source, head: bytes) -> Format | None:
    """Return what a file is, given its first bytes, or None. Raises OSError."""
    found = (known for known, asks in _KINDS if asks(source, head))
    return next(found, None)


def _safetensors(source: Source, head: bytes) -> bool:
    """Told by the length of its header, 8 bytes, and a JSON object: https://github.com/huggingface/safetensors."""
    length = int.from_bytes(head[:8], "little")
    return 2 <= length <= 100_000_000 and re.match(rb'\{\s*["}]', head[8:]) is not None and source.size > 8


def _pickle(source: Source, head: bytes) -> bool:
    """Protocols 2 to 5 begin with PROTO; of 4 and 5 the FRAME follows, of 2 and 3 any first opcode."""
    if source.size < 4 or head[0] != 0x80 or head[1] not in (2, 3, 4, 5):
        return False
    return head[2] in (b"\x95\x8c(}])c" if head[1] >= 4 else b"c(}])X\x8aqKGJU")


def _torch_pickle(source: Source, head: bytes) -> bool:
    return _pickle(source, head) and re.search(rb"torch[\w.]*\n_rebuild|ctorch[\w.]*\n|\x8c.torch", head) is not None


_BOOSTERS: Final = re.compile(rb"(?:gbtree|gblinear|dart)")


def _xgboost(source: Source, head: bytes) -> bool:
    """LearnerModelParam, 136 bytes, then two strings after their lengths: objective and booster."""
    if source.size < 160:
        return False
    length = int.from_bytes(head[136:144], "little")
    after = 144 + length
    booster = struct.unpack_from("<Q", head, after)[0] if 3 <= length <= 64 else 0
    return 4 <= booster <= 16 and _BOOSTERS.match(head, after + 8) is not None


def _treelite(source: Source, head: bytes) -> bool:
    """Version (three int32), two TypeInfo bytes, number of trees (uint64).

    Seen with Treelite 4.8; checkpoints of Treelite 3 are taken to begin alike.
    """
    if source.size < 38:
        return False
    major, minor, patch, threshold, leaf, trees = struct.unpack_from("<3i2BQ", head)
    return (
        major in (2, 3, 4)
        and 0 <= minor < 30
        and 0 <= patch < 30
        and 1 <= threshold <= 3
        and 1 <= leaf <= 3
        and trees < 1 << 32
    )


def _onnx(source: Source, head: bytes) -> bool:
    """ModelProto: ir_version, and a graph as field 7 among known fields."""
    if head[0] not in b"\x08\x12\x3a":
        return False
    return _matches(source, _onnx_field, lambda seen: {1, 7} <= seen)


def _onnx_field(field: Field) -> bool:
    if field.number in (1, 5):
        return field.kind == VARINT and (field.number == 5 or 0 < field.value < 64)
    return field.kind == LENGTH and field.number in (2, 3, 4, 6, 7, 8, 14, 20, 25, 26)


def _saved_model(source: Source, head: bytes) -> bool:
    """SavedModel: schema version 1, then MetaGraphs that begin with their MetaInfoDef."""
    return source.size > 8 and re.match(rb"\x08\x01\x12" + _VARINT + rb"\x0a", head) is not None


def _graphdef(source: Source, head: bytes) -> bool:
    """GraphDef: a NodeDef with a name and an operation, both words."""
    if not head.startswith(b"\x0a"):
        return False
    wire = Wire(source, 8)
    try:
        node = next(wire.fields(0, _ANYWHERE))
        name, operation = islice(wire.fields(node.start, _ANYWHERE), 2)
        good = re.fullmatch(r"[\w.>][\w.>/\\-]*", wire.text(name)) and re.fullmatch(r"[A-Z_]\w*", wire.text(operation))
    except (FormatError, ValueError):
        return False
    return bool(good) and (name.number, operation.number) == (1, 2)


def _dali(source: Source, head: bytes) -> bool:  # noqa: ARG001
    """PipelineDef: threads, batch size, and operators (field 5) that begin with their name (seen with DALI 2.4)."""
    start = rb"\x08" + _VARINT + rb"\x10" + _VARINT + rb"\x2a" + _VARINT + rb"\x0a[\x01-\x7f]\w"
    return re.match(start, head) is not None


_KINDS: Final[tuple[tuple[Format, Callable[[Source, bytes], bool]], ...]] = (
    (Format.SAFETENSORS, _safetensors),
    (Format.TORCH_PICKLE, _torch_pickle),
    (Format.PICKLE, _pickle),
    (Format.SAVED_MODEL, _saved_model),
    (Format.ONNX, _onnx),
    (Format.DALI, _dali),
    (Format.GRAPHDEF, _graphdef),
    (Format.TREELITE_CHECKPOINT, _treelite),
    (Format.XGBOOST_BINARY, _xgboost),
)


def _matches(source: Source, good: Callable[[Field], bool], enough: Callable[[set[int]], bool]) -> bool:
    """Whether the first fields of a message are good, until enough were seen; a length may lead beyond the end."""
    wire = Wire(source, 64)
    seen: set[int] = set()
    try:
        for field in wire.fields(0, _ANYWHERE):
            if not good(field):
                return False
            seen.add(field.number)
            if enough(seen):
                return True
    except FormatError:
        pass
    return False
