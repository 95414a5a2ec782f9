"""What the canary of one model version sends, and what it expects: made once a load, of its configuration."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from triton_watch.probes.canary.given import given
from triton_watch.probes.canary.inputs import generate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.probes.canary.golden.model import Golden
    from triton_watch.records import CanaryOptions, ModelConfig, ModelKey, TensorSpec
    from triton_watch.triton.infer.messages import Tensor


class Kind(Enum):
    """How a model is asked."""

    UNARY = "unary"
    """One request, one response."""
    STREAM = "stream"
    """A decoupled model: one request, any number of responses."""
    SEQUENCE = "sequence"
    """A stateful model: three requests that start, continue and end a sequence."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """One model version's canary. `variants` are its inputs, used in turn; `was_made_up`: nobody gave them."""

    key: ModelKey
    kind: Kind
    options: CanaryOptions
    variants: tuple[Mapping[str, Tensor], ...]
    outputs: tuple[TensorSpec, ...]
    takes_batches: bool
    was_made_up: bool
    in_sequence: bool = False
    """Its requests belong to sequences, which have an id each: a number, or a text."""
    text_sequence_ids: bool = False
    golden: Golden | None = None

    @property
    def source(self) -> str:
        """Where its inputs are from: golden, given or made up."""
        return "golden" if self.golden is not None else "made up" if self.was_made_up else "given"

    @property
    def batch_size(self) -> int | None:
        """Rows of the first input; None where the model takes no batches."""
        if not self.takes_batches:
            return None
        return next((tensor.shape[0] for tensor in self.variants[0].values() if tensor.shape), 1)


def plan_of(key: ModelKey, config: ModelConfig, options: CanaryOptions, golden: Golden | None = None) -> Plan:
    """Make the plan: the golden's inputs, else those that were given, else made-up ones.

    Raises `NoInputError` when there is no way to ask the model.
    """
    if golden is not None and not golden.inputs:
        golden = None  # one without inputs says nothing
    if golden is not None:
        variants = golden.inputs
    elif options.inputs:
        variants = given(config, options)
    else:
        variants = generate(config, options)
    return Plan(
        key=key,
        kind=_kind(config),
        options=options,
        variants=variants,
        outputs=config.outputs,
        takes_batches=config.max_batch_size > 0,
        was_made_up=golden is None and not options.inputs,
        in_sequence=config.sequence_batching,
        text_sequence_ids=config.text_sequence_ids,
        golden=golden,
    )


def _kind(config: ModelConfig) -> Kind:
    if config.decoupled:
        return Kind.STREAM
    return Kind.SEQUENCE if config.sequence_batching else Kind.UNARY
