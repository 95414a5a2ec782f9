"""The faults, as data: what is done, which alerts must come of it and how soon, and how it is undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faults.stage import BROKEN
from support.canary_models import kill

if TYPE_CHECKING:
    from collections.abc import Callable

    from faults.stage import Stage


@dataclass(frozen=True)
class Expected:
    """An alert that must come, about this model ("" = the server), and in how many seconds it must fire.

    `fast` is with `for: 0s` and intervals of 5 s, `default` with every setting left alone; None = not measured so.
    """

    alert: str
    model: str
    fast: float
    default: float | None


@dataclass(frozen=True)
class Fault:
    """`make` and `mend` return when it is done; what they are told by the server does not matter."""

    name: str
    make: Callable[[Stage], object]
    mend: Callable[[Stage], object]
    alerts: tuple[Expected, ...]


def _moody(model: str, mood: str) -> dict[str, Callable[[Stage], object]]:
    return {"make": lambda stage: stage.mood(model, mood), "mend": lambda stage: stage.mood(model, "")}


def _crowded(model: str, mood: str, size: int) -> dict[str, Callable[[Stage], object]]:
    """So many clients more, and the mood."""

    def make(stage: Stage) -> None:
        stage.mood(model, mood)
        stage.clients.crowd(model, size)

    def mend(stage: Stage) -> None:
        stage.clients.disperse(model)
        stage.mood(model, "")

    return {"make": make, "mend": mend}


def _load_again(model: str) -> Callable[[Stage], object]:
    return lambda stage: (stage.repository_api("unload", model), stage.repository_api("load", model))


def _break(stage: Stage) -> None:
    stage.edit(BROKEN, 'backend: "python"', 'backend: "no_such_backend"')
    stage.repository_api("unload", BROKEN)
    stage.repository_api("load", BROKEN)


def _repair(stage: Stage) -> None:
    stage.edit(BROKEN, 'backend: "no_such_backend"', 'backend: "python"')
    stage.repository_api("load", BROKEN)


def _page(*, is_on: bool) -> Callable[[Stage], object]:
    return lambda stage: setattr(stage.page, "is_on", is_on)


TOGETHER: tuple[Fault, ...] = (
    Fault(
        "a model answers with a wrong shape",
        **_moody("lies", "shape"),
        alerts=(
            Expected("TritonCanaryWrongOutput", "lies", 15, 90),
            Expected("TritonSilentFailure", "lies", 15, 90),
        ),
    ),
    Fault(
        "a model answers with errors that Triton counts as success",
        **_moody("fails", "error"),
        alerts=(
            Expected("TritonCanaryFailing", "fails", 15, 90),
            Expected("TritonSilentFailure", "fails", 15, 90),
        ),
    ),
    Fault(
        "a model raises on every request",
        **_moody("raises", "raise"),
        alerts=(
            Expected("TritonCanaryFailing", "raises", 15, 90),
            Expected("TritonErrorBudgetBurn", "raises", 150, 300),
        ),
    ),
    Fault(
        "a model with 4 clients hangs",
        **_crowded("hangs", "hang", 4),
        alerts=(
            Expected("TritonModelWedged", "hangs", 15, 90),
            Expected("TritonCanaryFailing", "hangs", 15, 90),
        ),
    ),
    Fault(
        "a model becomes slow",
        **_moody("slows", "slow"),
        alerts=(Expected("TritonErrorBudgetBurn", "slows", 150, 300),),
    ),
    Fault(
        "the stub of a Python model is killed",
        make=lambda stage: kill(stage.triton, "dies"),
        mend=_load_again("dies"),
        alerts=(Expected("TritonCanaryFailing", "dies", 15, 90),),
    ),
    Fault(
        "an expected model is unloaded",
        make=lambda stage: stage.repository_api("unload", "leaves"),
        mend=lambda stage: stage.repository_api("load", "leaves"),
        alerts=(Expected("TritonModelUnavailable", "leaves", 15, 120),),
    ),
    Fault(
        "60 clients flood a slow model",
        **_crowded("floods", "slow", 60),
        alerts=(Expected("TritonQueueGrowing", "floods", 60, 180),),
    ),
    Fault(
        "8 clients ask a model without dynamic_batching",
        **_crowded("unbatched", "slow", 8),
        alerts=(Expected("TritonNotBatching", "unbatched", 60, None),),
    ),
    Fault(
        "the configuration on disk is no longer the one that is served",
        make=lambda stage: stage.edit("drifts", "max_batch_size: 8", "max_batch_size: 4"),
        mend=lambda stage: stage.edit("drifts", "max_batch_size: 4", "max_batch_size: 8"),
        alerts=(Expected("TritonConfigDrift", "drifts", 60, None),),
    ),
)
"""These are about models of their own, and are made at the same time."""

ALONE: tuple[Fault, ...] = (
    Fault(
        "a model is loaded whose backend is not there",
        make=_break,
        mend=_repair,
        alerts=(
            Expected("TritonNotReady", "", 15, 180),
            Expected("TritonModelUnavailable", BROKEN, 15, 120),
            Expected("TritonConfigErrors", BROKEN, 60, 60),
        ),
    ),
    Fault(
        "the metrics page answers 503",
        make=_page(is_on=False),
        mend=_page(is_on=True),
        alerts=(Expected("TritonMetricsMissing", "", 30, 150),),
    ),
    Fault(
        "the server dies",
        make=lambda stage: stage.triton.stop(grace=0.0),
        mend=lambda stage: stage.triton.start(),
        alerts=(Expected("TritonTargetDown", "", 15, 90),),
    ),
)
"""These concern the whole server, and are made one after the other."""
