"""Where a report's events are read from: a state directory, or a Prometheus."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.records.objective import matches
from triton_watch.slo.ledger import Ledger
from triton_watch.slo.report import added_up, assemble, joined, rows_of, silent_targets, summed_course
from triton_watch.slo.timeline import after_pause
from triton_watch.wording import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from triton_watch.records import (
        Course,
        LedgerState,
        Objective,
        PrometheusSettings,
        Report,
        ReportRow,
        SeriesKey,
        WindowSums,
    )

    Choice: TypeAlias = Callable[[Sequence[Objective]], tuple[Objective, ...]]
    """Takes the objectives of a source and returns those that are asked for."""

OLD = 300.0
"""Seconds since the last write of a store from which on its report says that it is old."""
PATIENCE = 2.0
"""Seconds of asking from which on that is shown on a terminal."""


def from_state(folder: Path, now: float, choose: Choice, *, per_target: bool) -> Report:
    """Return the report of a state directory up to its last write; `now` is Unix seconds. Raises StoreError."""
    from triton_watch.store.reader import read

    state = read(folder)
    at = now if state.written is None else state.written
    chosen = choose(state.objectives)
    ledgers = [ledger for one in state.ledgers if (ledger := _restored(one, state.objectives, at)) is not None]
    rows: list[ReportRow] = []
    warnings = _age(state.written, now)
    for windows, group in _by_windows(chosen, ledgers).items():
        sums = joined([_narrowed(ledger.sums(at), windows, group) for ledger in ledgers if _shares(ledger, group)])
        rows += _rows(sums, group, ledgers, per_target=per_target)
        warnings += [] if per_target else silent_targets(sums, group)
    return assemble(str(folder), at, chosen, rows, list(dict.fromkeys(warnings)))


def _restored(kept: LedgerState, objectives: Sequence[Objective], at: float) -> Ledger | None:
    """Return a ledger as it stands at the Unix time `at`: one that was written before has been silent since.

    It gets all objectives that the agent gave it, for they decide what it remembers.
    """
    own = [one for one in objectives if one.period == kept.period and matches(one.targets, kept.target)]
    return Ledger(kept.target, own, time=after_pause(kept.time, kept.wall, at), state=kept) if own else None


def _by_windows(
    objectives: Sequence[Objective], ledgers: Sequence[Ledger]
) -> Mapping[tuple[float, ...], Mapping[str, Objective]]:
    """Group objectives by the windows that all their ledgers know: targets with other objectives have others."""
    groups: dict[tuple[float, ...], dict[str, Objective]] = defaultdict(dict)
    for one in objectives:
        having = [set(ledger.windows) for ledger in ledgers if one.name in ledger.objectives]
        if having:
            groups[tuple(sorted(set.intersection(*having)))][one.name] = one
    return groups


def _shares(ledger: Ledger, group: Mapping[str, Objective]) -> bool:
    return not ledger.objectives.keys().isdisjoint(group)


def _narrowed(sums: WindowSums, windows: tuple[float, ...], group: Mapping[str, Objective]) -> WindowSums:
    """Return the part of the sums that is about these objectives and windows."""
    rows = [sums.windows.index(window) for window in windows]
    columns = [i for i, key in enumerate(sums.keys) if key.slo in group]
    keys = tuple(sums.keys[i] for i in columns)
    good, bad = (values[np.ix_(rows, columns)] for values in (sums.good, sums.bad))
    covered, silence = sums.covered[columns], sums.silence[columns]
    return replace(sums, keys=keys, windows=windows, good=good, bad=bad, covered=covered, silence=silence)


def _rows(
    sums: WindowSums,
    group: Mapping[str, Objective],
    ledgers: Sequence[Ledger],
    *,
    per_target: bool,
) -> list[ReportRow]:
    at = sums.at
    parts: Mapping[SeriesKey, tuple[str, ...]] = {}
    if not per_target:
        sums, parts = added_up(sums)
    by_key = {key: ledger for ledger in ledgers for key in ledger.keys}

    def course(key: SeriesKey) -> Course | None:
        every = [key._replace(target=target) for target in parts.get(key, (key.target,))]
        return summed_course([by_key[one].course(one, at) for one in every])

    return rows_of(sums, group, parts, course)


def from_prometheus(settings: PrometheusSettings, choose: Choice, *, per_target: bool, courses: bool) -> Report:
    """Return the report of a fleet. Raises HistoryError. `courses` False spares the query that only charts need."""
    from triton_watch.config.windows import burn_windows
    from triton_watch.records import Page
    from triton_watch.store.prometheus import PrometheusHistory

    windows_of = partial(burn_windows, severities=tuple(Page))
    with PrometheusHistory(settings, now=time.time, windows_of=windows_of) as history:
        chosen = choose(history.objectives())
        parts = history.sums(chosen, per_target=per_target)
        drawn = history.courses(chosen, per_target=per_target) if courses else {}
        rows = [row for part in parts for row in rows_of(part.sums, part.objectives, part.targets, drawn.get)]
        at = max((part.sums.at for part in parts), default=time.time())
        return assemble(history.source, at, chosen, rows, history.warnings)


def _age(written: float | None, now: float) -> list[str]:
    if written is None:
        return ["nothing has been written there yet: the agent writes some seconds after its first poll."]
    if now - written >= OLD:
        age = words.span(now - written)
        return [f"this was written {age} ago and says nothing of the time since: is `triton-watch run` still running?"]
    if written - now >= OLD:
        return [f"this was written {words.span(written - now)} in the future: compare this clock with the agent's."]
    return []


@contextmanager
def patience(what: str) -> Iterator[None]:
    """Say on a terminal what is being waited for, if it takes longer than `PATIENCE`."""
    from threading import Timer

    from rich.console import Console
    from rich.text import Text

    status = Console(stderr=True, quiet=not sys.stderr.isatty()).status(Text(what))
    timer = Timer(PATIENCE, status.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        status.stop()
