"""Inputs and outputs of a configuration, and how they are written in findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from triton_watch.check.pbtxt.messages import DataType
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from triton_watch.check.model import Model
    from triton_watch.check.pbtxt.messages import ModelInput, ModelOutput

MOST_TENSORS = 2_000
"""Inputs and outputs of one model that are judged each by each; a hostile file has more."""


class Declared(NamedTuple):
    """One input or output. `field` is `input` or `output`, `number` its place in that list, from 0."""

    field: str
    number: int
    io: ModelInput | ModelOutput

    @property
    def label(self) -> str:
        """It in a sentence."""
        return f"{self.field} '{clip(self.io.name)}'" if self.io.name else f"{self.field} {self.number + 1}"

    @property
    def quoted(self) -> str:
        """It in Triton's words."""
        return f"model {self.field} '{clip(self.io.name)}'"

    @property
    def path(self) -> tuple[str, int]:
        """Where it stands."""
        return self.field, self.number


def declared(model: Model) -> Iterator[Declared]:
    """Yield a configuration's inputs, then its outputs."""
    for index, one in enumerate(model.message.input[:MOST_TENSORS]):
        yield Declared("input", index, one)
    for index, other in enumerate(model.message.output[:MOST_TENSORS]):
        yield Declared("output", index, other)


def type_name(number: int) -> str:
    """Return a data type as Triton writes it, without TYPE_; a number that it does not know, as it is."""
    try:
        return DataType.Name(number).removeprefix("TYPE_")
    except ValueError:
        return str(number)


def dims_text(dims: Sequence[int]) -> str:
    """Return a shape as it is written in a configuration."""
    shown = [str(dim) for dim in dims[:12]] + ["…"] * (len(dims) > 12)
    return f"[ {', '.join(shown)} ]" if shown else "[ ]"


def names_of(ios: Iterable[ModelInput | ModelOutput]) -> set[str]:
    """Return the names of inputs or outputs."""
    return {io.name for io in ios}
