"""The server's and a model's metadata, read."""

from __future__ import annotations

from dataclasses import dataclass

from triton_watch.records import ServerInfo
from triton_watch.triton.fields import Fields


@dataclass(frozen=True, slots=True)
class TensorMetadata:
    """An input or output: Triton's datatype (such as FP32 or BYTES) and shape; -1 is any size."""

    name: str
    datatype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """GET /v2/models/M. `versions` are those that are ready."""

    name: str
    versions: tuple[str, ...]
    platform: str
    inputs: tuple[TensorMetadata, ...]
    outputs: tuple[TensorMetadata, ...]


def server_info(value: object, url: str = "") -> ServerInfo:
    """GET /v2. Raises GarbageError, which names the field."""
    fields = Fields(value, "", url)
    return ServerInfo(fields.text("name"), fields.text("version"), fields.texts("extensions"))


def model_metadata(value: object, url: str = "") -> ModelMetadata:
    """GET /v2/models/M. Raises GarbageError, which names the field."""
    fields = Fields(value, "", url)
    return ModelMetadata(
        name=fields.text("name"),
        versions=fields.texts("versions"),
        platform=fields.text("platform", ""),
        inputs=tuple(_tensor(tensor) for tensor in fields.children("inputs")),
        outputs=tuple(_tensor(tensor) for tensor in fields.children("outputs")),
    )


def _tensor(fields: Fields) -> TensorMetadata:
    return TensorMetadata(fields.text("name"), fields.text("datatype"), fields.numbers("shape"))
