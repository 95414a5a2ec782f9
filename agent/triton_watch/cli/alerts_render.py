"""The alerts of an agent as lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from triton_watch.check.output.wrap import wrap
from triton_watch.records import AlertMode, AlertPhase, AlertSeverity
from triton_watch.wording.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triton_watch.cli.agent_alerts import Told, ToldAlert, ToldPeer

STYLES: Final = {AlertSeverity.PAGE: "bold red", AlertSeverity.TICKET: "yellow", AlertSeverity.INFO: "cyan"}
_PHASES: Final = {AlertPhase.PENDING: "dim", AlertPhase.RESOLVED: "dim green"}
_INDENT: Final = "    "
_STALE: Final = 60.0
"""Seconds after which an evaluation is old: there is one each second."""
_UNITS: Final = (("d", 86_400.0, 2 * 86_400.0), ("h", 3600.0, 2 * 3600.0), ("min", 60.0, 60.0))
"""Unit, its seconds, and the time from which it is used."""


def lines(told: Told, shown: Sequence[ToldAlert], width: int, *, everything: bool) -> Iterator[Text]:
    """Yield the lines for `width` columns: these alerts, what is not shown, and who is told."""
    if shown:
        yield from _alerts(told, shown, width, with_phase=everything)
        yield Text("")
    yield _summary(told, everything=everything)
    if told.mode is not AlertMode.OFF:
        if told.evaluated_at is not None and told.at - told.evaluated_at > _STALE:
            age = words(told.at - told.evaluated_at)
            yield Text(f"This is {age} old: the agent has evaluated nothing since; see its log.", style="yellow")
        yield from _audience(told, width)


def words(seconds: float) -> str:
    """Write an age in whole units: 42 s, 12 min, 3 h, 5 d."""
    seconds = max(0.0, seconds)
    for unit, size, least in _UNITS:
        if seconds >= least:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds < 59.5 else "1 min"


def about(alert: ToldAlert) -> str:
    """Say of what an alert is: `gpu-7/ranker:1`, then its other labels."""
    labels = dict(alert.labels)
    target, model, version = (labels.pop(name, "") for name in ("target", "model", "version"))
    model = f"{model}:{version}" if version else model
    named = "/".join(part for part in (target, model) if part)
    return "  ".join([*([named] if named else []), *(f"{name}={value}" for name, value in labels.items() if value)])


def _alerts(told: Told, shown: Sequence[ToldAlert], width: int, *, with_phase: bool) -> Iterator[Text]:
    titles = ["SEVERITY", *(["STATE"] if with_phase else []), "SINCE", "ALERT", "ABOUT"]
    rows = [_cells(one, told.at, with_phase=with_phase) for one in shown]
    widths = [max(len(row[place]) for row in (titles, *rows)) + 2 for place in range(len(titles) - 1)]
    yield _line(titles, widths, "bold", "bold")
    for alert, row in zip(shown, rows, strict=True):
        style = _PHASES.get(alert.phase, "")
        yield _line(row, widths, style or STYLES[alert.severity], style)
        for line in wrap(f"{alert.text}{_doubt(alert)}", width, _INDENT):
            yield Text(line, style=style)
        if alert.advice and alert.phase is AlertPhase.FIRING:
            for line in wrap(alert.advice, width, _INDENT):
                yield Text(line, style="dim")


def _doubt(alert: ToldAlert) -> str:
    if not alert.known:
        return " (The last polls told nothing of it.)"
    return f" (Not so any more for {words(alert.not_seen)}: it resolves soon.)" if alert.not_seen >= 1.0 else ""


def _cells(alert: ToldAlert, now: float, *, with_phase: bool) -> list[str]:
    phase = [alert.phase.value] if with_phase else []
    return [alert.severity.value, *phase, words(now - alert.began_at), alert.name, about(alert)]


def _line(cells: Sequence[str], widths: Sequence[int], first: str, rest: str) -> Text:
    """Put cells below each other; the last one may go over the edge, and is folded there."""
    padded = [cell.ljust(size) for cell, size in zip(cells, widths, strict=False)]
    return Text.assemble((padded[0], first), ("".join([*padded[1:], cells[-1]]).rstrip(), rest), overflow="fold")


def _summary(told: Told, *, everything: bool) -> Text:
    if told.mode is AlertMode.OFF:
        return Text("The agent evaluates no alerts: alerts.mode is off.", style="yellow")
    if told.evaluated_at is None:
        return Text("The agent has evaluated nothing yet: ask again in some seconds.", style="yellow")
    phases = [one.phase for one in told.alerts]
    firing, pending = phases.count(AlertPhase.FIRING), phases.count(AlertPhase.PENDING)
    text = f"{plural(firing, 'alert')} {'fires' if firing == 1 else 'fire'}" if firing else "Nothing fires"
    if pending:
        text += f", {pending} {'is' if pending == 1 else 'are'} pending{'' if everything else ' (--all shows them)'}"
    if firing:
        return Text(f"{text}. What to do: triton-watch alerts explain NAME.")
    return Text(f"{text}.", style="green")


def _audience(told: Told, width: int) -> Iterator[Text]:
    """Say who is told, and how each of them fares."""
    if told.mode is AlertMode.PROMETHEUS:
        yield Text("Nobody is told by this agent: alerts.mode is prometheus.", style="dim")
    elif not told.peers:
        hint = "name some under alerts.alertmanagers, or with run --alertmanager URL"
        yield Text("\n".join(wrap(f"Nobody is told, for no Alertmanager is configured: {hint}.", width)), style="dim")
    else:
        for peer in told.peers:
            yield _peer(peer, told.at, width)


def _peer(peer: ToldPeer, now: float, width: int) -> Text:
    waiting = f", {plural(peer.waiting, 'alert')} waiting" if peer.waiting else ""
    if peer.up is None:
        return Text(f"Told: {peer.url}, nothing sent yet{waiting}", style="dim")
    last = "never yet" if peer.last_success is None else f"the last {words(now - peer.last_success)} ago"
    if peer.up:
        return Text(f"Told: {peer.url}, {peer.sent:,} sent, {last}{waiting}", style="dim")
    text = f"Not told: {peer.url}, {last}{waiting}. {peer.error}"
    return Text("\n".join(wrap(text.strip(), width)), style="red")
