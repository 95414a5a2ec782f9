"""Objectives as the agents export them: so a report needs no configuration, only a Prometheus.

What agents that are up say now counts. Where none says anything of an objective, what was said last within a day
does, then within `LOOKBACKS[-1]`: an agent that is down still has its objectives. Where several disagree, most win.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from glob import escape
from math import isfinite
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, TypeVar

from triton_watch.conventions.slo import (
    SLO_INFO,
    SLO_MIN_EVENTS,
    SLO_NO_DATA_AFTER,
    SLO_OBJECTIVE,
    SLO_PERIOD,
    SLO_THRESHOLD_RATIO,
    SLO_THRESHOLD_SECONDS,
)
from triton_watch.records import Goal, Objective, Override, SloSli
from triton_watch.store.prometheus_queries import Selector, latest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Mapping

    from triton_watch.conventions import Metric
    from triton_watch.records import BurnWindow
    from triton_watch.store.prometheus_api import PrometheusApi

LOOKBACKS: Final = (0.0, 86_400.0, 30 * 86_400.0)
"""Seconds; 0 = now."""
_SLIS: Final = frozenset(sli.value for sli in SloSli)
_Key = TypeVar("_Key", bound="Hashable")
_Value = TypeVar("_Value")
Votes: TypeAlias = "dict[_Key, Counter[_Value]]"


class Info(NamedTuple):
    """The labels of an objective's info series, by their names."""

    sli: str
    served_quantile: str
    alerts: str

    def evaluated(self, windows: tuple[BurnWindow, ...]) -> tuple[BurnWindow, ...]:
        """The windows whose severity the objective has; all where its agent does not say."""
        return tuple(one for one in windows if not self.alerts or one.severity.value in self.alerts.split(","))


@dataclass(frozen=True, slots=True)
class ObjectiveReader:
    """Reads at `at` (Unix seconds), and warns of objectives that cannot be used as they are."""

    api: PrometheusApi
    selector: Selector
    at: float
    windows_of: Callable[[float], tuple[BurnWindow, ...]]

    def read(self) -> tuple[Objective, ...]:
        """All objectives, by name. Raises HistoryError."""
        found: dict[str, Objective] = {}
        troubles: dict[str, str] = {}
        for lookback in LOOKBACKS:
            # One that is not of use yet gets another chance: an agent that began while its server was down knows
            # the objective and not the models.
            infos = self._infos(lookback, found)
            if infos:
                found |= self._objectives(infos, lookback, troubles)
        for name in sorted(troubles.keys() - found.keys()):
            self.api.warn(f"objective {name!r} is left out: {troubles[name]}")
        if not found and not troubles:
            self.api.warn(f"there is no {SLO_INFO.name} of the last 30 days: does this Prometheus scrape the agents?")
        return tuple(found[name] for name in sorted(found))

    def _infos(self, lookback: float, known: Collection[str]) -> dict[str, Info]:
        """Name -> what is said of the objectives that are not known yet."""
        votes: Votes[str, Info] = defaultdict(Counter)
        labels = ", ".join(("slo", *Info._fields))
        query = f"count by ({labels}) ({latest(self.selector.series(SLO_INFO), lookback)})"
        for sample in self.api.instant(query, self.at):
            name = sample.labels.get("slo", "")
            if name not in known:
                said = Info(*(sample.labels.get(label, "") for label in Info._fields))
                votes[name][said] += int(sample.value)
        return self._elected(votes)

    def _objectives(self, infos: Mapping[str, Info], lookback: float, troubles: dict[str, str]) -> dict[str, Objective]:
        """The objectives of which enough is said to be of use; `troubles` gets why others are not."""
        periods = self._values(SLO_PERIOD, infos, lookback, "slo")
        floors = self._values(SLO_MIN_EVENTS, infos, lookback, "slo")
        silences = self._values(SLO_NO_DATA_AFTER, infos, lookback, "slo")
        goals = self._goals(infos, floors, lookback)
        found = {}
        for name, info in infos.items():
            period = periods.get((name,), 0.0)
            trouble = _trouble(info.sli, period, goals[name])
            if trouble:
                troubles[name] = trouble
            else:
                goal, others = _folded(goals[name])
                windows = info.evaluated(self.windows_of(period))
                one = Objective(name, SloSli(info.sli), goal, period, windows, overrides=others)
                found[name] = replace(one, no_data_after=silences.get((name,), one.no_data_after))
        return found

    def _goals(
        self, infos: Mapping[str, Info], floors: Mapping[tuple[str, ...], float], lookback: float
    ) -> Mapping[str, dict[str, Goal]]:
        """Name -> model -> its goal."""
        ratios = self._values(SLO_OBJECTIVE, infos, lookback, "slo", "model")
        seconds = self._values(SLO_THRESHOLD_SECONDS, infos, lookback, "slo", "model")
        bounds = self._values(SLO_THRESHOLD_RATIO, infos, lookback, "slo", "model", "bound")
        goals: dict[str, dict[str, Goal]] = {name: {} for name in infos}
        for (name, model), ratio in ratios.items():
            if 0 < ratio < 1:
                high = seconds.get((name, model), bounds.get((name, model, "upper")))
                low = bounds.get((name, model, "lower"))
                goal = Goal(ratio, low, high, infos[name].served_quantile or None)
                floor = floors.get((name,))
                goals[name][model] = goal if floor is None else replace(goal, min_events=int(floor))
        return goals

    def _values(
        self, metric: Metric, slos: Collection[str], lookback: float, *labels: str
    ) -> dict[tuple[str, ...], float]:
        """The most common value of a gauge for each combination of `labels`."""
        series = latest(self.selector.series(metric, slos), lookback)
        query = f'count_values by ({", ".join(labels)}) ("value", {series})'
        votes: Votes[tuple[str, ...], float] = defaultdict(Counter)
        for sample in self.api.instant(query, self.at):
            said = float(sample.labels.get("value", "NaN"))
            if isfinite(said):
                votes[tuple(sample.labels.get(label, "") for label in labels)][said] += int(sample.value)
        return self._elected(votes)

    def _elected(self, votes: Votes[_Key, _Value]) -> dict[_Key, _Value]:
        """What most say; of equals the greatest, so that it is the same each time."""
        for key, said in votes.items():
            if len(said) > 1:
                name = key[0] if isinstance(key, tuple) else key
                self.api.warn(
                    f"objective {name!r} is not the same everywhere, so what most agents say is used: "
                    "bring their configurations in line, or choose agents with the selector"
                )
        return {key: max(said, key=lambda one: (said[one], one)) for key, said in votes.items()}


def _trouble(sli: str, period: float, goals: Mapping[str, Goal]) -> str:
    if sli not in _SLIS:
        return f"this version of triton-watch does not know its indicator {sli!r}; update it"
    if period <= 0:
        return "its period is not known; do all its series get into this Prometheus?"
    return "" if goals else "no model has its indicator now, so its goal is not known; look at its models and targets"


def _folded(goals: Mapping[str, Goal]) -> tuple[Goal, tuple[Override, ...]]:
    """The most common goal, and overrides, by their exact names, for the models with another one."""
    models: dict[Goal, list[str]] = defaultdict(list)
    for model in sorted(goals):
        models[goals[model]].append(model)
    common, *others = sorted(models, key=lambda goal: -len(models[goal]))
    return common, tuple(Override(tuple(map(escape, models[goal])), goal) for goal in others)
