"""Reports by hand: what a team has on a bad day, what nobody should have, and many rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from triton_watch.records import (
    BurnWindow,
    Course,
    Goal,
    Objective,
    Page,
    Report,
    ReportRow,
    SloSli,
    Verdict,
    WindowBurn,
)

AT = 1_795_819_200.0
"""2026-11-27 22:40 UTC."""
DAY = 86400.0
WINDOWS = (
    BurnWindow(Page.PAGE, 14.4, 3600.0, 300.0, 120.0),
    BurnWindow(Page.PAGE, 6.0, 21600.0, 1800.0, 900.0),
    BurnWindow(Page.TICKET, 3.0, DAY, 7200.0, 3600.0),
    BurnWindow(Page.TICKET, 1.0, 3 * DAY, 21600.0, 10800.0),
)
AVAILABLE = Objective("availability", SloSli.AVAILABILITY, Goal(0.999), 30 * DAY, WINDOWS)
QUEUE = Objective("queue-time", SloSli.QUEUE_TIME, Goal(0.99, high=0.05), 30 * DAY, WINDOWS, ("rank*", "text_*"))
BATCH = Objective("batching", SloSli.BATCH_EFFICIENCY, Goal(0.9, low=0.5), 30 * DAY, WINDOWS[2:])
SPANS = (300.0, 1800.0, 3600.0, 7200.0, 21600.0, DAY, 3 * DAY, 30 * DAY)


def row(objective: Objective, model: str, good: float, bad: float, verdict: Verdict, **changes: Any) -> ReportRow:
    """Return a row whose windows burn as `burns` (window -> rate) says, 0.2 elsewhere."""
    total, allowed = good + bad, 1 - objective.goal.objective
    burns = {300.0: 0.2} | changes.pop("burns", {})
    windows = tuple(
        _window(span, total * span / objective.period, allowed, burns.get(span, 0.2)) for span in SPANS[:-1]
    )
    period = WindowBurn(objective.period, good, bad, bad / (total * allowed) if total else None)
    made = ReportRow(
        objective, objective.goal, model, "1", "", ("rack-a",), good, bad, 30 * DAY,
        1 - bad / (total * allowed) if total else None, None, verdict, None, 4.0, (*windows, period),
    )  # fmt: skip
    return replace(made, **changes)


def _window(span: float, total: float, allowed: float, burn: float) -> WindowBurn:
    bad = min(total, total * allowed * burn)
    return WindowBurn(span, total - bad, bad, burn if total else None)


def course(good: float, bad: float, *, start: float = 0.0, points: int = 120, bursts: int = 3) -> Course:
    """Return a course over the 30 days: traffic by day, bad events in bursts from `start` (0..1) of it on."""
    t = np.linspace(0.0, 1.0, points)
    traffic = np.concatenate([[0.0], np.cumsum(1.2 + np.sin(t[1:] * 30 * 2 * np.pi))])
    centres = start + (1 - start) * (np.arange(bursts) + 0.9) / bursts
    burst = sum(1 / (1 + np.exp(-(t - centre) * 200)) for centre in centres) + 0.2 * t
    burst = np.maximum.accumulate(burst - burst[0])
    return Course(AT - 30 * DAY * (1 - t), good * traffic / traffic[-1], bad * burst / burst[-1])


def bad_day() -> Report:
    """Return nine rows of every kind, as a team has them when a model goes wrong."""
    fast = {3600.0: 31.2, 300.0: 28.4, 21600.0: 6.1, DAY: 1.9, 3 * DAY: 1.1}
    slow = {3 * DAY: 1.4, 21600.0: 1.2}
    rows = (
        row(AVAILABLE, "ranker", 4_561_234.0, 10_950.0, Verdict.EXHAUSTED, burns=fast, fires=WINDOWS[0],
            course=course(4_561_234.0, 10_950.0)),
        row(AVAILABLE, "text_detector", 88_000.0, 120.0, Verdict.EXHAUSTED, course=course(88_000.0, 120.0, bursts=1)),
        row(QUEUE, "ranker", 4_540_000.0, 32_184.0, Verdict.BURNING, burns=fast, fires=WINDOWS[0],
            exhaustion=79_000.0, course=course(4_540_000.0, 32_184.0, start=0.8, bursts=1)),
        row(BATCH, "image_classifier", 150_000.0, 12_000.0, Verdict.BURNING, burns=slow, fires=WINDOWS[3],
            exhaustion=9 * DAY, course=course(150_000.0, 12_000.0, bursts=12)),
        row(QUEUE, "text_recognizer", 70_100.0, 12.0, Verdict.NO_DATA, silence=840.0, course=course(70_100.0, 12.0)),
        row(AVAILABLE, "night_batch", 0.0, 0.0, Verdict.NO_DATA, silence=4.0),
        row(AVAILABLE, "old_model", 0.0, 0.0, Verdict.NO_DATA, silence=None),
        row(AVAILABLE, "image_classifier", 12_400_000.0, 31.0, Verdict.OK, course=course(12_400_000.0, 31.0)),
        row(QUEUE, "text_detector", 88_003.0, 117.0, Verdict.OK, covered=5 * DAY),
    )  # fmt: skip
    return Report(AT, "/var/lib/triton-watch", (AVAILABLE, QUEUE, BATCH), rows)


HOSTILE = (
    "<script>alert('x')</script>",
    "\"quoted\" & 'single'",
    "a\nb\rc\td\x1b[31mred\x00",
    "übersetzer-日本語-مرحبا-🚀",
    "x" * 200,
    "`code` | *bold* [link](http://evil) @team",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnp.live\ud800",
)


def hostile() -> Report:
    """Return a report in which everything that can be text is hostile, and numbers are extreme."""
    goal = Goal(0.5, low=0.2, high=0.8)
    rows = []
    for i, text in enumerate(HOSTILE):
        objective = Objective(text, list(SloSli)[i % 6], goal, 7 * DAY, WINDOWS[:1], (text,), (), (text,), (), text)
        rows.append(
            row(objective, text, 1.0, 10.0**i, Verdict.EXHAUSTED, version=text, namespace=text, targets=(text, "b"),
                exhaustion=1e300, silence=1e12, course=Course(*np.array([[AT - 9.0], [0.0], [0.0]])))
        )  # fmt: skip
    return Report(1e300, HOSTILE[0], tuple(one.objective for one in rows), tuple(rows), HOSTILE)


def many(count: int = 1000) -> Report:
    """Return so many rows with courses."""
    kinds = (Verdict.EXHAUSTED, Verdict.BURNING, Verdict.NO_DATA, Verdict.OK)
    rows = tuple(
        row(AVAILABLE, f"team_{i % 40}_model_with_a_name_{i}", 1e6, 100.0 + i, kinds[min(3, i // 20)],
            fires=WINDOWS[0] if i < 40 else None, course=course(1e6, 100.0 + i, points=400))
        for i in range(count)
    )  # fmt: skip
    return Report(AT, "http://prometheus:9090", (AVAILABLE,), rows, ())
