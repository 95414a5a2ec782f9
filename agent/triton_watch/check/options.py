"""What the user says about the place where the models will run. Unknown is None, and then not judged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from triton_watch.records import CheckSettings


class Release(NamedTuple):
    """A Triton container release, as in `24.10`."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year:02d}.{self.month:02d}"


class Profile(str, Enum):
    """What is demanded of a repository."""

    PRODUCTION = "production"
    """A crossed red line fails the check."""
    DEV = "dev"
    """Only errors fail the check."""


@dataclass(frozen=True, slots=True)
class Options:
    """Facts and wishes that rules may use.

    `triton`: the server's release. `gpus`: GPUs that the server sees. `gpu_memory`: bytes of each GPU.
    `latency_objective`: seconds that a request may take. `cache`: whether the server has a response cache
    (--cache-config). `rate_limit`: whether it runs with --rate-limit=execution_count. `auto_complete`:
    False with --disable-auto-complete-config.
    """

    triton: Release | None = None
    gpus: int | None = None
    gpu_memory: int | None = None
    latency_objective: float | None = None
    cache: bool | None = None
    rate_limit: bool | None = None
    auto_complete: bool = True
    profile: Profile = Profile.PRODUCTION


def options_of(settings: CheckSettings) -> Options:
    """The options that the `check` section gives."""
    release = settings.triton_version
    return Options(
        triton=None if release is None else Release(*map(int, release.split("."))),
        gpus=settings.gpus,
        gpu_memory=settings.gpu_memory,
        latency_objective=settings.latency_objective,
        cache=settings.response_cache,
        rate_limit=settings.rate_limit,
        profile=Profile(settings.profile or "production"),
    )
