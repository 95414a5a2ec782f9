"""The reader of each format. They need XML, JSON and inflation, so this module is imported with the first file read."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

from triton_watch.check.formats import (
    dali,
    graphdef,
    onnx,
    openvino,
    others,
    tensorflow,
    torchexport,
    torchscript,
    trees,
    vllm,
)
from triton_watch.check.formats.model import Format, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from triton_watch.check.formats.source import Source

    Reader: TypeAlias = Callable[[Source, Path, Format], Reading]

READERS: Final[Mapping[Format, Reader]] = MappingProxyType(
    {
        Format.ONNX: onnx.read,
        Format.SAVED_MODEL: tensorflow.read,
        Format.GRAPHDEF: graphdef.read,
        Format.DALI: dali.read,
        Format.OPENVINO_XML: openvino.read,
        Format.TORCHSCRIPT: torchscript.read,
        Format.TORCH_EXPORT: torchexport.read,
        Format.XGBOOST_JSON: trees.read,
        Format.XGBOOST_UBJ: trees.read,
        Format.XGBOOST_BINARY: trees.read,
        Format.LIGHTGBM_TEXT: trees.read,
        Format.TREELITE_CHECKPOINT: trees.read,
        Format.VLLM_JSON: vllm.read,
    }
)
"""All others are read by `others`."""


def read(source: Source, path: Path, known: Format) -> Reading:
    """Return what a file of a known format declares. Raises FormatError, OSError."""
    return READERS.get(known, others.read)(source, path, known)
