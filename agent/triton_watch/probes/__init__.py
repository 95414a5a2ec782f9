"""The probes of a target: a name, a function, and a cycle that runs them all.

A probe takes the target's `Watch` and a deadline (monotonic seconds), updates the watch and returns its
outcome with a sentence, or raises TritonError. The runner (`cycle`) adds duration and never lets one
probe's failure keep another from running.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from triton_watch.probes import health, metadata, metrics
from triton_watch.probes.watch import Watch
from triton_watch.records import Outcome

Probe: TypeAlias = Callable[[Watch, float], tuple[Outcome, str]]

PROBES: Mapping[str, Probe] = MappingProxyType(
    {
        "metrics": metrics.metrics,
        "live": health.live,
        "ready": health.ready,
        "server": metadata.server,
        "index": metadata.index,
        "config": metadata.config,
    }
)
"""In the order in which a cycle runs them."""
