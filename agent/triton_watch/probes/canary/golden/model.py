"""A golden: what a model was asked, what it answered, and how answers are compared with that."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.probes.canary.golden.rules import Rule
    from triton_watch.triton.infer.messages import Tensor

Tensors: TypeAlias = "Mapping[str, Tensor]"


class GoldenError(Exception):
    """A golden cannot be read or written; the text is one sentence: which file, what is wrong, what to do."""


@dataclass(frozen=True, slots=True)
class Golden:
    """The recorded answers of one version of a model.

    `inputs` has one entry for each variant of the input; `outputs` one for each variant, with one mapping for
    each response. `compare` has the rules of the outputs that are compared, `ignore` those that are not,
    sorted.
    `recorded_at` is ISO 8601 in UTC; `server` is the name and version that the server gave. `parameters` were
    sent with the requests.
    """

    model: str
    version: str
    inputs: tuple[Tensors, ...]
    outputs: tuple[tuple[Tensors, ...], ...]
    compare: Mapping[str, Rule]
    notes: tuple[str, ...] = ()
    recorded_at: str = ""
    server: tuple[str, str] = ("", "")
    ignore: tuple[str, ...] = ()
    parameters: Mapping[str, bool | int | float | str] = field(default_factory=lambda: MappingProxyType({}))
