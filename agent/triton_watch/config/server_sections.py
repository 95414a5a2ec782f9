"""What any Triton server may have in `triton-watch.yaml`, be it configured by itself or found."""

# Annotations are read at run time by pydantic, so this module has no `from __future__ import annotations`.

from triton_watch.config import fields as f
from triton_watch.config.sections import HttpSection, RestrictedSection, TimeoutsSection, setting


class CommonSection(HttpSection):
    """What `defaults` and a target share. A target's own setting replaces the default of the same name."""

    interval: f.Interval | None = setting(
        "Time from one poll to the next, from 100ms to 1d.", default="15s", example="10s"
    )
    timeouts: TimeoutsSection | None = setting("Deadlines of one request.")
    body_limit: f.Size | None = setting(
        "Largest answer that is read. A larger one counts as failed, and nothing of it is used.",
        default="50MB",
        example="20MiB",
    )
    restricted_api: RestrictedSection | None = setting("The header that opens Triton's restricted HTTP APIs.")


class ServerSection(CommonSection):
    """What may be said of a server beside its name and addresses."""

    model_repository: f.Paths | None = setting(
        "Directory of the model repository as this agent sees it, or a list of them.", example="/models"
    )
    expected_models: list[f.Text] | None = setting(
        "Models that must be ready. One that the server does not know is reported as missing.",
        example=["ranker", "embedder"],
        rule={"uniqueItems": True},
    )
    gpus: list[f.Gpu] | None = setting(
        "UUIDs of the server's GPUs in the order of its GPU indices, which the server does not tell. With "
        "them GPU use can be shared out to models.",
        example=["GPU-8d3f2a1b-7c6e-4f5a-9b8c-0d1e2f3a4b5c"],
        rule={"uniqueItems": True},
    )
