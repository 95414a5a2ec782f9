"""Inference bodies of HTTP: the open protocol's JSON, followed by the tensors' bytes (the binary data extension)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from triton_watch.triton.infer.messages import BYTES, FLOATS, Tensor, TensorError, tensor_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.triton.infer.messages import InferRequest

HEADER_LENGTH: Final = "Inference-Header-Content-Length"
"""The header that says how many bytes of a body are JSON."""


def request_body(request: InferRequest) -> tuple[bytes, dict[str, str]]:
    """The body of a request, all tensors as bytes, and the headers that describe it. It asks for such an answer."""
    header: dict[str, Any] = {
        "parameters": {**request.parameters, "binary_data_output": True},
        "inputs": [
            {
                "name": name,
                "shape": list(tensor.shape),
                "datatype": tensor.datatype,
                "parameters": {"binary_data_size": len(tensor.data)},
            }
            for name, tensor in request.inputs.items()
        ],
    }
    if request.id:
        header["id"] = request.id
    text = json.dumps(header).encode()
    body = b"".join((text, *(tensor.data for tensor in request.inputs.values())))
    return body, {"Content-Type": "application/octet-stream", HEADER_LENGTH: str(len(text))}


def outputs_of(answer: dict[str, Any], data: bytes) -> dict[str, Tensor]:
    """The outputs that the JSON of an answer names; `data` is what follows it. Raises `TensorError`."""
    outputs = answer.get("outputs")
    if not isinstance(outputs, list):
        raise TensorError("the answer has no list of outputs")
    found: dict[str, Tensor] = {}
    at = 0
    for output in outputs:
        name, datatype, shape = _described(output)
        size = _binary_size(output, name)
        if size is None:
            found[name] = _from_json(output.get("data"), name, datatype, shape)
            continue
        if at + size > len(data):
            raise TensorError(f"output {name!r} announces {size} bytes where {len(data) - at} are left")
        found[name] = Tensor(datatype, shape, data[at : at + size])
        at += size
    if at != len(data):
        raise TensorError(f"{len(data) - at} bytes follow the last output")
    return found


def _described(output: object) -> tuple[str, str, tuple[int, ...]]:
    """Name, datatype and shape."""
    if not isinstance(output, dict):
        raise TensorError("an output is not a JSON object")
    name, datatype, shape = (output.get(key) for key in ("name", "datatype", "shape"))
    if not (isinstance(name, str) and isinstance(datatype, str) and isinstance(shape, list)):
        raise TensorError("an output lacks its name, datatype or shape")
    if not all(_is_size(extent) for extent in shape):
        raise TensorError(f"output {name!r} has a shape of other than whole numbers")
    return name, datatype, tuple(shape)


def _binary_size(output: dict[str, Any], name: str) -> int | None:
    """Bytes of an output after the JSON; None = its data are in the JSON."""
    parameters = output.get("parameters")
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if size is not None and not _is_size(size):
        raise TensorError(f"output {name!r} announces an amount of bytes that is not a whole number")
    return size


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _from_json(data: object, name: str, datatype: str, shape: tuple[int, ...]) -> Tensor:
    values = list(_leaves(data)) if isinstance(data, list) else None
    if values is None:
        raise TensorError(f"output {name!r} has neither bytes nor data")
    if not all(isinstance(value, _kinds(datatype)) for value in values):
        raise TensorError(f"output {name!r} has data that are not of {datatype}")
    try:
        # Whole numbers stay Python's own until they are converted: as floats, large ones would lose digits.
        array = np.array(values, dtype=np.float64 if datatype in FLOATS else np.object_).reshape(shape)
    except (ValueError, OverflowError):
        raise TensorError(f"output {name!r} has {len(values)} values for shape {list(shape)}") from None
    return tensor_of(array, datatype)


def _kinds(datatype: str) -> tuple[type, ...]:
    """What elements of this datatype are in JSON; a bool is an int, too."""
    if datatype == BYTES:
        return (str,)
    return (int, float) if datatype in FLOATS else (int,)


def _leaves(data: list[Any]) -> Iterator[Any]:
    """The elements of nested lists; JSON this deep has been refused by its reader."""
    for item in data:
        if isinstance(item, list):
            yield from _leaves(item)
        else:
            yield item
