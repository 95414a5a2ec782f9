"""Objectives made by hand, with the burn windows of a 30-day period."""

from __future__ import annotations

from triton_watch.records import BurnWindow, Goal, Objective, Override, Page, SloSli

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
PERIOD = 30 * DAY
TIERS = (
    BurnWindow(Page.PAGE, 14.4, HOUR, 5 * MINUTE, 2 * MINUTE),
    BurnWindow(Page.PAGE, 6.0, 6 * HOUR, 30 * MINUTE, 15 * MINUTE),
    BurnWindow(Page.TICKET, 3.0, DAY, 2 * HOUR, HOUR),
    BurnWindow(Page.TICKET, 1.0, 3 * DAY, 6 * HOUR, 3 * HOUR),
)


def availability(objective: float = 0.999, **more: object) -> Objective:
    goal = Goal(objective, min_events=int(str(more.pop("min_events", 20))))
    return _made("availability", SloSli.AVAILABILITY, goal, more)


def queue_time(high: float = 0.05, objective: float = 0.99, quantile: str | None = None, **more: object) -> Objective:
    return _made("queue-time", SloSli.QUEUE_TIME, Goal(objective, high=high, quantile=quantile), more)


def batch_efficiency(low: float = 0.5, objective: float = 0.9, **more: object) -> Objective:
    return _made("batch-efficiency", SloSli.BATCH_EFFICIENCY, Goal(objective, low=low), more)


def gpu_band(low: float | None, high: float | None, objective: float = 0.9) -> Objective:
    return _made("gpu", SloSli.GPU_UTILIZATION, Goal(objective, low=low, high=high), {})


def ttft(high: float, objective: float = 0.95) -> Objective:
    return _made("ttft", SloSli.TTFT, Goal(objective, high=high), {})


def override(glob: str, goal: Goal) -> Override:
    return Override((glob,), goal)


def _made(name: str, sli: SloSli, goal: Goal, more: dict[str, object]) -> Objective:
    values: dict[str, object] = {"name": name, "sli": sli, "goal": goal, "period": PERIOD, "windows": TIERS, **more}
    return Objective(**values)  # type: ignore[arg-type]  # the caller names fields of Objective
