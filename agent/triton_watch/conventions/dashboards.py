"""The dashboards: their names, titles and the UIDs under which Grafana knows them."""

from __future__ import annotations

from typing import Final, NamedTuple

UID_PREFIX: Final = "triton-watch-"
"""What a link to a board is made of: https://grafana.example.com/d/triton-watch-{dashboard}."""


class DashboardName(NamedTuple):
    """`name` is the file's and what an alert's definition names; `title` what people read."""

    name: str
    title: str
    description: str

    @property
    def uid(self) -> str:
        """It never changes: links and bookmarks hold it."""
        return f"{UID_PREFIX}{self.name}"


DASHBOARDS: Final = (
    FLEET := DashboardName("fleet", "Triton / Fleet", "Which servers and models are in trouble, and which first."),
    MODEL := DashboardName("model", "Triton / Model", "One model: traffic, errors, and where its time goes."),
    SLO := DashboardName("slo", "Triton / SLO and error budget", "What is promised, what is left, how fast it burns."),
    CANARY := DashboardName("canary", "Triton / Canary", "Whether models give right answers, and how fast."),
    BATCHING := DashboardName("batching", "Triton / Batching", "Whether batching is on and works, and why not."),
    ENSEMBLE := DashboardName("ensemble", "Triton / Ensemble", "Which step of a pipeline takes the time or fails."),
    GPU := DashboardName("gpu", "Triton / GPU", "How busy and how full the GPUs are, and by which models."),
    CONFIG := DashboardName("config", "Triton / Config findings", "What is wrong in the configurations that are live."),
    AGENT := DashboardName("agent", "Triton / Agent", "Whether triton-watch itself is well, and whom it tells."),
)
"""In the order in which people meet them."""
