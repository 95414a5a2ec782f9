"""What flows along the edges of an ensemble, compared as Triton's core compares it.

The core (ensemble_utils.cc) remembers for each tensor of the ensemble the type and shape that it saw first (the
ensemble's own inputs and outputs, then step by step the member's inputs, then its outputs) and compares every
other one with that. Shapes fit when the dims without the batch dimension do, or those with it; -1 fits any size.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from triton_watch.check.datafiles import type_name
from triton_watch.check.graph import graph_of
from triton_watch.check.members import Port, interface, may_be_decoupled
from triton_watch.check.served import remembered
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.check.graph import Step
    from triton_watch.check.members import Interface
    from triton_watch.check.model import Model
    from triton_watch.check.pbtxt.messages import ModelInput, ModelOutput

INPUT, OUTPUT = "input", "output"
_MOST_HOPS = 5


@dataclass(frozen=True, slots=True)
class End:
    """One end of an edge: an input or output of a member (`step`), or of the ensemble itself (no step)."""

    side: str
    port: Port
    batching: bool
    step: Step | None = None
    position: int = 0
    """Of the ensemble's own: which input or output it is."""

    def __str__(self) -> str:
        owner = f"ensemble {self.side} " if self.step is None else f"{clip(self.step.model)}."
        shape = ", ".join([type_name(self.port.data_type), *(str(dim) for dim in self.port.dims[:8])])
        return f"{owner}{clip(self.port.name)} [{shape}]"

    @property
    def gives(self) -> bool:
        """Whether the tensor comes from this end: a member's output, or the ensemble's input."""
        return (self.side == OUTPUT) == (self.step is not None)


@dataclass(frozen=True, slots=True)
class Edge:
    """Two ends of one tensor that Triton compares; `first` is the one that it saw first."""

    tensor: str
    first: End
    second: End

    @property
    def certain(self) -> bool:
        """Whether neither end may be changed by a backend."""
        return self.first.port.certain and self.second.port.certain

    @property
    def types_differ(self) -> bool:
        """Whether the data types differ, as far as they are given."""
        types = self.first.port.data_type, self.second.port.data_type
        return 0 not in types and types[0] != types[1]

    @property
    def shapes_differ(self) -> bool:
        """Whether neither the dims fit nor those with the batch dimension."""
        first, second = self.first.port, self.second.port
        return not fit(first.dims, second.dims) and not fit(first.full, second.full)


@dataclass(frozen=True, slots=True)
class Unknown:
    """An entry of a map for an input or output that the member does not have."""

    step: Step
    side: str
    name: str
    tensor: str
    known: tuple[str, ...]
    certain: bool


@dataclass(slots=True)
class Flow:
    """What comes of following all tensors of an ensemble."""

    edges: list[Edge] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)
    unmapped: list[tuple[Step, str, bool]] = field(default_factory=list)
    """Steps that leave out a required input of their model, and whether that is certain."""
    doubled: list[tuple[Step, str, str]] = field(default_factory=list)
    """Steps that map an output which their model has twice: step, output, tensor."""
    first: dict[str, End | None] = field(default_factory=dict)
    """By tensor, what Triton saw first; None when that is a member's about which nothing is known."""


def fit(some: tuple[int, ...], others: tuple[int, ...]) -> bool:
    """Whether two shapes can be one; -1 fits any size (CompareDimsWithWildcard of Triton's common library)."""
    return len(some) == len(others) and all(
        one == other or -1 in {one, other} for one, other in zip(some, others, strict=True)
    )


@remembered
def flow_of(model: Model) -> Flow:
    """Follow the tensors of an ensemble through its members."""
    flow = Flow()
    message = model.message
    batching = message.max_batch_size > 0
    for position, taken in enumerate(message.input):
        flow.first.setdefault(taken.name, _own(taken, INPUT, position, batching))
    for position, given in enumerate(message.output):
        flow.first.setdefault(given.name, _own(given, OUTPUT, position, batching))
    for step in graph_of(model).steps:
        member = model.repository.model(step.model) if step.model else None
        known = interface(member) if member is not None else None
        _follow(flow, step, INPUT, step.inputs, known)
        _follow(flow, step, OUTPUT, step.outputs, known)
    return flow


def _own(item: ModelInput | ModelOutput, side: str, position: int, batching: bool) -> End:
    dims = tuple(item.reshape.shape if item.HasField("reshape") else item.dims)
    full = (-1, *dims) if batching else dims
    return End(side, Port(item.name, item.data_type, dims, full), batching, position=position)


