"""The smallest model files, as the examples of rules write them: `hex: …`."""

from __future__ import annotations

import io
import zipfile

_TYPES = {"FP32": 1, "INT32": 6, "INT64": 7, "STRING": 8, "FP16": 10}
_OPSET = 17


def onnx(inputs: str, outputs: str, opset: int = _OPSET) -> str:
    """Return an ONNX model without nodes. Tensors are written `name FP32 -1 3 224`, several with commas."""
    graph = _text(2, "graph") + _tensors(11, inputs) + _tensors(12, outputs)
    model = b"\x08\x08" + _text(2, "example") + _part(7, graph) + _part(8, b"\x10" + _number(opset))
    return f"hex: {model.hex()}"


def torchscript(*arguments: str) -> str:
    """Return a TorchScript archive whose forward takes these tensors."""
    taken = "".join(f",\n    {name}: Tensor" for name in arguments)
    code = f"class M(Module):\n  def forward(self: __torch__.M{taken}) -> Tensor:\n    return {arguments[0]}\n"
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (("m/data.pkl", b"\x80\x02c__torch__\nM\n)\x81."), ("m/code/__torch__.py", code.encode())):
            archive.writestr(zipfile.ZipInfo(name), content)
    return f"hex: {data.getvalue().hex()}"


def _tensors(field: int, specs: str) -> bytes:
    return b"".join(_part(field, _tensor(*spec.split())) for spec in specs.split(",") if spec.strip())


def _tensor(name: str, dtype: str, *dims: str) -> bytes:
    """Return a ValueInfoProto; a dimension of -1 gets a name instead of a value."""
    shape = b"".join(_part(1, _text(2, "n") if dim == "-1" else b"\x08" + _number(int(dim))) for dim in dims)
    return _text(1, name) + _part(2, _part(1, b"\x08" + _number(_TYPES[dtype]) + _part(2, shape)))


def _text(field: int, text: str) -> bytes:
    return _part(field, text.encode())


def _part(field: int, content: bytes) -> bytes:
    return _number(field << 3 | 2) + _number(len(content)) + content


def _number(value: int) -> bytes:
    """Return a varint (https://protobuf.dev/programming-guides/encoding/)."""
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])
