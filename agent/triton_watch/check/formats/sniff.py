"""What a file is, told from its first bytes (of zip archives: from their directory), never by its name alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from triton_watch.check.formats import binary, zips
from triton_watch.check.formats.model import Format, FormatError
from triton_watch.check.formats.source import Source, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

HEAD: Final = 4096
"""Bytes that most formats are told from."""

_MAGIC: Final[tuple[tuple[int, bytes, Format], ...]] = (
    (0, b"ftrt", Format.TENSORRT_PLAN),
    (0, b"ptrt", Format.TENSORRT_PLAN),
    (0, b"\x89HDF\r\n\x1a\n", Format.KERAS_H5),
    (0, b"GGUF", Format.GGUF),
    (4, b"TFL3", Format.TFLITE),
    (0, b"version https://git-lfs.github.com/spec/", Format.GIT_LFS_POINTER),
    (0, b"tree\nversion=", Format.LIGHTGBM_TEXT),
    (0, b"tree\r\nversion=", Format.LIGHTGBM_TEXT),
    (0, b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner{", Format.XGBOOST_UBJ),
    (0, b"binf", Format.XGBOOST_BINARY),
    (0, b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", Format.TORCH_PICKLE),
)
"""Position, bytes, format. The last is the number that torch.save pickles first before PyTorch 1.6."""

_SPACE: Final = b" \t\r\n"
_BOM: Final = b"\xef\xbb\xbf"
_PYTHON: Final = re.compile(
    rb"^(?:#!.*python|(?:from\s+[\w.]+\s+)?import\s+[\w.*(]|class\s+\w+\s*[(:]|(?:async\s+)?def\s+\w+\s*\()",
    re.MULTILINE,
)
_VLLM: Final = re.compile(rb'"model"\s*:\s*"')
_XGBOOST: Final = re.compile(rb'\{\s*"(?:learner|version)"\s*:\s*[{\[]')
_ERROR_XML: Final = re.compile(rb"<(?:Error|Code|ListBucketResult)[\s>]")
_CONTROLS: Final = frozenset(range(32)) - frozenset(b"\t\n\f\r\x1b")


class _Head(NamedTuple):
    data: bytes
    source: Source
    name: str


def sniff(path: Path) -> Format:
    """Return what a file or folder is; UNKNOWN also for what cannot be read. Nothing is raised."""
    try:
        if path.is_dir():
            return folder_format(path)
        with opened(path) as source:
            return sniff_source(source, path.name)
    except (FormatError, OSError):
        return Format.UNKNOWN


def folder_format(path: Path) -> Format:
    """Return what a folder is as a model. Raises OSError."""
    if (path / "saved_model.pb").is_file() or (path / "saved_model.pbtxt").is_file():
        return Format.SAVED_MODEL
    return Format.ONNX if (path / "model.onnx").is_file() else Format.UNKNOWN


def sniff_source(source: Source, name: str) -> Format:
    """Return what an open file is; its name decides only between kinds of plain text. Raises OSError."""
    if source.size == 0:
        return Format.EMPTY
    data = source.read(0, HEAD)
    for at, magic, known in _MAGIC:
        if data.startswith(magic, at):
            return known
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_format(source)
    head = _Head(data, source, name)
    found = (_ask(head) for _ask in _SNIFFERS)
    return next((known for known in found if known is not None), Format.UNKNOWN)


def _markup(head: _Head) -> Format | None:
    text = head.data.removeprefix(_BOM).lstrip(_SPACE)
    if not text.startswith(b"<"):
        return None
    if re.match(rb"<(?:!doctype\s+html|html|head|body)\b", text, re.IGNORECASE):
        return Format.HTML
    if re.search(rb"<net[\s>]", text):
        return Format.OPENVINO_XML
    return Format.HTML if re.search(rb"<html[\s>]", text, re.IGNORECASE) or _ERROR_XML.search(text) else None


def _json(head: _Head) -> Format | None:
    text = head.data.removeprefix(_BOM).lstrip(_SPACE)
    if not text.startswith(b"{"):
        return None
    if _XGBOOST.match(text) and (b'"learner"' in text or b'"learner"' in head.source.tail(HEAD)):
        return Format.XGBOOST_JSON
    return Format.VLLM_JSON if _VLLM.search(text) and _is_text(head.data) else None


def _binary(head: _Head) -> Format | None:
    return binary.format_of(head.source, head.data)


def _plain(head: _Head) -> Format | None:
    if not _is_text(head.data):
        return None
    python = head.name.endswith(".py") or _PYTHON.search(head.data.removeprefix(_BOM))
    return Format.PYTHON_SOURCE if python else Format.TEXT


_SNIFFERS: Final[tuple[Callable[[_Head], Format | None], ...]] = (_markup, _json, _binary, _plain)


def _is_text(data: bytes) -> bool:
    """Whether bytes are UTF-8, or Latin-1 that looks like text: no control characters, mostly ASCII."""
    if not _CONTROLS.isdisjoint(data):
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(data) - 3:
            return sum(byte < 127 for byte in data) > 0.9 * len(data)
    return True


def _zip_format(source: Source) -> Format:
    try:
        names: Iterable[str] = zips.directory(source)
    except FormatError:
        return _zip_rest(source)
    return zip_kind(names) or Format.UNKNOWN


def _zip_rest(source: Source) -> Format:
    """Return what an archive without a directory was: TorchScript's pickle names classes of __torch__ first."""
    known = zip_kind(zips.first_names(source))
    head = source.read(0, HEAD)
    if known in (None, Format.TORCH_PICKLE) and (b"/data.pkl" in head or b"/data/0" in head):
        return Format.TORCHSCRIPT if b"c__torch__" in head else Format.TORCH_PICKLE
    return known or Format.UNKNOWN


_ZIP_KINDS: Final[tuple[tuple[Format, re.Pattern[str]], ...]] = (
    (
        Format.TORCH_EXPORT,
        re.compile(
            r"archive_format$|serialized_exported_program\.json$|(?:[^/]+/)?(?:models/\w+\.json|data/(?:aotinductor|weights)/)"
        ),
    ),
    (Format.TORCHSCRIPT, re.compile(r"[^/]+/(?:constants\.pkl$|code/)")),
    (Format.TORCH_PICKLE, re.compile(r"[^/]+/data\.pkl$")),
    (Format.KERAS_ZIP, re.compile(r"model\.weights\.h5$")),
)


def zip_kind(names: Iterable[str]) -> Format | None:
    """Return what an archive with such files is."""
    seen = {known for name in names for known, pattern in _ZIP_KINDS if pattern.match(name)}
    return next((known for known, _ in _ZIP_KINDS if known in seen), None)
