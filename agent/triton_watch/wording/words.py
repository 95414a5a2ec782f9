"""Numbers, times and names as people read them in a report."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from triton_watch.config import format_duration, format_percentage
from triton_watch.records import Verdict
from triton_watch.wording.text import clip, printable, whole

if TYPE_CHECKING:
    from triton_watch.records import Goal, Objective, Page, ReportRow

NO_DATA = "–"  # noqa: RUF001 - a dash on purpose: it is no minus
LONGEST_NAME = 60
"""Characters of a name in a sentence or a table."""
VERDICT_WORDS = {
    Verdict.OK: "ok",
    Verdict.BURNING: "burning",
    Verdict.EXHAUSTED: "exhausted",
    Verdict.NO_DATA: "no data",
}
_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))
_LONGEST = 1000 * 365 * 86400.0
_FAR_OVERSPENT = -9.995
"""Below it, how many times a budget was spent says no more."""


def seconds(value: float) -> str:
    """Write a time with the unit that suits it."""
    if value < 0.001:
        return f"{value * 1e6:.0f} µs"
    if value < 1:
        return f"{value * 1e3:.3g} ms"
    return f"{value:.3g} s"


def number(value: float) -> str:
    """Write a number of events: 950, 9,876, 12.3k, 4.57M, 1.2e+15."""
    if value != round(value) and value < 100:
        return f"{value:.2g}"
    if value < 9999.5:
        return f"{value:,.0f}"
    for size, unit in ((1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T")):
        if value < 999.5 * size:
            return f"{float(f'{value / size:.3g}'):g}{unit}"
    return f"{value:.2g}"


def span(value: float) -> str:
    """Write seconds in the largest unit that suits them: 22 h, 14 min, 1.5 d, 40 ms."""
    if value > _LONGEST:
        return "over 1,000 years"
    for size, unit in _UNITS:
        if value >= size:
            rest = value / size
            return f"{rest:.2g} {unit}" if rest < 9.95 else f"{rest:,.0f} {unit}"
    return "0 s" if value == 0 else seconds(value)


def brief(window: float) -> str:
    """Write a window without spaces: 5m, 1h, 3d, 16h48m."""
    return format_duration(window)


def pace(burn: float | None) -> str:
    """Write a burn rate: 31x, 0.8x, <0.01x; a dash is no events."""
    if burn is None:
        return NO_DATA
    if burn == 0:
        return "0x"
    if burn < 0.01:
        return "<0.01x"
    return f"{burn:.2g}x" if burn < 9.95 else f"{number(round(burn))}x"


def percent(ratio: float | None) -> str:
    """Write what is left of a budget: 62%, 0.4%, -140%, <-999%."""
    if ratio is None:
        return NO_DATA
    if ratio < _FAR_OVERSPENT:
        return "<-999%"
    if 0 < abs(ratio) < 0.01:
        return f"{ratio:.1%}" if abs(ratio) >= 0.0005 else f"{'<' if ratio > 0 else '-'}0.1%"
    if 0.99 < ratio < 1:
        return f"{min(ratio, 0.999):.1%}"
    return f"{ratio:,.0%}"


def when(at: float) -> str:
    """Write Unix seconds as UTC, to the minute."""
    try:
        return f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):  # a clock far off, in a store or in a Prometheus
        return f"{at:g} s after 1970"


def name(text: str, most: int = LONGEST_NAME) -> str:
    """Return a name for one line: nothing in it moves a cursor, and it has an end."""
    return clip(printable(whole(text)), most)


def model(row: ReportRow, most: int = LONGEST_NAME) -> str:
    """Return `namespace/name:version`, as far as known."""
    front = f"{name(row.namespace, most)}/" if row.namespace else ""
    return f"{front}{name(row.model, most)}" + (f":{name(row.version, 20)}" if row.version else "")


def targets(row: ReportRow) -> str:
    """Return the one target, or how many there are."""
    if len(row.targets) == 1:
        return name(row.targets[0])
    return f"{len(row.targets):,} targets" if row.targets else NO_DATA


def goal(objective: Objective, wanted: Goal) -> str:
    """Return `99.9%`, `99% ≤ 50 ms`, `95% p99 ≤ 50 ms`, `90% at 20%–80%`."""  # noqa: RUF002 - an en dash is a range
    share = format_percentage(wanted.objective)
    limits = bounds(objective, wanted)
    return " ".join(part for part in (share, quantile(wanted), limits) if part)


def quantile(wanted: Goal) -> str:
    """Return `p99` for the served quantile "0.99", empty for none; as it stands when it is no number."""
    return served_quantile(wanted.quantile) if wanted.quantile else ""


def served_quantile(text: str) -> str:
    """Return `p99` for the quantile "0.99" of a server's page; as it stands when it is no number."""
    try:
        return f"p{100 * float(text):g}"
    except ValueError:
        return name(text)


def bounds(objective: Objective, wanted: Goal) -> str:
    """Return what a good value is: `≤ 50 ms`, `≥ 50%`, `at 20%–80%`; empty where events are just good or bad."""  # noqa: RUF002 - the same
    write = format_percentage if objective.sli.is_time_based else seconds
    low, high = wanted.low, wanted.high
    if low is not None and high is not None:
        return f"at {write(low)}–{write(high)}"  # noqa: RUF001 - the same
    return f"≤ {write(high)}" if high is not None else f"≥ {write(low)}" if low is not None else ""


def amount(objective: Objective, value: float) -> str:
    """Write events of an objective: a number, or a time for time-based indicators."""
    return span(value) if objective.sli.is_time_based else number(value)


def verdict(row: ReportRow) -> str:
    """Return the verdict of a row in words."""
    return judged(row.verdict, None if row.fires is None else row.fires.severity)


def judged(said: Verdict, fires: Page | None) -> str:
    """Return a verdict in words, with who is to be told while a window fires: `burning, page`."""
    return VERDICT_WORDS[said] if fires is None else f"{VERDICT_WORDS[said]}, {fires.value}"
