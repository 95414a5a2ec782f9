"""The API served for a test from a daemon's state made by hand, and a state with every kind of fact and every name."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import numpy as np
import requests

from support.alert_pages import AT
from synthetic_state import HOSTILE, SyntheticState, alerts_of, budgets_of, state_of
from triton_watch.daemon.api.routes import api_routes
from triton_watch.daemon.app import App
from triton_watch.daemon.state import TargetCounts
from triton_watch.daemon.web import WebServer
from triton_watch.records import (
    BatchSizes,
    CanaryFailure,
    CanaryHistory,
    CanaryReason,
    CanaryRun,
    Confidence,
    Course,
    CycleMark,
    Event,
    EventKind,
    EventLevel,
    Finding,
    History,
    LogLine,
    ModelIndex,
    ModelKey,
    RecentSlot,
    RecentTable,
    Severity,
    Sum,
    Target,
    WebSettings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TARGET: Final = 'a/b "größe" \ud800'
"""A hostile name of a target: a slash, quotes, letters of other alphabets, half a character."""
NEVER_POLLED: Final = "gpu-8"
KEYS: Final = (ModelKey("ranker", "1"), ModelKey("ranker", "2"), *(ModelKey(name, "1") for name in HOSTILE))


@contextmanager
def served(state: SyntheticState, at: float = AT, kept: float = 0.0) -> Iterator[str]:
    """The URL of an agent that has only the API, whose clock stands, and that keeps answers for `kept` seconds."""
    server = WebServer(WebSettings(port=0), App(api_routes(state, lambda: at, kept)))
    server.start()
    try:
        yield f"{server.url}/api/v1"
    finally:
        server.close()


def get(url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers=headers, timeout=10)


def path_of(target: str, model: str) -> str:
    """The path of a model, however it is called."""
    return f"/models/{quote(target, safe='')}/{quote(model, safe='')}"


def full_state(keys: Sequence[ModelKey] = KEYS, target: str = TARGET) -> SyntheticState:
    """One target of which every kind of fact is known, at `AT`, and one that was never polled."""
    state = state_of(keys)
    snapshot = replace(
        state.polled["triton"], at=AT - 3.0, target=Target(target, "http://x:8000", "http://x:8002/metrics", "x:8001")
    )
    key = keys[0]
    return replace(
        state,
        polled={target: snapshot},
        counts={target: state.counts["triton"], NEVER_POLLED: TargetCounts()},
        unpolled={NEVER_POLLED: Target(NEVER_POLLED, "http://gpu-8:8000", "http://gpu-8:8002/metrics", "gpu-8:8001")},
        budget_view=budgets_of(keys, [target]),
        canary_states={target: state.canary_states["triton"]},
        verdicts={target: state.verdicts["triton"]},
        alert_view=replace(alerts_of(AT), findings={target: _findings(keys)}, ended=alerts_of(AT - 9e3).states[3:]),
        past=_history(target, keys),
        process=replace(state.process, log=(LogLine(AT - 5.0, "warning", "no \x1b[2J \ud800", "target=x"),)),
        canary_pasts={(target, key): _canaries()},
        course_of={
            (target, key): {
                "availability": Course(np.array([AT - 60.0, AT]), np.array([1.0, 3.0]), np.array([0.0, 1.0]))
            }
        },
        batches={(target, key.name, key.version): BatchSizes(AT - 9.0, {1: 5, 8: 700})},
    )


def _findings(keys: Sequence[ModelKey]) -> tuple[Finding, ...]:
    severities = tuple(Severity)
    return tuple(
        Finding("TW402", "no-dynamic-batching", severities[i % 3], Confidence.HIGH, f"{key.name} waits", model=key.name)
        for i, key in enumerate(keys)
    )


def _course() -> Course:
    return Course(np.array([AT - 60.0, AT]), np.array([1.0, 3.0]), np.array([0.0, 1.0]))


def _canaries() -> CanaryHistory:
    return CanaryHistory(
        (CanaryRun(AT - 30.0, CanaryReason.NOT_FINITE, 0.5, 0.25), CanaryRun(AT - 60.0, CanaryReason.UNREACHABLE)),
        (CanaryFailure(CanaryReason.NOT_FINITE, "SCORES holds NaN", AT - 900.0, AT - 30.0, 12),),
    )


def _history(target: str, keys: Sequence[ModelKey]) -> History:
    index = ModelIndex(tuple(keys), {key: i for i, key in enumerate(keys)})
    begins = np.arange(math.floor(AT / 60.0) * 60.0 - 3540.0, AT, 60.0)
    slots = tuple(RecentSlot(float(begin), 60.0, index, np.full((len(Sum), len(keys)), 60.0)) for begin in begins)
    event = Event(AT - 99.0, AT - 9.0, EventKind.MODEL, EventLevel.TROUBLE, target, "it is gone", *keys[0][:2])
    return History({target: RecentTable(slots)}, {target: (CycleMark(AT - 3.0, 0.0125, 1),)}, (event,))
