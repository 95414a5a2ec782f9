"""Which files each backend serves, and from which file names: data for the linter's rules.

The names are those of Triton's AutoCompleteBackendFields (core, src/model_config_utils.cc) and of the READMEs of the
backends that it does not know.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from triton_watch.check.formats.model import Format

if TYPE_CHECKING:
    from collections.abc import Mapping

FILENAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "tensorrt": ("model.plan",),
        "onnxruntime": ("model.onnx",),
        "pytorch": ("model.pt", "model.pt2"),
        "openvino": ("model.xml",),
        "tensorflow": ("model.savedmodel", "model.graphdef"),
        "python": ("model.py",),
        "fil": ("xgboost.model", "xgboost.json", "xgboost.ubj", "model.txt", "checkpoint.tl"),
        "dali": ("model.dali", "dali.py"),
        "vllm": ("model.json",),
    }
)
"""File or folder names that a backend looks for in a version's folder without default_model_filename.

Which of them the FIL backend takes is set by its parameter model_type.
"""

FORMATS: Mapping[str, frozenset[Format]] = MappingProxyType(
    {
        "tensorrt": frozenset({Format.TENSORRT_PLAN}),
        "onnxruntime": frozenset({Format.ONNX}),
        "pytorch": frozenset({Format.TORCHSCRIPT, Format.TORCH_EXPORT}),
        "openvino": frozenset({Format.OPENVINO_XML, Format.ONNX, Format.SAVED_MODEL, Format.GRAPHDEF, Format.TFLITE}),
        "tensorflow": frozenset({Format.SAVED_MODEL, Format.GRAPHDEF}),
        "python": frozenset({Format.PYTHON_SOURCE}),
        "fil": frozenset(
            {
                Format.XGBOOST_JSON,
                Format.XGBOOST_UBJ,
                Format.XGBOOST_BINARY,
                Format.LIGHTGBM_TEXT,
                Format.TREELITE_CHECKPOINT,
            }
        ),
        "dali": frozenset({Format.DALI, Format.PYTHON_SOURCE}),
        "vllm": frozenset({Format.VLLM_JSON}),
    }
)
"""What a backend can serve at all; OpenVINO's runtime reads ONNX, TensorFlow and TFLite by itself."""

MODEL_TYPES: Mapping[str, tuple[str, Format]] = MappingProxyType(
    {
        "xgboost": ("xgboost.model", Format.XGBOOST_BINARY),
        "xgboost_json": ("xgboost.json", Format.XGBOOST_JSON),
        "xgboost_ubj": ("xgboost.ubj", Format.XGBOOST_UBJ),
        "lightgbm": ("model.txt", Format.LIGHTGBM_TEXT),
        "treelite_checkpoint": ("checkpoint.tl", Format.TREELITE_CHECKPOINT),
    }
)
"""The FIL backend's model_type: the file name it looks for, and that file's format."""

_FIRST_CHOICE: Mapping[Format, tuple[str, ...]] = MappingProxyType(
    {
        Format.ONNX: ("onnxruntime", "openvino"),
        Format.SAVED_MODEL: ("tensorflow", "openvino"),
        Format.GRAPHDEF: ("tensorflow", "openvino"),
        Format.PYTHON_SOURCE: ("python", "dali"),
    }
)


def default_filenames(backend: str) -> tuple[str, ...]:
    """Return the names a backend looks for in a version's folder; () for a backend that is not known here."""
    return FILENAMES.get(backend, ())


def expected_formats(backend: str) -> frozenset[Format]:
    """Return the formats that a backend serves; empty for a backend that is not known here."""
    return FORMATS.get(backend, frozenset())


def backends_for(format: Format) -> tuple[str, ...]:  # noqa: A002 - the interface's name
    """Return the backends that serve a format, the usual one first; () when none does."""
    usual = _FIRST_CHOICE.get(format, ())
    return usual + tuple(name for name, formats in FORMATS.items() if format in formats and name not in usual)
