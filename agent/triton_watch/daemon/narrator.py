"""What is said about targets: each change once, a failure that goes on only when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from triton_watch.daemon.chronicle import News, Topic
from triton_watch.records import (
    EventKind,
    EventLevel,
    ModelKey,
    ModelState,
    ModelStatus,
    Outcome,
    ProbeResult,
    TargetSnapshot,
)
from triton_watch.slo.troubles import group_failures
from triton_watch.wording.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch.daemon.chronicle import Chronicle

_QUIET = frozenset({ModelStatus.READY, ModelStatus.UNLOADED, ModelStatus.NOT_LOADED})
_UNDER_WAY = frozenset({ModelStatus.LOADING, ModelStatus.UNLOADING})


@dataclass(slots=True)
class _Streak:
    """Failures of one probe in a row. `topic` is that of the line in the log, which probes may share."""

    outcome: Outcome
    topic: Topic
    times: int = 1


class Narrator:
    """Turns successive snapshots of one target into news. One thread at a time."""

    def __init__(self, target: str, chronicle: Chronicle) -> None:
        self._target = target
        self._chronicle = chronicle
        self._streaks: dict[str, _Streak] = {}
        self._models: tuple[ModelState, ...] | None = None
        self._troubled: dict[ModelKey, ModelState] = {}
        self._failed: set[ModelKey] = set()
        """Those of the troubled that were more than under way."""

    def tell(self, snapshot: TargetSnapshot) -> None:
        """Say what changed since the last snapshot."""
        self._tell_failures(snapshot)
        self._tell_recoveries(snapshot)
        if snapshot.models is not None and snapshot.models is not self._models:
            self._models = snapshot.models
            self._tell_models(snapshot.models)

    def _tell_failures(self, snapshot: TargetSnapshot) -> None:
        """Tell each new way to fail, at once for all probes that have it in common, and count those that go on."""
        going_on: dict[Topic, None] = {}
        for group in group_failures(snapshot.probes.values()):
            news = [result for result in group if not self._goes_on(result, going_on)]
            if news:
                self._fail(news)
        for topic in going_on:
            self._chronicle.again(topic)

    def _goes_on(self, result: ProbeResult, going_on: dict[Topic, None]) -> bool:
        streak = self._streaks.get(result.probe)
        if streak is None or streak.outcome is not result.outcome:
            return False
        streak.times += 1
        going_on[streak.topic] = None
        return True

    def _fail(self, results: Sequence[ProbeResult]) -> None:
        names, outcome, detail = _names(results), results[0].outcome, results[0].detail
        topic = Topic(EventKind.PROBE, self._target, name=names)
        self._streaks.update({result.probe: _Streak(outcome, topic) for result in results})
        facts = {"target": self._target, "probe": names, "outcome": outcome.value}
        sentence = f"{_probes(results)} failed: {detail}"
        self._chronicle.tell(News(topic, EventLevel.TROUBLE, f"probe failed: {detail}", facts, sentence))

    def _tell_recoveries(self, snapshot: TargetSnapshot) -> None:
        well = [result for name, result in snapshot.probes.items() if result.ok and name in self._streaks]
        if well:
            ended = [self._streaks.pop(result.probe) for result in well]
            names, failures = _names(well), max(streak.times for streak in ended)
            facts = {"target": self._target, "probe": names, "failures": failures}
            verb = "works" if len(well) == 1 else "work"
            sentence = f"{_probes(well)} {verb} again after {plural(failures, 'failure')}."
            topic = Topic(EventKind.PROBE, self._target, name=names)
            self._chronicle.tell(News(topic, EventLevel.RECOVERY, "probe works again", facts, sentence))
            self._chronicle.end({streak.topic for streak in ended} - {one.topic for one in self._streaks.values()})

    def _tell_models(self, models: tuple[ModelState, ...]) -> None:
        troubled = {state.key: state for state in models if state.status not in _QUIET or _is_awaited(state)}
        for key, state in troubled.items():
            if self._troubled.get(key) != state:
                self._tell_trouble(state)
        for key in self._troubled.keys() - troubled.keys():
            level = EventLevel.RECOVERY if key in self._failed else None
            self._model(key, level, "model is well again or gone")
        self._troubled = troubled
        self._failed &= troubled.keys()

    def _tell_trouble(self, state: ModelState) -> None:
        is_under_way = state.status in _UNDER_WAY
        if not is_under_way:
            self._failed.add(state.key)
        message = f"model is {state.status.value}" + (f": {state.reason}" if state.reason else "")
        self._model(state.key, None if is_under_way else EventLevel.TROUBLE, message)

    def _model(self, key: ModelKey, level: EventLevel | None, message: str) -> None:
        facts = {"target": self._target, "model": key.name, "version": key.version}
        self._chronicle.tell(News(Topic.of_model(EventKind.MODEL, self._target, key), level, message, facts))


def _is_awaited(state: ModelState) -> bool:
    return state.expected and state.status is not ModelStatus.READY


def _names(results: Sequence[ProbeResult]) -> str:
    return ",".join(result.probe for result in results)


def _probes(results: Sequence[ProbeResult]) -> str:
    names = ", ".join(result.probe for result in results)
    return f"Probe {names}" if len(results) == 1 else f"Probes {names}"
