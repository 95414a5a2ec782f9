"""What an ensemble finds of its members: which there are, what they take and give, whether they load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from triton_watch.check.formats import read_python_model
from triton_watch.check.pbtxt.messages import DataType
from triton_watch.check.resolve import ENSEMBLE
from triton_watch.check.served import remembered, served_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from triton_watch.check.formats import TensorSpec
    from triton_watch.check.model import Model
    from triton_watch.check.pbtxt.messages import ModelInput, ModelOutput
    from triton_watch.check.repository import Repository
    from triton_watch.check.rule import Stage

NEVER_COMPLETING = frozenset({ENSEMBLE, "pytorch", "fil", "identity", "repeat", "square"})
"""Backends known to take a configuration as it is; any other one may complete what it leaves out."""
READABLE = frozenset({"onnxruntime", "tensorrt", "openvino", "tensorflow"})
"""Those that complete from the model file, and take the first dimension for the batch where it varies."""
ALWAYS_COMPLETING = frozenset({"vllm", "dali"})
"""Backends that add theirs to those that are written."""


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a model as the ensemble's core compares it.

    `full` has the batch dimension, where the model batches. Uncertain ones are read from the model file, or may be
    changed by the backend.
    """

    name: str
    data_type: int
    dims: tuple[int, ...]
    full: tuple[int, ...]
    optional: bool = False
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Interface:
    """A member's inputs and outputs by name; of one name there may be several. None: not known.

    `certain` is False when the backend may add to what is written, or raise max_batch_size.
    """

    inputs: Mapping[str, tuple[Port, ...]] | None
    outputs: Mapping[str, tuple[Port, ...]] | None
    max_batch_size: int
    certain: bool


@remembered
def interface(model: Model) -> Interface:
    """Return what is known of a member's inputs and outputs."""
    message = model.message
    batching = message.max_batch_size > 0
    complete = bool(len(message.input) and len(message.output))
    certain = not _adds_its_own(model) if complete else model.backend in NEVER_COMPLETING
    written_in = _ports(_port(item, batching, certain) for item in message.input) if certain or message.input else None
    written_out = (
        _ports(_port(item, batching, certain) for item in message.output) if certain or message.output else None
    )
    if written_in is None or written_out is None:
        read_in, read_out = _from_file(model)
        written_in = read_in if written_in is None else written_in
        written_out = read_out if written_out is None else written_out
    return Interface(written_in, written_out, message.max_batch_size, certain)


def _adds_its_own(model: Model) -> bool:
    """Whether the backend may add inputs and outputs to a configuration that has some, or raise max_batch_size."""
    if model.backend == "python":
        return any(read_python_model(served.entry.path).has_auto_complete for served in served_files(model)[:1])
    return model.backend in ALWAYS_COMPLETING


def _port(item: ModelInput | ModelOutput, batching: bool, certain: bool) -> Port:
    dims = tuple(item.dims)
    return Port(
        item.name,
        item.data_type,
        dims,
        (-1, *dims) if batching else dims,
        optional=bool(getattr(item, "optional", False)),
        certain=certain,
    )


def _ports(items: Iterator[Port]) -> Mapping[str, tuple[Port, ...]]:
    found: dict[str, list[Port]] = {}
    for port in items:
        found.setdefault(port.name, []).append(port)
    return {name: tuple(ports) for name, ports in found.items()}


def _from_file(
    model: Model,
) -> tuple[Mapping[str, tuple[Port, ...]] | None, Mapping[str, tuple[Port, ...]] | None]:
    if model.backend not in READABLE:
        return None, None
    batching = model.message.max_batch_size > 0
    for served in served_files(model)[:1]:
        return _ports_of_file(served.file.inputs, batching), _ports_of_file(served.file.outputs, batching)
    return None, None


