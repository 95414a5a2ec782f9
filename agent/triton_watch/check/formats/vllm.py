"""vLLM's model.json: arguments of its AsyncEngineArgs. Details: model."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from triton_watch.check.formats.jsons import parsed
from triton_watch.check.formats.model import Format, FormatError, Reading, VllmModel

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.check.formats.source import Source

_LARGEST: Final = 1 << 20
"""Bytes; what one read of a source gives."""


def read(source: Source, path: Path, known: Format) -> Reading:  # noqa: ARG001 - the signature of all readers
    """Return the name of the model. Raises FormatError, OSError."""
    found = read_arguments(source, path)
    return Reading(detail={"model": found.model} if found.model else {}, problem=found.problem)


def read_arguments(source: Source, path: Path) -> VllmModel:
    """Return all arguments. Raises FormatError, OSError."""
    if source.size == 0:
        return VllmModel(path, problem="is empty: it must be a JSON object of vLLM's engine arguments")
    if source.size > _LARGEST:
        raise FormatError(f"is too large for vLLM's arguments: {source.size:,} bytes")
    document = parsed(source.read(0, _LARGEST))
    if not isinstance(document, dict):
        return VllmModel(path, problem="is not a JSON object of vLLM's engine arguments")
    args = MappingProxyType(document)
    model = document.get("model")
    if isinstance(model, str) and model:
        return VllmModel(path, model, args)
    wrong = "has no `model`" if model is None else "has a `model` that is no text"
    return VllmModel(path, None, args, f"{wrong}: name a folder or a model of the Hugging Face hub")
