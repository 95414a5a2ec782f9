"""What the server is, which models it has, and how they are configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.records import ModelConfig, ModelKey, ModelStatus, Outcome
from triton_watch.triton.errors import (
    AnswerTimeoutError,
    ConnectError,
    RestrictedError,
    TritonError,
    UnauthorizedError,
)

if TYPE_CHECKING:
    from triton_watch.probes.watch import Watch

_NOT_ABOUT_ONE_MODEL = (ConnectError, AnswerTimeoutError, RestrictedError, UnauthorizedError)
"""Failures that the next model's request would meet too."""


def server(watch: Watch, deadline: float) -> tuple[Outcome, str]:
    """GET /v2. A server that restarted may be another version, so a failure forgets what was known."""
    watch.server = None
    watch.server = watch.client.server_metadata(deadline=deadline)
    return Outcome.OK, ""


def index(watch: Watch, deadline: float) -> tuple[Outcome, str]:
    """POST /v2/repository/index. On failure the last index stays, and the outcome says that it is old."""
    watch.index = watch.client.repository_index(deadline=deadline)
    return Outcome.OK, ""


def config(watch: Watch, deadline: float) -> tuple[Outcome, str]:
    """GET /v2/models/M/config of each ready model whose versions changed since it was fetched.

    What the deadline leaves over is fetched in the next cycle.
    """
    if watch.index is None:
        return Outcome.NOT_TRIED, "the repository index, which names the models, is not known"
    if watch.index is watch.settled:
        return Outcome.OK, ""
    ready = _ready_versions(watch)
    fetched: dict[str, ModelConfig] = {}
    failure: TritonError | None = None
    for name, versions in ready.items():
        if watch.configured_as.get(name) == versions:
            continue
        try:
            fetched[name] = watch.client.model_config(name, deadline=deadline)
            watch.configured_as[name] = versions
        except _NOT_ABOUT_ONE_MODEL as error:
            failure = error
            break
        except TritonError as error:
            failure = error
    _keep(watch, fetched, ready)
    if failure is not None:
        raise failure
    watch.settled = watch.index
    return Outcome.OK, ""


def _ready_versions(watch: Watch) -> dict[str, tuple[ModelKey, ...]]:
    versions: dict[str, list[ModelKey]] = {}
    for state in watch.index or ():
        if state.status is ModelStatus.READY:
            versions.setdefault(state.key.name, []).append(state.key)
    return {name: tuple(keys) for name, keys in versions.items()}


def _keep(watch: Watch, fetched: dict[str, ModelConfig], ready: dict[str, tuple[ModelKey, ...]]) -> None:
    """Swap in the new configurations; those of models that are gone go too."""
    if not fetched and watch.configs.keys() <= ready.keys():
        return
    kept = {name: known for name, known in watch.configs.items() if name in ready}
    watch.configs = {**kept, **fetched}
    watch.configured_as = {name: v for name, v in watch.configured_as.items() if name in ready}
