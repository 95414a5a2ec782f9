"""What is asked and what is answered, the same for gRPC and HTTP. Tensors are in `tensors` and `conversion`."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from triton_watch.triton.infer.conversion import as_bytes, tensor_of
from triton_watch.triton.infer.tensors import BYTES, DTYPES, FLOATS, KNOWN_DATATYPES, Tensor, TensorError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "BYTES",
    "DTYPES",
    "FLOATS",
    "KNOWN_DATATYPES",
    "Exchange",
    "InferAnswer",
    "InferRequest",
    "Tensor",
    "TensorError",
    "as_bytes",
    "tensor_of",
]


@dataclass(frozen=True, slots=True)
class InferRequest:
    """One inference request. `parameters` are those of the protocol: sequence_id, sequence_start and the like."""

    model: str
    version: str
    id: str
    inputs: Mapping[str, Tensor]
    parameters: Mapping[str, bool | int | float | str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class InferAnswer:
    """One response. `at` is seconds since the request was sent."""

    model: str
    version: str
    outputs: Mapping[str, Tensor]
    at: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """All responses to one request, in order; a stream may have none, or many. `seconds` is until the last one."""

    answers: Sequence[InferAnswer]
    seconds: float

    @property
    def first(self) -> float | None:
        """Seconds until the first response."""
        return self.answers[0].at if self.answers else None
