"""What the log says about targets: each change once, a failure that goes on only when it ends."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from triton_watch.records import ModelKey, ModelState, ModelStatus, Outcome, ProbeResult, TargetSnapshot
from triton_watch.slo.troubles import group_failures

_QUIET = frozenset({ModelStatus.READY, ModelStatus.UNLOADED, ModelStatus.NOT_LOADED})


@dataclass(slots=True)
class _Streak:
    outcome: Outcome
    times: int = 1


class Narrator:
    """Turns successive snapshots of one target into log lines. One thread at a time."""

    def __init__(self, target: str, log: logging.Logger) -> None:
        self._target = target
        self._log = log
        self._streaks: dict[str, _Streak] = {}
        self._models: tuple[ModelState, ...] | None = None
        self._troubled: dict[ModelKey, ModelState] = {}

    def tell(self, snapshot: TargetSnapshot) -> None:
        """Log what changed since the last snapshot."""
        self._tell_failures(snapshot)
        self._tell_recoveries(snapshot)
        if snapshot.models is not None and snapshot.models is not self._models:
            self._models = snapshot.models
            self._tell_models(snapshot.models)

    def _tell_failures(self, snapshot: TargetSnapshot) -> None:
        """Log each new way to fail, in one line for all probes that have it in common."""
        for group in group_failures(snapshot.probes.values()):
            news = [result for result in group if self._is_news(result)]
            if news:
                facts = {"target": self._target, "probe": _names(news), "outcome": news[0].outcome.value}
                self._log.warning("probe failed: %s", news[0].detail, extra={"facts": facts})

    def _is_news(self, result: ProbeResult) -> bool:
        streak = self._streaks.get(result.probe)
        if streak is not None and streak.outcome is result.outcome:
            streak.times += 1
            return False
        self._streaks[result.probe] = _Streak(result.outcome)
        return True

    def _tell_recoveries(self, snapshot: TargetSnapshot) -> None:
        well = [result for name, result in snapshot.probes.items() if result.ok and name in self._streaks]
        if well:
            failures = max(self._streaks.pop(result.probe).times for result in well)
            facts = {"target": self._target, "probe": _names(well), "failures": failures}
            self._log.info("probe works again", extra={"facts": facts})

    def _tell_models(self, models: tuple[ModelState, ...]) -> None:
        troubled = {state.key: state for state in models if state.status not in _QUIET or _is_awaited(state)}
        for key, state in troubled.items():
            if self._troubled.get(key) != state:
                self._model("model is %s" + (": %s" if state.reason else ""), state)
        for key in self._troubled.keys() - troubled.keys():
            self._log.info("model is well again or gone", extra={"facts": self._facts(key)})
        self._troubled = troubled

    def _model(self, message: str, state: ModelState) -> None:
        words = (state.status.value, state.reason) if state.reason else (state.status.value,)
        level = logging.INFO if state.status in (ModelStatus.LOADING, ModelStatus.UNLOADING) else logging.WARNING
        self._log.log(level, message, *words, extra={"facts": self._facts(state.key)})

    def _facts(self, key: ModelKey) -> dict[str, object]:
        return {"target": self._target, "model": key.name, "version": key.version}


def _is_awaited(state: ModelState) -> bool:
    return state.expected and state.status is not ModelStatus.READY


def _names(results: list[ProbeResult]) -> str:
    return ",".join(result.probe for result in results)
