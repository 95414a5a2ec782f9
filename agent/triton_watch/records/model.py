"""Models as a server knows them: keys, states, and the part of a configuration that SLIs need."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class ModelKey(NamedTuple):
    """One version of one model on one server. `namespace` is empty without --model-namespacing."""

    name: str
    version: str
    namespace: str = ""


class ModelStatus(str, Enum):
    """A model version's state, from the repository index. Triton's own states, and what their absence means."""

    READY = "READY"
    UNAVAILABLE = "UNAVAILABLE"
    LOADING = "LOADING"
    UNLOADING = "UNLOADING"
    UNKNOWN = "UNKNOWN"
    NOT_LOADED = "NOT_LOADED"
    """The index gives only the name: never loaded, or refused when the repository was read."""
    UNLOADED = "UNLOADED"
    """UNAVAILABLE with reason "unloaded": somebody asked for it."""
    MISSING = "MISSING"
    """Expected by the configuration, and the index does not know the name."""


@dataclass(frozen=True, slots=True)
class ModelState:
    """State of one model version as the repository index tells it. `reason` is Triton's text, or empty."""

    key: ModelKey
    status: ModelStatus
    reason: str = ""
    expected: bool = False


@dataclass(frozen=True, slots=True)
class EnsembleStep:
    """One step of an ensemble; `model_version` -1 is the latest."""

    model: str
    model_version: int


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """An input or output as its model's configuration promises it to clients.

    `datatype` is Triton's name on the wire (FP32, BYTES); `dims` are without the batch dimension, -1 = any size.
    A reshape does not matter to clients: it is what the backend sees.
    """

    name: str
    datatype: str
    dims: tuple[int, ...]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """What SLIs and canaries need of a model's completed configuration (GET /v2/models/M/config)."""

    name: str
    platform: str = ""
    backend: str = ""
    max_batch_size: int = 0
    instances: int = 1
    """Instances over all groups and their GPUs; at least 1."""
    instance_kinds: tuple[str, ...] = ()
    gpus: tuple[int, ...] = ()
    """GPU indices of all KIND_GPU groups, sorted, each once; empty when none is named."""
    uses_gpu: bool = False
    dynamic_batching: bool = False
    sequence_batching: bool = False
    decoupled: bool = False
    response_cache: bool = False
    steps: tuple[EnsembleStep, ...] = ()
    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()
    text_sequence_ids: bool = False
    """Sequences are named by a text, not by a number."""

    @property
    def is_ensemble(self) -> bool:
        """Whether the model is an ensemble: it has steps and no instances of its own."""
        return self.platform == "ensemble" or bool(self.steps)


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """GET /v2."""

    name: str
    version: str
    extensions: tuple[str, ...] = ()
