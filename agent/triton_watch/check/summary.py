"""Short facts of a model that rules over whole repositories need; they travel between processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from triton_watch.check.model import CONFIG
from triton_watch.check.pbtxt.messages import DataType, ModelInstanceGroup

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from triton_watch.check.model import Model
    from triton_watch.check.pbtxt.messages import ModelInput, ModelOutput


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input or output of a configuration. `dtype` is Triton's enumerator, as in `TYPE_FP32`."""

    name: str
    dtype: str
    dims: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """One instance group. `kind` is the enumerator, as in `KIND_GPU`; `count` as written, 0 when it is not."""

    kind: str
    count: int
    gpus: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """What is kept of a model after its own rules ran."""

    name: str
    path: Path
    config_path: Path
    has_config: bool
    readable: bool
    """Whether the configuration could be read whole, or there is none to read."""
    backend: str
    is_ensemble: bool
    max_batch_size: int
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    groups: tuple[Group, ...]
    members: tuple[str, ...]
    model_bytes: int
    """Size of the files of the version that is served."""
    cache: bool
    decoupled: bool


@dataclass(frozen=True, slots=True)
class Summaries:
    """All models of one repository. `whole` is False when only some of its models are judged.

    `together` says that a server is given it with the others of the run, as far as the user said so: by naming them.
    """

    path: Path
    models: Mapping[str, ModelSummary]
    whole: bool = True
    together: bool = True


def summarize(model: Model) -> ModelSummary:
    """Return the short facts of one model."""
    message = model.message
    return ModelSummary(
        name=model.name,
        path=model.path,
        config_path=model.config_path,
        has_config=model.config is not None,
        readable=model.readable or (not model.detached and model.folder.get(CONFIG) is None),
        backend=model.backend,
        is_ensemble=model.is_ensemble,
        max_batch_size=message.max_batch_size,
        inputs=_tensors(message.input),
        outputs=_tensors(message.output),
        groups=tuple(map(_group, message.instance_group)),
        members=tuple(step.model_name for step in message.ensemble_scheduling.step),
        model_bytes=_bytes(model),
        cache=message.response_cache.enable,
        decoupled=message.model_transaction_policy.decoupled,
    )


def _tensors(tensors: Iterable[ModelInput] | Iterable[ModelOutput]) -> tuple[Tensor, ...]:
    return tuple(Tensor(io.name, _enumerator(DataType, io.data_type), tuple(io.dims)) for io in tensors)


def _group(group: ModelInstanceGroup) -> Group:
    return Group(_enumerator(ModelInstanceGroup.Kind, group.kind), group.count, tuple(group.gpus))


def _enumerator(kind: Any, number: int) -> str:  # noqa: ANN401  # protobuf's wrapper of an enumeration
    """Return an enumerator's name; Triton accepts any number, so one without a name is itself."""
    try:
        return str(kind.Name(number))
    except ValueError:
        return str(number)


def _bytes(model: Model) -> int:
    latest = max(model.versions, key=lambda version: version.number, default=None)
    return 0 if latest is None else sum(entry.size for entry in latest.folder.entries if entry.is_file)
