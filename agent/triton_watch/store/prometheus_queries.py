"""PromQL, written: the agent's series by name, texts quoted, windows as durations.

Every query groups by the objective, the target and the model version and adds up what else tells series apart:
agents, replicas, whatever labels Prometheus put on them.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from triton_watch.records import ModelKey, SeriesKey
from triton_watch.store.prometheus_errors import HistoryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from triton_watch.conventions import Metric
    from triton_watch.records import PrometheusSettings

_MODEL: Final = "model, version, model_namespace"
BY_KEY: Final = f"slo, target, {_MODEL}"
BY_SUM: Final = f"slo, {_MODEL}"
"""The same, added up over targets."""
_LABEL_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_SPECIAL: Final = re.compile(r"[\\.+*?()|\[\]{}^$]")
"""What has a meaning in RE2, Prometheus's regular expressions."""


class Selector:
    """Which series are meant: those that have the settings' labels. Raises HistoryError for a bad label name."""

    def __init__(self, settings: PrometheusSettings) -> None:
        for name, _ in settings.selector:
            if not _LABEL_NAME.fullmatch(name):
                message = f"cannot be asked for the label {name!r}: a selector's labels are letters, digits and _"
                raise HistoryError(message, url=settings.url)
        self._matchers = tuple(f"{name}={quoted(value)}" for name, value in settings.selector)

    def series(
        self,
        metric: Metric,
        slos: Iterable[str] | None = None,
        models: Iterable[str] | None = None,
        result: str | None = None,
    ) -> str:
        """A metric with its matchers: those of the settings, of some objectives and models, of one result."""
        matchers = list(self._matchers)
        matchers += [] if slos is None else [f"slo=~{_any_of(slos)}"]
        matchers += [] if models is None else [f"model=~{_any_of(models)}"]
        matchers += [] if result is None else [f"result={quoted(result)}"]
        return f"{metric.name}{{{', '.join(matchers)}}}"


def quoted(text: str) -> str:
    r"""A text as a PromQL string. JSON's escapes (\" \\ \n \u0000) are a part of those of Go, which PromQL has."""
    return json.dumps(text, ensure_ascii=False)


def duration(seconds: float) -> str:
    """A PromQL duration of at least a millisecond: whole seconds where they are whole."""
    milliseconds = max(1, round(seconds * 1000))
    return f"{milliseconds // 1000}s" if milliseconds % 1000 == 0 else f"{milliseconds}ms"


def latest(series: str, lookback: float) -> str:
    """The newest values of series: those of now, or for a `lookback` (seconds) the last ones in it."""
    return f"last_over_time({series}[{duration(lookback)}])" if lookback else series


def key_of(labels: Mapping[str, str]) -> SeriesKey:
    """Whose events these are. A label that is absent is empty, as in PromQL."""
    get = labels.get
    model = ModelKey(get("model", ""), get("version", ""), get("model_namespace", ""))
    return SeriesKey(get("slo", ""), get("target", ""), model)


def _any_of(names: Iterable[str]) -> str:
    """A regular expression, as a PromQL string, that matches just these names."""
    return quoted("|".join(_SPECIAL.sub(_escaped, name) for name in sorted(names)))


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[0]}"
