"""An ensemble's steps and tensors as a graph, read from its configuration alone. Everything is linear in its size."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from triton_watch.check.served import remembered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.pbtxt.messages import ModelConfig

SCHEDULING = "ensemble_scheduling"
_MOST_WALKED = 2_000
"""Tensors that are looked at to name an output in a message."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `inputs` are pairs of the member's input and the ensemble's tensor, `outputs` likewise."""

    index: int
    model: str
    version: int
    inputs: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]

    @property
    def path(self) -> tuple[str | int, ...]:
        """Where it stands in the configuration."""
        return (SCHEDULING, "step", self.index)


class Graph:
    """Which step writes and reads which tensor."""

    def __init__(self, message: ModelConfig) -> None:
        self.inputs = dict.fromkeys(item.name for item in message.input)
        self.outputs = dict.fromkeys(item.name for item in message.output)
        self.steps = tuple(
            Step(
                index,
                step.model_name,
                step.model_version,
                tuple(sorted(step.input_map.items())),
                tuple(sorted(step.output_map.items())),
            )
            for index, step in enumerate(message.ensemble_scheduling.step)
        )
        self.writers: dict[str, list[tuple[Step, str]]] = {}
        self.readers: dict[str, list[tuple[Step, str]]] = {}
        for step in self.steps:
            for name, tensor in step.outputs:
                self.writers.setdefault(tensor, []).append((step, name))
            for name, tensor in step.inputs:
                self.readers.setdefault(tensor, []).append((step, name))

    @cached_property
    def unwritten(self) -> tuple[str, ...]:
        """Tensors that a step reads, though nothing writes them."""
        return tuple(tensor for tensor in self.readers if tensor not in self.writers and tensor not in self.inputs)

    @cached_property
    def unused(self) -> tuple[str, ...]:
        """Tensors that a step writes, though nothing reads them."""
        return tuple(tensor for tensor in self.writers if tensor not in self.readers and tensor not in self.outputs)

    @cached_property
    def order(self) -> tuple[Step, ...]:
        """The steps in an order in which they can run, as if unwritten tensors were there; without those in a loop."""
        waiting = {step.index: len({tensor for _, tensor in step.inputs}) for step in self.steps}
        known = {*self.inputs, *self.unwritten}
        queue = deque(known)
        done = [step for step in self.steps if not step.inputs]
        for step in done:
            self._write(step, known, queue)
        while queue:
            tensor = queue.popleft()
            for step in dict.fromkeys(step for step, _ in self.readers.get(tensor, ())):
                waiting[step.index] -= 1
                if not waiting[step.index]:
                    done.append(step)
                    self._write(step, known, queue)
        return tuple(done)

    @staticmethod
    def _write(step: Step, known: set[str], queue: deque[str]) -> None:
        for _, tensor in step.outputs:
            if tensor not in known:
                known.add(tensor)
                queue.append(tensor)

    def loops(self) -> Iterator[tuple[tuple[Step, str], ...]]:
        """Yield loops: each step with the tensor by which it waits for the next; the last one waits for the first."""
        stuck = {step.index for step in self.steps} - {step.index for step in self.order}
        seen: set[int] = set()
        for step in self.steps:
            trail: dict[int, tuple[Step, str]] = {}
            here = step
            while here.index in stuck and here.index not in seen:
                seen.add(here.index)
                awaited = self._awaited(here, stuck)
                if awaited is None:
                    break
                trail[here.index] = (here, awaited)
                here = self.writers[awaited][0][0]
            if here.index in trail:
                found = list(trail.values())
                yield tuple(found[next(at for at, (one, _) in enumerate(found) if one.index == here.index) :])

    def _awaited(self, step: Step, stuck: set[int]) -> str | None:
        for _, tensor in step.inputs:
            if tensor not in self.inputs and tensor in self.writers and self.writers[tensor][0][0].index in stuck:
                return tensor
        return None

    def output_behind(self, tensor: str) -> str | None:
        """Return an output of the ensemble that depends on a tensor, if one is found soon."""
        seen, queue = {tensor}, deque([tensor])
        while queue and len(seen) < _MOST_WALKED:
            here = queue.popleft()
            if here in self.outputs:
                return here
            for step, _ in self.readers.get(here, ())[:100]:
                for _, written in step.outputs[:100]:
                    if written not in seen:
                        seen.add(written)
                        queue.append(written)
        return None


@remembered
def graph_of(model: Model) -> Graph:
    """Return the graph of an ensemble; an empty one of another model."""
    return Graph(model.message)
