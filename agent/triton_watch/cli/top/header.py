"""What stands above the table of models: the verdict, the targets, how many models and alerts, and how it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from triton_watch.cli.alerts_render import words as age
from triton_watch.cli.top import cells
from triton_watch.cli.top.model_cells import rate
from triton_watch.cli.top.styles import NOTICE, QUIET, STANDINGS, flow, line, paragraph
from triton_watch.cli.top.view import Sort, View
from triton_watch.daemon.facts.standing import Standing
from triton_watch.slo.serving import Serving
from triton_watch.wording.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.text import Text

    from triton_watch.cli.top.fetching import Fetched
    from triton_watch.cli.top.sources import Seen
    from triton_watch.cli.top.styles import Part
    from triton_watch.daemon.facts.status import Status
    from triton_watch.daemon.facts.target import TargetBrief

_SERVING: Final[Mapping[Serving, tuple[str, str]]] = {
    Serving.SERVING: ("serving", "green"),
    Serving.NOT_SERVING: ("not serving", "red"),
    Serving.UNKNOWN: ("serving: not known", "magenta"),
}
_READY: Final[Mapping[bool | None, tuple[str, str]]] = {
    True: ("ready", "green"),
    False: ("not ready", "red"),
    None: ("ready: not known", "magenta"),
}
_HANGS: Final = 3.0
"""An answer that is so many intervals late is told of, and ..."""
_AT_LEAST: Final = 5.0
"""... so many seconds."""


def notice(fetched: Fetched, view: View, where: str, clock: float) -> str:
    """Say that there has been no answer, and for how long; "" where all is well. `clock` is monotonic seconds."""
    since = clock - (fetched.began if fetched.heard_at is None else fetched.heard_at)
    if fetched.problem:
        return f"No answer for {age(since)}: {fetched.problem}"
    if not view.is_paused and since > max(_AT_LEAST, _HANGS * view.interval):
        return f"No answer for {age(since)} from {where}: it was asked, and says nothing."
    return ""


def warning(text: str, width: int) -> list[Text]:
    """Return a notice in at most four lines."""
    return [line((one, NOTICE)) for one in cells.wrapped(text, width)[:4]]


def verdict(status: Status, width: int) -> list[Text]:
    """Return the verdict in one sentence, in at most three lines."""
    style = STANDINGS[status.standing]
    lines = cells.wrapped(status.sentence, width)[:3]
    return [line((one, f"bold {style}" if style != QUIET else style)) for one in lines]


def targets(seen: Seen, view: View, width: int, most: int) -> Iterator[Text]:
    """Yield a line for each target, at most so many, and how many more there are.

    There are more lines for a single one, and for one that does not answer: why.
    """
    status = seen.status
    shown = [one for one in status.targets if view.target in (None, one.name)]
    left_out = len(shown) - most + 1 if len(shown) > most else 0
    shown = shown[: len(shown) - left_out]
    names = max((cell_len(cells.name(one.name)) for one in shown), default=0)
    for one in shown:
        lines = flow(_target(one, status.at, min(names, max(8, width // 3))), width, "  ", "  ")
        yield from lines if len(shown) == 1 else lines[:1]
        if one.name in seen.reasons:
            yield from [*paragraph(seen.reasons[one.name], width, mark="  ")][:3]
    if left_out:
        yield line((f"and {left_out:,} more targets, the best off", QUIET))


def counts(status: Status, width: int, *, has_alerts: bool) -> list[Text]:
    """Return how many models stand where, and how many alerts fire."""
    known = [one for one in Standing if status.models.get(one)]
    chunks: list[list[Part]] = [[f"{plural(sum(status.models.values()), 'model')}{':' if known else ''}"]]
    for place, one in enumerate(known):
        chunks.append([(f"{status.models[one]} {one.value}", STANDINGS[one]), "," if place < len(known) - 1 else ""])
    if has_alerts:
        chunks += [["·"], *_alerts(status)]
    if status.findings.error:
        chunks += [["·"], [(plural(status.findings.error, "configuration error"), "yellow")]]
    return flow(chunks, width, " ")


def shown(view: View, rows: int, known: int) -> Text:
    """Return how the table is filtered and sorted, and how often it is renewed."""
    parts = [f"{rows:,} of {known:,} shown"] if rows != known else []
    parts += [f"standing {' or '.join(one.value for one in view.standings)}"] if view.standings else []
    parts += [f"target {cells.name(view.target)}"] if view.target is not None else []
    parts += [f"filter {cells.name(view.text)}"] if view.text else []
    order = "worst first" if view.sort is Sort.TROUBLE else f"by {view.sort.value}"
    parts += [f"{order}{', reversed' if view.is_reversed else ''}"]
    pace = ("paused", NOTICE) if view.is_paused else (f"every {view.interval:g} s", QUIET)
    return line((" · ".join(parts) + " · ", QUIET), pace)


def _target(target: TargetBrief, at: float, width: int) -> Iterator[Sequence[Part]]:
    yield [(cells.fill(cells.name(target.name), width), f"bold {STANDINGS[target.standing]}")]
    if target.at is None:
        yield [("not polled yet", "magenta")]
        return
    yield [_READY[target.ready], ", ", _SERVING[target.serving]]
    if target.request_rate is not None:
        fails = (f", {rate(target.failure_rate)} fail/s", "red") if target.failure_rate else ""
        yield [f"{rate(target.request_rate)} req/s", fails]
    yield [(f"polled {age(at - target.at)} ago", NOTICE if target.stale else QUIET)]
    if target.server:
        yield [(cells.name(target.server), QUIET)]


def _alerts(status: Status) -> list[list[Part]]:
    count = status.alerts
    firing = [
        (plural(count.page, "page"), "bold red", count.page),
        (plural(count.ticket, "ticket"), "yellow", count.ticket),
        (f"{count.info} for information", "cyan", count.info),
        (f"{count.pending} pending", QUIET, count.pending),
    ]
    said: list[list[Part]] = [[(text, style)] for text, style, number in firing if number]
    if not said:
        return [[("no alerts", "green")]]
    return [["alerts:"], *([*one, ","] for one in said[:-1]), said[-1]]
