"""Reads a model file: its format, then what that format's reader finds. Readers are imported when needed."""

from __future__ import annotations

import stat
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from triton_watch.check.formats.model import (
    Format,
    FormatError,
    ModelFile,
    PythonModel,
    Reading,
    VllmModel,
)
from triton_watch.check.formats.sniff import folder_format, sniff_source
from triton_watch.check.formats.source import Source, opened, status_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FILES: Final[Mapping[Format, tuple[str, ...]]] = MappingProxyType(
    {Format.SAVED_MODEL: ("saved_model.pb", "saved_model.pbtxt"), Format.ONNX: ("model.onnx",)}
)
"""Where in a folder the model is."""


def read_model_file(path: Path) -> ModelFile:
    """Return what a file or folder is and declares; what cannot be read has a problem. Nothing is raised.

    The work is bounded in bytes and steps, not in time: a file system that hangs makes this hang.
    """
    try:
        if stat.S_ISDIR(status_of(path).st_mode):
            return _read_folder(path)
        return _read_file(path, path)
    except (FormatError, OSError) as error:
        return ModelFile(path, Format.UNKNOWN, 0, problem=_problem(error))


def read_python_model(path: Path) -> PythonModel:
    """Return what a model.py defines, by its syntax tree. What cannot be read has a problem. Nothing is raised."""
    from triton_watch.check.formats.python_source import read_python  # noqa: PLC0415 - `ast` is not small

    try:
        with opened(path) as source:
            return read_python(source, path)
    except (FormatError, OSError) as error:
        return PythonModel(path, problem=_problem(error))


def read_vllm(path: Path) -> VllmModel:
    """Return the engine arguments of a vLLM model.json. What cannot be read has a problem. Nothing is raised."""
    from triton_watch.check.formats.vllm import read_arguments  # noqa: PLC0415 - with `json`

    try:
        with opened(path) as source:
            return read_arguments(source, path)
    except (FormatError, OSError) as error:
        return VllmModel(path, problem=_problem(error))


def _read_folder(path: Path) -> ModelFile:
    known = folder_format(path)
    inside = (path / name for name in _FILES.get(known, ()))
    file = next((name for name in inside if name.is_file()), None)
    if file is not None and file.suffix == ".pbtxt":
        return ModelFile(path, known, file.stat().st_size)
    if file is None:
        return ModelFile(path, known, 0, problem="is a folder without saved_model.pb or model.onnx in it")
    return _read_file(path, file)


def _read_file(path: Path, file: Path) -> ModelFile:
    """Read `file`, which is `path` itself or lies in it."""
    with opened(file) as source:
        known = sniff_source(source, file.name)
        reading = _read(source, file, known)
        problem = reading.problem if path == file else _problem_inside(file, known, reading.problem)
        return ModelFile(path, known, source.size, reading.inputs, reading.outputs, reading.detail, problem)


def _problem_inside(file: Path, known: Format, problem: str | None) -> str | None:
    """Return the problem of a folder by that of the file in it, which may also be something else by its content."""
    if problem is None and file.name not in _FILES.get(known, ()):
        problem = f"is {known.value}"
    return problem and f"has a {file.name} in it that {problem}"


def _read(source: Source, file: Path, known: Format) -> Reading:
    from triton_watch.check.formats.readers import read  # noqa: PLC0415 - XML and JSON are not small

    try:
        return read(source, file, known)
    except FormatError as error:
        return Reading(problem=str(error))


def _problem(error: FormatError | OSError) -> str:
    if isinstance(error, FormatError):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return "does not exist"
    return f"cannot be read: {error.strerror or type(error).__name__}"
