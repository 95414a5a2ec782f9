"""The series that agents export of objectives, made by hand as a Prometheus would have scraped them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.prometheus_server import Series
from triton_watch.records import BurnWindow, Credentials, Page, PrometheusSettings, Timeouts, TlsSettings
from triton_watch.store.prometheus import PrometheusHistory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MINUTE, HOUR, DAY, WEEK = 60.0, 3600.0, 86_400.0, 604_800.0
END = 1_760_000_400.0
"""The last scrape, Unix seconds."""
AT = END + 20.0
"""The moment of questions: no window's edge falls on a scrape, so it does not matter whether edges belong to it."""


WINDOWS = (
    BurnWindow(Page.PAGE, 14.4, HOUR, 5 * MINUTE, 2 * MINUTE),
    BurnWindow(Page.TICKET, 1.0, DAY, 6 * HOUR, HOUR),
)


def counted(
    per_minute: float, *, start: float, end: float = END, every: float = MINUTE, restarts: Sequence[float] = ()
) -> list[tuple[float, float]]:
    """A counter that grows evenly from 0 at `start`, and from 0 again at each of the `restarts`."""
    born, points = start, []
    for i in range(int((end - start) / every) + 1):
        at = start + i * every
        born = max([born, *(moment for moment in restarts if moment <= at)])
        points.append((at, per_minute * (at - born) / MINUTE))
    return points


def events(
    labels: Mapping[str, str],
    good: float,
    bad: float,
    *,
    start: float,
    end: float = END,
    every: float = MINUTE,
    restarts: Sequence[float] = (),
    silence: float = 3.0,
) -> list[Series]:
    """Counters of good and bad events a minute, and a silence that is always the same, of one model of one agent."""
    own = {"slo": "availability", "target": "a", "model": "m", "version": "1", **labels}
    quiet = [(at, silence) for at, _ in counted(0, start=start, end=end, every=every)]
    found = [Series("triton_watch_slo_no_data_seconds", own, quiet)]
    for result, rate in (("good", good), ("bad", bad)):
        points = counted(rate, start=start, end=end, every=every, restarts=restarts)
        found.append(Series("triton_watch_slo_events_total", {**own, "result": result}, points))
    return found


def gauge(name: str, value: float, labels: Mapping[str, str], *, start: float, end: float = END) -> Series:
    """A gauge of the agents, always the same."""
    return Series(f"triton_watch_slo_{name}", labels, [(at, value) for at, _ in counted(0, start=start, end=end)])


def scenario(cluster: str, *parts: list[Series]) -> list[Series]:
    """Series with the label of a cluster."""
    return [Series(name, {**labels, "cluster": cluster}, points) for part in parts for name, labels, points in part]


def settings_at(url: str, selector: dict[str, str] | None = None, **fields: Any) -> PrometheusSettings:
    """Settings that give each query 30 s."""
    given = {"timeouts": Timeouts(total=30.0), "credentials": Credentials(), "tls": TlsSettings(), **fields}
    return PrometheusSettings(url, selector=tuple((selector or {}).items()), **given)


def history_at(url: str, cluster: str = "steady", **fields: Any) -> PrometheusHistory:
    """The history of a cluster's scenario, asked at `AT`."""
    selector = {"cluster": cluster, **fields.pop("selector", {})}
    settings = settings_at(url, selector, **fields)
    return PrometheusHistory(settings, now=lambda: AT, windows_of=lambda _: WINDOWS)
