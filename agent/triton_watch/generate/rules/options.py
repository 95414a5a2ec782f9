"""How rules are to be where they will run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from triton_watch.records import Labels, ModelConfig

AGENT_JOB, TRITON_JOB = "triton-watch", "triton"
"""What Prometheus is expected to call the jobs that scrape the agents, and Triton itself."""
INTERVAL: Final = 30.0


class Source(str, Enum):
    """What rules look at. With both of them loaded people would be told twice."""

    AGENT = "agent"
    TRITON = "triton"


class BurnBy(str, Enum):
    """Of what the alerts on burning budgets are."""

    TARGET = "target"
    """A model on one server: which of them is the trouble."""
    MODEL = "model"
    """A model over all its servers: what its clients see."""


@dataclass(frozen=True, slots=True)
class RuleOptions:
    """Where the rules will run. `interval` is how often they are recorded, seconds.

    `external_url` is where people reach an agent; "" = as the settings say, else where Prometheus scrapes it.
    `selectors` are labels and values that every series must have, such as cluster and its name. `labels` are added to
    every alert. `models` are a live server's, by name and in order: what Triton's own metrics do not say
    (max_batch_size, instances) is taken from them; None = nobody asked a server, () = no model was ready on it.
    """

    external_url: str = ""
    agent_job: str = AGENT_JOB
    triton_job: str = TRITON_JOB
    selectors: Labels = ()
    labels: Labels = ()
    interval: float = INTERVAL
    burn_by: BurnBy = BurnBy.TARGET
    models: tuple[ModelConfig, ...] | None = None
