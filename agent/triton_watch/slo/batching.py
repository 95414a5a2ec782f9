"""Models whose requests could share batches, and do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from triton_watch.records import ModelConfig, ModelKey, Sli, SliTable
from triton_watch.slo.queue import in_flight_per_instance
from triton_watch.slo.sli import ROW

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOW_EFFICIENCY: Final = 0.5
"""Batch efficiency below which batching is called out where the dynamic batcher is off."""
WITH_BATCHER: Final = 0.5
"""How much of that where it is on: clients that wait for their answers keep even a good one near half."""
ENOUGH_IN_FLIGHT: Final = 2.0
"""Requests in flight per instance below which there was nothing to batch."""


@dataclass(frozen=True, slots=True)
class PoorBatches:
    """How a model batches that could do better: its average batch of at most so many, and what is in flight."""

    key: ModelKey
    average: float
    max_batch_size: int
    in_flight: float
    efficiency: float
    dynamic_batching: bool

    @property
    def figures(self) -> str:
        """What is so, without a full stop."""
        return (
            f"Batches hold {self.average:.1f} of {self.max_batch_size} while {self.in_flight:.0f} requests are in "
            f"flight (efficiency {self.efficiency:.0%})"
        )

    @property
    def sentence(self) -> str:
        """What is so, and the cure."""
        cure = (
            "raise max_queue_delay_microseconds, so that requests meet in a batch"
            if self.dynamic_batching
            else "add dynamic_batching { } to its config.pbtxt"
        )
        return f"{self.figures}: {cure}."


def poor_batches(
    table: SliTable, configs: Mapping[str, ModelConfig], low: float = LOW_EFFICIENCY
) -> Iterator[PoorBatches]:
    """Yield the models that batch too little for their traffic, in the order of the table.

    `low` is the efficiency that is too low where the dynamic batcher is off.
    """
    efficiency, average = table.values[ROW[Sli.BATCH_EFFICIENCY]], table.values[ROW[Sli.AVERAGE_BATCH]]
    with np.errstate(invalid="ignore"):
        may_be_poor = (efficiency < low) & ~np.isnan(average) & (in_flight_per_instance(table) >= ENOUGH_IN_FLIGHT)
    for row in np.flatnonzero(may_be_poor).tolist():
        key = table.models.keys[row]
        config = configs.get(key.name)
        if config is not None and efficiency[row] < low * (WITH_BATCHER if config.dynamic_batching else 1.0):
            in_flight = float(table.values[ROW[Sli.IN_FLIGHT], row])
            yield PoorBatches(
                key,
                float(average[row]),
                config.max_batch_size,
                in_flight,
                float(efficiency[row]),
                config.dynamic_batching,
            )
