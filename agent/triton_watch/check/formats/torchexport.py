"""torch.export's .pt2 archives: inputs and outputs of the exported program. AOTInductor packages hold none.

The schema is torch/_export/serde/schema.py (PyTorch 2.1 to 2.13). Details: kind (AOTInductor or exported program),
torch (the version that wrote it), and of AOTInductor device, machine and capability that it was compiled for.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from triton_watch.check.formats import zips
from triton_watch.check.formats.jsons import parsed
from triton_watch.check.formats.model import Format, FormatError, Reading, TensorSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from triton_watch.check.formats.source import Source

_LARGEST: Final = 1 << 20
"""Bytes of JSON that are inflated and parsed; larger programs are left unread."""
_PROGRAM: Final = re.compile(r"(?:[^/]+/)?(?:models/\w+\.json|serialized_exported_program\.json)")
_COMPILED: Final = re.compile(r"(?:[^/]+/)?data/aotinductor/.*wrapper_metadata\.json")
_DTYPES: Final[Mapping[object, str]] = MappingProxyType(
    {
        1: "UINT8",
        2: "INT8",
        3: "INT16",
        4: "INT32",
        5: "INT64",
        6: "FP16",
        7: "FP32",
        8: "FP64",
        12: "BOOL",
        13: "BF16",
        28: "UINT16",
    }
)
"""The schema's ScalarType as Triton's names."""


def read(source: Source, path: Path, known: Format) -> Reading:  # noqa: ARG001 - the signature of all readers
    """Return what an exported program declares. Raises FormatError, OSError."""
    files = zips.directory(source)
    problem = zips.damage(source, files)
    compiled = next((files[name] for name in files if _COMPILED.fullmatch(name)), None)
    if compiled is not None:
        return Reading(detail={"kind": "AOTInductor"} | _device(source, compiled), problem=problem)
    program = next((files[name] for name in files if _PROGRAM.fullmatch(name)), None)
    if program is None or program.size > _LARGEST:
        return Reading(problem=problem)
    document = parsed(zips.content(source, program, _LARGEST))
    detail = {"kind": "exported program", "torch": _text(_get(document, "torch_version"))}
    inputs, outputs = _tensors(_get(document, "graph_module"))
    return Reading(inputs, outputs, {key: value for key, value in detail.items() if value}, problem)


def _device(source: Source, entry: zips.Entry) -> dict[str, str]:
    try:
        document = parsed(zips.content(source, entry, _LARGEST))
    except FormatError:
        return {}
    wanted = {"device": "DEVICE_KEY", "machine": "MACHINE", "capability": "COMPUTE_CAPABILITY"}
    found = {name: _text(_get(document, f"AOTI_{key}")) for name, key in wanted.items()}
    return {name: text for name, text in found.items() if text}


def _tensors(module: object) -> tuple[tuple[TensorSpec, ...] | None, tuple[TensorSpec, ...] | None]:
    signature = _get(module, "signature")
    values = _get(_get(module, "graph"), "tensor_values")
    if not isinstance(signature, dict):
        return None, None
    inputs = _specs(signature.get("input_specs"), "user_input", values)
    return tuple(inputs), tuple(_specs(signature.get("output_specs"), "user_output", values))


def _specs(specs: object, kind: str, values: object) -> Iterator[TensorSpec]:
    """Yield what a user gives or gets; constants among the arguments have no name."""
    for spec in specs if isinstance(specs, list) else []:
        argument = _get(_get(spec, kind), "arg")
        name = _text(_get(_get(argument, "as_tensor"), "name"))
        if name:
            yield _spec(name, _get(values, name))


def _spec(name: str, value: object) -> TensorSpec:
    sizes = _get(value, "sizes")
    shape = tuple(_size(size) for size in sizes) if isinstance(sizes, list) else None
    code = _get(value, "dtype")
    dtype = _DTYPES.get(code) if isinstance(code, int) else None
    return TensorSpec(name, dtype, shape, note=None if dtype else f"element type {code}"[:40])


def _size(size: object) -> int:
    fixed = _get(size, "as_int")
    return fixed if isinstance(fixed, int) and fixed >= 0 else -1


def _get(document: object, key: str) -> Any:  # noqa: ANN401 - JSON
    return document.get(key) if isinstance(document, dict) else None


def _text(value: object) -> str:
    return value[:200] if isinstance(value, str) else ""
