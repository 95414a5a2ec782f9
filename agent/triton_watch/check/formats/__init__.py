"""What model files are and what they declare, read without loading or running anything of them.

Reading is bounded: weights are skipped by their length, archives are inflated up to a limit, no pickle is
unpickled, and only regular files and folders are opened. Whatever a file holds, nothing is raised.
"""

from triton_watch.check.formats.model import Format, ModelFile, PythonModel, TensorSpec, VllmModel
from triton_watch.check.formats.reading import read_model_file, read_python_model, read_vllm
from triton_watch.check.formats.sniff import sniff
from triton_watch.check.formats.tables import (
    MODEL_TYPES,
    backends_for,
    default_filenames,
    expected_formats,
)

__all__ = [
    "MODEL_TYPES",
    "Format",
    "ModelFile",
    "PythonModel",
    "TensorSpec",
    "VllmModel",
    "backends_for",
    "default_filenames",
    "expected_formats",
    "read_model_file",
    "read_python_model",
    "read_vllm",
    "sniff",
]
