"""What is known of a model file: its format, what it declares, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Format(Enum):
    """What a file is, by its content. The value says it in words: "model.onnx is " + value."""

    ONNX = "an ONNX model"
    TENSORRT_PLAN = "a TensorRT plan"
    TORCHSCRIPT = "a TorchScript model"
    TORCH_EXPORT = "a torch.export archive"
    TORCH_PICKLE = "a PyTorch checkpoint (torch.save), which is weights or a pickled object and no TorchScript"
    SAVED_MODEL = "a TensorFlow SavedModel"
    GRAPHDEF = "a TensorFlow GraphDef"
    OPENVINO_XML = "an OpenVINO model"
    XGBOOST_JSON = "an XGBoost model (JSON)"
    XGBOOST_UBJ = "an XGBoost model (UBJSON)"
    XGBOOST_BINARY = "an XGBoost model (legacy binary)"
    LIGHTGBM_TEXT = "a LightGBM model"
    TREELITE_CHECKPOINT = "a Treelite checkpoint"
    DALI = "a serialized DALI pipeline"
    PYTHON_SOURCE = "Python source"
    VLLM_JSON = "arguments for vLLM's engine (JSON)"
    KERAS_H5 = "an HDF5 file, as Keras writes it"
    KERAS_ZIP = "a Keras archive"
    SAFETENSORS = "a safetensors file, which is weights only"
    GGUF = "a GGUF model"
    TFLITE = "a TensorFlow Lite model"
    PICKLE = "a Python pickle"
    GIT_LFS_POINTER = "a Git LFS pointer and not the file that it stands for"
    EMPTY = "empty"
    HTML = "a web page or an error that a download saved"
    TEXT = "plain text"
    UNKNOWN = "nothing known"


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output as a model file declares it."""

    name: str
    dtype: str | None
    """Triton's name without TYPE_ (FP32, STRING, …), or None: not a tensor, or a type that Triton lacks (see note)."""
    shape: tuple[int, ...] | None
    """The batch dimension included; -1 where it may vary. None: the file does not say, not even the rank."""
    optional: bool = False
    note: str | None = None
    """What else the file says: names of dimensions ("batch,seq"), or a type that Triton has no name for."""


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What a file is and declares. Nothing of it was loaded or run."""

    path: Path
    format: Format
    size: int
    """Bytes; of a folder, those of the file in it that was read."""
    inputs: tuple[TensorSpec, ...] | None = None
    """None: this format (or this broken file) does not tell. The order is the file's."""
    outputs: tuple[TensorSpec, ...] | None = None
    detail: Mapping[str, str] = field(default_factory=_nothing)
    """Facts by name, such as opset, ir_version, producer, signature, features; docstrings of readers list theirs."""
    problem: str | None = None
    """What is wrong, to be written after the file's name: "is truncated: …". None when nothing was seen."""


@dataclass(frozen=True, slots=True)
class PythonModel:
    """A model.py as its syntax tree shows it. With a problem or a syntax error the rest is unknown (defaults)."""

    path: Path
    syntax_error: tuple[int, int, str] | None = None
    """Line and column (from 1) and Python's message. The checking Python may be newer or older than the stub's."""
    has_class: bool = False
    """TritonPythonModel is defined, assigned or imported (also possibly, by a star import)."""
    has_execute: bool | None = None
    """None: the class inherits from something that is not seen here, or is itself not written here."""
    bases_seen: bool = True
    """False when the class, or a base of it, is not written in this file (or is decorated): it may do more."""
    has_auto_complete: bool = False
    has_initialize: bool = False
    has_finalize: bool = False
    uses_response_sender: bool = False
    """get_response_sender is called somewhere: what a decoupled model does."""
    sets_decoupled: bool = False
    """set_model_transaction_policy is called: auto_complete_config declares the transaction policy."""
    async_execute: bool = False
    imports: tuple[str, ...] = ()
    """Packages that are imported at the top level, outside try blocks; sorted, relative ones with their dots."""
    guarded_imports: tuple[str, ...] = ()
    """Packages imported in functions or in try blocks, which may be missing."""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class VllmModel:
    """A model.json for vLLM: the engine's arguments. With a problem the rest is what could be read."""

    path: Path
    model: str | None = None
    args: Mapping[str, Any] = field(default_factory=_nothing)
    """All arguments, `model` included, as JSON gives them."""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader returns: the part of a ModelFile that depends on the format."""

    inputs: tuple[TensorSpec, ...] | None = None
    outputs: tuple[TensorSpec, ...] | None = None
    detail: Mapping[str, str] = field(default_factory=_nothing)
    problem: str | None = None


class FormatError(Exception):
    """A file cannot be read as what it looks like. The text is a ModelFile's problem."""


def quoted(text: str) -> str:
    """Return a stranger's text for a message: on one line, in quotes, and not long."""
    return repr(text if len(text) <= 80 else text[:80] + "…")