def _ports_of_file(tensors: tuple[TensorSpec, ...] | None, batching: bool) -> Mapping[str, tuple[Port, ...]] | None:
    """Return what a backend would make of a file's tensors; None when the file does not say all of it."""
    found = []
    for tensor in tensors or ():
        shape = tensor.shape
        if shape is None or tensor.dtype is None:
            return None
        first = batching or shape[:1] == (-1,)
        dims, full = (shape[1:], (-1, *shape[1:])) if first else (shape, shape)
        number = DataType.Value(f"TYPE_{tensor.dtype}")
        found.append(Port(tensor.name, number, dims, full, tensor.optional, certain=False))
    return _ports(iter(found)) if found else None


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a member does not load: the id of a rule, whose refusal that is, and the file or directory that it is in."""

    rule: str
    stage: Stage
    file: str = ""


class Nesting:
    """What a repository's ensembles have below them, found once for each: ensembles may be nested deeply."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self.circle: dict[str, tuple[str, ...] | None] = {}
        """Of an ensemble (by name): a circle of ensembles that it is in or leads to, its first named once."""
        self.decoupled: dict[str, str | None] = {}
        """Of an ensemble: a decoupled model below it."""
        self.faults: dict[str, Fault | None] = {}
        """Of a member: why it does not load. Filled by the rules that ask."""
        self._judging: set[str] = set()

    def unjudged(self, name: str) -> Iterator[str]:
        """Yield the models below an ensemble that have no entry in `faults`, each after its own members.

        Those that are just being judged further up are left out: in a circle there is no first one.
        """
        trail = {name: iter(self._members(name))}
        while trail:
            here = next(reversed(trail))
            below = next(trail[here], None)
            if below is None:
                if here != name:
                    yield here
                    self._judging.discard(here)
                trail.pop(here)
            elif below not in trail and below not in self.faults and below not in self._judging:
                self._judging.add(below)
                trail[below] = iter(self._members(below))

    def explore(self, name: str) -> None:
        """Find out about an ensemble and those below it."""
        if name in self.circle:
            return
        trail: dict[str, Iterator[str]] = {name: iter(self._members(name))}
        bad: dict[str, tuple[str, ...]] = {}
        self.decoupled[name] = None
        while trail:
            here = next(reversed(trail))
            below = next(trail[here], None)
            if below is None:
                trail.pop(here)
                self.circle[here] = bad.get(here)
                above = next(reversed(trail), None)
                if above is not None:
                    self._inherit(above, here, bad)
            elif below in trail:
                names = tuple(trail)
                bad.setdefault(here, names[names.index(below) :])
            elif below in self.circle:
                self._inherit(here, below, bad)
            else:
                self.decoupled[below] = None
                trail[below] = iter(self._members(below))

    def _inherit(self, above: str, below: str, bad: dict[str, tuple[str, ...]]) -> None:
        circle = self.circle[below]
        if circle is not None:
            bad.setdefault(above, circle)
        if self.decoupled[below] is not None:
            self.decoupled[above] = self.decoupled[above] or self.decoupled[below]

    def _members(self, name: str) -> tuple[str, ...]:
        model = self._repository.model(name)
        if model is None:
            return ()
        if not model.is_ensemble:
            if model.message.model_transaction_policy.decoupled:
                self.decoupled[name] = name
            return ()
        return tuple(dict.fromkeys(step.model_name for step in model.message.ensemble_scheduling.step))


_NESTINGS: WeakKeyDictionary[Repository, Nesting] = WeakKeyDictionary()


def nesting(repository: Repository) -> Nesting:
    """Return what is known of a repository's ensembles; it is kept as long as the repository."""
    return _NESTINGS.setdefault(repository, Nesting(repository))


def may_be_decoupled(model: Model) -> bool | None:
    """Whether a model is decoupled; None when its backend may say so later. An ensemble is when one below it is."""
    if model.is_ensemble:
        return decoupled_member(model) is not None
    if model.message.model_transaction_policy.decoupled:
        return True
    return None if not interface(model).certain else False


def decoupled_member(model: Model) -> str | None:
    """Return the name of a decoupled model somewhere below an ensemble."""
    known = nesting(model.repository)
    known.explore(model.name)
    return known.decoupled.get(model.name)
