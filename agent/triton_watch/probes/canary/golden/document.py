"""The JSON beside a golden's arrays: what a person reviews in a diff, and may edit under `compare`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from triton_watch.probes.canary.golden.arrays import key_of
from triton_watch.probes.canary.golden.rule_text import rule_as_json
from triton_watch.triton.infer.messages import BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.probes.canary.golden.model import Golden, Tensors
    from triton_watch.triton.infer.messages import Tensor

FORMAT = 1
PREVIEW = 8
"""Values of each tensor that are shown."""

_SHOWN = 80
"""Characters of a text that are shown."""


def document(golden: Golden, digest: str) -> bytes:
    """The JSON. `digest` is the SHA-256 of the .npz that belongs to it."""
    ignored = {name: {"method": "ignore"} for name in golden.ignore}
    content = {
        "format": FORMAT,
        "model": golden.model,
        "version": golden.version,
        "recorded_at": golden.recorded_at,
        "server": dict(zip(("name", "version"), golden.server, strict=True)),
        "inputs": [_described(tensors) for tensors in golden.inputs],
        "outputs": [[_described(tensors) for tensors in responses] for responses in golden.outputs],
        "compare": {name: rule_as_json(rule) for name, rule in golden.compare.items()} | ignored,
        "notes": list(golden.notes),
        "parameters": dict(golden.parameters),
        "arrays": {"sha256": digest},
    }
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)
    return f"{text}\n".encode("utf-8", "surrogatepass")


def keyed(golden: Golden) -> Iterator[tuple[str, Tensor]]:
    """Every tensor with its key in the .npz."""
    for variant, tensors in enumerate(golden.inputs):
        yield from ((key_of("input", variant, name), tensor) for name, tensor in tensors.items())
    for variant, responses in enumerate(golden.outputs):
        for number, tensors in enumerate(responses):
            yield from ((key_of("output", variant, number, name), tensor) for name, tensor in tensors.items())


def _described(tensors: Tensors) -> list[dict[str, Any]]:
    return [
        {"name": name, "datatype": tensor.datatype, "shape": list(tensor.shape), "preview": _preview(tensor)}
        for name, tensor in tensors.items()
    ]


def _preview(tensor: Tensor) -> list[bool | int | float | str]:
    values = tensor.array().reshape(-1)[:PREVIEW]
    if tensor.datatype == BYTES:
        return [_text(value) for value in values]
    if values.dtype.kind == "f":
        return [_number(str(value)) for value in values]
    plain: list[bool | int | float | str] = values.tolist()
    return plain


def _number(text: str) -> float | str:
    """The shortest digits of the value's own datatype; JSON has no NaN and no infinity."""
    return text if text in {"nan", "inf", "-inf"} else float(text)


def _text(value: bytes) -> str:
    text = value[: 4 * _SHOWN].decode("utf-8", "backslashreplace")
    return text if len(value) <= 4 * _SHOWN and len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