def _follow(flow: Flow, step: Step, side: str, pairs: tuple[tuple[str, str], ...], known: Interface | None) -> None:
    """Compare one side of a member with what is known of the ensemble's tensors."""
    ports = None if known is None else known.inputs if side == INPUT else known.outputs
    if known is None or ports is None:
        for _, tensor in pairs:
            flow.first.setdefault(tensor, None)
        return
    tensors = dict(pairs)
    for name, tensor in pairs:
        if name not in ports:
            flow.unknown.append(Unknown(step, side, name, tensor, tuple(ports)[:200], known.certain))
    order = {name: number for number, name in enumerate(ports)} if len(tensors) > 1 else {}
    for name in sorted((name for name in tensors if name in ports), key=lambda name: order.get(name, 0)):
        if side == OUTPUT and len(ports[name]) > 1:
            flow.doubled.append((step, name, tensors[name]))
        for port in ports[name]:
            _compare(flow, tensors[name], End(side, port, known.max_batch_size > 0, step))
    if side == INPUT and pairs and all(name in ports for name in tensors):
        _require(flow, step, tensors, ports, known.certain)


def _compare(flow: Flow, tensor: str, end: End) -> None:
    if tensor not in flow.first:
        flow.first[tensor] = end
        return
    first = flow.first[tensor]
    if first is not None:
        flow.edges.append(Edge(tensor, first, end))


def _require(
    flow: Flow, step: Step, tensors: Mapping[str, str], ports: Mapping[str, tuple[Port, ...]], certain: bool
) -> None:
    for name, same in ports.items():
        if name not in tensors and not same[0].optional:
            flow.unmapped.append((step, name, certain and same[0].certain))
            return  # one a step is enough, and keeps large ensembles linear


class Paths:
    """Shows where a tensor comes from."""

    def __init__(self, model: Model) -> None:
        self._graph = graph_of(model)
        self._model = model

    @cached_property
    def _givers(self) -> dict[str, End]:
        """By tensor, the end that it comes from."""
        flow = flow_of(self._model)
        found: dict[str, End] = {}
        for edge in flow.edges:
            for end in (edge.first, edge.second):
                if end.gives:
                    found.setdefault(edge.tensor, end)
        return found | {tensor: first for tensor, first in flow.first.items() if first is not None and first.gives}

    def upstream(self, tensor: str) -> list[str]:
        """Return the ends by which a tensor came, from an input of the ensemble on, the nearest last."""
        hops: list[str] = []
        here: str | None = tensor
        while here is not None and len(hops) < _MOST_HOPS:
            giver = self._givers.get(here)
            hops.insert(0, str(giver) if giver is not None else clip(here))
            here = self._before(here) if giver is None or giver.step is not None else None
        return ["…", *hops] if here is not None else hops

    def _before(self, tensor: str) -> str | None:
        writers = self._graph.writers.get(tensor)
        if not writers or not writers[0][0].inputs:
            return None
        return writers[0][0].inputs[0][1]

    def of(self, edge: Edge) -> str:
        """Return an edge as a path, from an input of the ensemble to the end that does not fit."""
        turned = edge.second.gives and not edge.first.gives
        giver, taker = (edge.second, edge.first) if turned else (edge.first, edge.second)
        if not giver.gives:
            return f"{clip(edge.tensor)} goes to {giver} and to {taker}"
        hops = self.upstream(edge.tensor)[:-1] if giver.step is not None else []
        return " -> ".join([*hops, str(giver), str(taker)])


def mixed(model: Model) -> list[tuple[Step | None, str, str]]:
    """Find steps whose inputs come from different decoupled models; None for the ensemble's outputs together.

    As the core does: an ensemble's inputs are of one origin, what a decoupled step writes is of an origin of its own,
    and other steps pass on the origin of their inputs, which must be one. Returns the step and two tensors of it.
    """
    graph = graph_of(model)
    origins: dict[str, int | None] = dict.fromkeys(graph.inputs, -1)
    found: list[tuple[Step | None, str, str]] = []
    for step in graph.order:
        tensors = [tensor for _, tensor in step.inputs]
        pair = _pair(tensors, origins)
        if pair is not None:
            found.append((step, *pair))
        origin = None if pair is not None else _common(tensors, origins)
        member = model.repository.model(step.model) if step.model else None
        decoupled = may_be_decoupled(member) if member is not None else None
        if decoupled is None:
            origin = None
        elif decoupled:
            origin = step.index
        for _, tensor in step.outputs:
            origins.setdefault(tensor, origin)
    pair = _pair(list(graph.outputs), origins)
    return [*found, (None, *pair)] if pair is not None else found


def _pair(tensors: list[str], origins: Mapping[str, int | None]) -> tuple[str, str] | None:
    """Return two tensors of different known origins."""
    first: tuple[str, int] | None = None
    for tensor in tensors:
        origin = origins.get(tensor)
        if origin is None:
            continue
        if first is None:
            first = tensor, origin
        elif origin != first[1]:
            return first[0], tensor
    return None


def _common(tensors: list[str], origins: Mapping[str, int | None]) -> int | None:
    known = [origins.get(tensor) for tensor in tensors]
    return None if None in known else next(iter(known), None)
