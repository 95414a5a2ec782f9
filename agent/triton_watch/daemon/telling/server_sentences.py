"""The parts of the verdict sentence that are about the servers themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.daemon.telling.standings import Knowledge
from triton_watch.slo.troubles import Level, group_failures
from triton_watch.wording import words
from triton_watch.wording.text import listed, plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triton_watch.daemon.telling.views import TargetView
    from triton_watch.slo.troubles import Trouble

_READ: Final = {
    "metrics": "the metrics",
    "live": "the health endpoints",
    "ready": "the health endpoints",
    "server": "the version",
    "index": "the repository index",
    "config": "the models' configurations",
}
"""What each probe reads."""


def nobody(views: Sequence[TargetView]) -> str:
    """Return the sentence where nothing is known of any server."""
    known = {view.knowledge for view in views}
    if known == {Knowledge.NOT_POLLED}:
        return f"Nothing is known yet: {_servers(views)} {form(len(views), 'is', 'are')} not polled yet."
    if known == {Knowledge.STALE}:
        last = max(view.snapshot.at for view in views if view.snapshot is not None)
        many = f"any of {len(views):,} servers" if len(views) > 1 else "the server"
        return f"Nothing is known now: the last poll of {many} ended at {words.when(last)}."
    models = sum(row.counts for view in views for row in view.rows)
    count = f"{plural(models, 'model')}" if models else "models"
    if len(views) == 1:
        return f"The server does not answer: nothing is known of its {count}."
    if known == {Knowledge.SILENT}:
        return f"None of {len(views):,} servers answers: nothing is known of their {count}."
    return f"{'; '.join((*led_by(views), *also(views)))}; nothing is known of their {count}."


def led_by(views: Sequence[TargetView]) -> Iterator[str]:
    """Yield what comes first: which of several servers do not answer, or were not polled of late."""
    yield from _part(views, Knowledge.SILENT, "does not answer", "do not answer")
    yield from _part(views, Knowledge.STALE, "was not polled of late", "were not polled of late")


def also(views: Sequence[TargetView]) -> Iterator[str]:
    """Yield what else is to be said: which are not polled yet, and problems of servers that answer."""
    yield from _part(views, Knowledge.NOT_POLLED, "is not polled yet", "are not polled yet")
    troubled = [view for view in views if view.is_heard and own_problems(view) and says_ready(view) is not False]
    if len(troubled) == 1:
        yield _own_trouble(troubled[0], alone=len(views) == 1)
    elif troubled:
        yield f"{len(troubled):,} of {len(views):,} servers have problems of their own"


def own_problems(view: TargetView) -> list[Trouble]:
    """Problems of a server that are not one of its models'."""
    return [one for one in view.troubles.get(None, ()) if one.level is Level.PROBLEM]


def says_ready(view: TargetView) -> bool | None:
    """What the server says of itself now; None = nothing."""
    return view.snapshot.ready if view.snapshot is not None and view.is_heard else None


def form(count: int, one: str, many: str) -> str:
    """The form of a word that fits the number."""
    return one if count == 1 else many


def _servers(views: Sequence[TargetView]) -> str:
    return "the server" if len(views) == 1 else plural(len(views), "server")


def _part(views: Sequence[TargetView], knowledge: Knowledge, one: str, many: str) -> Iterator[str]:
    count = sum(view.knowledge is knowledge for view in views)
    if count:
        yield f"{count:,} of {plural(len(views), 'server')} {form(count, one, many)}"


def _own_trouble(view: TargetView, *, alone: bool) -> str:
    """In short words where a probe failed: its own sentence, with a URL in it, is on the target's page."""
    name = words.name(view.target.name)
    probes = {} if view.snapshot is None else view.snapshot.probes
    failed = {one.probe for group in group_failures(probes.values()) for one in group}
    if failed:
        unread = dict.fromkeys(what for probe, what in _READ.items() if probe in failed)
        return f"{listed(unread)}{'' if alone else f' of {name}'} cannot be read"
    return f"{'the server' if alone else name} has a problem: {own_problems(view)[0].sentence.rstrip('.')}"
