"""The verdict in one sentence: of one server, or of all of them.

The worst comes first, and nothing is called well that nobody has heard of: a model answers rightly where its canary
says so, and is merely ready where it has none.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from triton_watch.daemon.facts.standing import Standing
from triton_watch.daemon.telling.standings import Knowledge
from triton_watch.records import CanaryVerdict
from triton_watch.slo.troubles import Level
from triton_watch.wording import words
from triton_watch.wording.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triton_watch.daemon.telling.views import Row, TargetView
    from triton_watch.slo.troubles import Trouble

_LONGEST: Final = 160
"""Characters of a problem within the sentence."""


@dataclass(frozen=True, slots=True)
class _Scene:
    """What a sentence is about: servers, and their models that somebody wants to be served."""

    views: Sequence[TargetView]
    rows: Sequence[Row]
    counts: Counter[Standing]

    @property
    def among(self) -> str:
        """`9 models`, `120 models on 4 servers`."""
        servers = len({row.target for row in self.rows})
        where = f" on {plural(servers, 'server')}" if len(self.views) > 1 else ""
        return f"{plural(len(self.rows), 'model')}{where}"

    def part(self, standing: Standing, one: str, many: str) -> str:
        """`2 of 9 models are …`."""
        count = self.counts[standing]
        if len(self.rows) == 1:
            return f"The one model {one}"
        return f"{count:,} of {self.among} {_form(count, one, many)}"


def verdict_sentence(views: Sequence[TargetView]) -> str:
    """Return the first thing to know of these targets."""
    rows = [row for view in views for row in view.rows if row.counts]
    scene = _Scene(views, rows, Counter(row.standing for row in rows))
    heard = [view for view in views if view.is_heard]
    if not views:
        return "No server is watched: add one under targets: of the configuration."
    if not heard and not scene.counts[Standing.FAILING]:
        return _nobody(views)
    return f"{_of_models(scene, heard)}{_of_servers(views, heard)}."


def _nobody(views: Sequence[TargetView]) -> str:
    """Nothing is known of any server."""
    known = {view.knowledge for view in views}
    many = f"any of {len(views):,} servers" if len(views) > 1 else "the server"
    if known == {Knowledge.NOT_POLLED}:
        return f"Nothing is known yet: the first poll of {many} has not ended."
    if known == {Knowledge.STALE}:
        last = max(view.snapshot.at for view in views if view.snapshot is not None)
        return f"Nothing is known now: the last poll of {many} ended at {words.when(last)}."
    none = f"None of {len(views):,} servers answers" if len(views) > 1 else "The server does not answer"
    return f"{none}: nothing is known of {'their' if len(views) > 1 else 'its'} models."


def _of_models(scene: _Scene, heard: Sequence[TargetView]) -> str:
    counts = scene.counts
    if counts[Standing.WRONG]:
        return f"{_wrong(scene)}{_also_failing(scene)}{_says(scene, Standing.WRONG)}"
    if counts[Standing.FAILING]:
        return f"{scene.part(Standing.FAILING, 'fails', 'fail')}{_says(scene, Standing.FAILING)}"
    unready = [view for view in heard if _ready(view) is False]
    if unready:
        return _unready(scene, unready)
    return _well(scene, heard)


def _wrong(scene: _Scene) -> str:
    return scene.part(Standing.WRONG, "is answering wrongly", "are answering wrongly")


def _also_failing(scene: _Scene) -> str:
    count = scene.counts[Standing.FAILING]
    return f", and {count:,} {_form(count, 'fails', 'fail')}" if count else ""


def _says(scene: _Scene, standing: Standing) -> str:
    """What the servers of these models say meanwhile."""
    concerned = {row.target for row in scene.rows if row.standing is standing}
    said = {_ready(view) for view in scene.views if view.target.name in concerned}
    if said == {True}:
        return "; the server says all is well" if len(concerned) == 1 else "; their servers say all is well"
    return "; the server says it is not ready" if said == {False} and len(scene.views) == 1 else ""


def _ready(view: TargetView) -> bool | None:
    return view.snapshot.ready if view.snapshot is not None and view.is_heard else None


def _unready(scene: _Scene, unready: Sequence[TargetView]) -> str:
    if len(scene.views) == 1:
        return "The server says it is not ready, and no model of it is known to fail"
    are = _form(len(unready), "says it is", "say they are")
    return f"{len(unready):,} of {plural(len(scene.views), 'server')} {are} not ready, and no model is known to fail"


def _well(scene: _Scene, heard: Sequence[TargetView]) -> str:
    """No model is known to fail."""
    counts = scene.counts
    if not scene.rows:
        return _nothing_loaded(scene, heard)
    doubtful = counts[Standing.UNKNOWN]
    if counts[Standing.BURNING]:
        burning = scene.part(Standing.BURNING, "burns its error budget", "burn their error budgets")
        doubt = f", and {doubtful:,} {_form(doubtful, 'is', 'are')} not known to answer" if doubtful else ""
        return f"{burning}; no model is known to fail{doubt}"
    if doubtful:
        unknown = scene.part(Standing.UNKNOWN, "is not known to answer", "are not known to answer")
        return unknown if doubtful == len(scene.rows) else f"{unknown}; no other model fails"
    unasked = sum(row.canary is None or row.canary.verdict is not CanaryVerdict.PASSING for row in scene.rows)
    advice = f"; {counts[Standing.ADVICE]:,} could work better" if counts[Standing.ADVICE] else ""
    return f"{_all(scene, unasked)}{advice}"


def _all(scene: _Scene, unasked: int) -> str:
    alone = len(scene.rows) == 1
    whole = "The one model" if alone else f"All {scene.among}"
    if not unasked:
        return f"{whole} {'answers' if alone else 'answer'} rightly"
    ready = f"{whole} {'is' if alone else 'are'} ready"
    if unasked == len(scene.rows):
        return f"{ready}; no canary asks {'it' if alone else 'them'} whether {'it answers' if alone else 'they answer'}"
    return f"{ready}; {unasked:,} of them {_form(unasked, 'is', 'are')} asked by no canary"


def _nothing_loaded(scene: _Scene, heard: Sequence[TargetView]) -> str:
    unread = sum(view.snapshot is not None and view.snapshot.models is None for view in heard)
    if unread and len(scene.views) == 1:
        return "The server answers, and its repository index, which names the models, cannot be read"
    if len(scene.views) == 1:
        return "The server answers, and no model is loaded"
    every = f"any of {len(heard):,} servers"
    some = f"the {plural(len(heard), 'server')} that {_form(len(heard), 'answers', 'answer')}"
    unknown = f"; the models of {unread:,} of them are not known" if unread else ""
    return f"No model is known on {every if len(heard) == len(scene.views) else some}{unknown}"


def _of_servers(views: Sequence[TargetView], heard: Sequence[TargetView]) -> str:
    """What else is to be said of the servers themselves."""
    silent = sum(view.knowledge is Knowledge.SILENT for view in views)
    unknown = len(views) - len(heard) - silent
    of = f"of {len(views):,} servers"
    parts = []
    if silent:
        does = _form(silent, "does", "do")
        parts.append(f"{silent:,} {of} {does} not answer" if len(views) > 1 else "the server does not answer")
    if unknown:
        about = f"{unknown:,} {of}" if len(views) > 1 else "the server"
        parts.append(f"nothing is known of {about} now")
    return "".join(f"; {part}" for part in (*parts, *_own_troubles(views, heard)))


def _own_troubles(views: Sequence[TargetView], heard: Sequence[TargetView]) -> Iterator[str]:
    """The problem of the one server that has one, or how many have."""
    troubled = [(view, one) for view in heard for one in own_problems(view)[:1] if _ready(view) is not False]
    if len(troubled) == 1:
        view, problem = troubled[0]
        name = "the server" if len(views) == 1 else words.name(view.target.name)
        yield f"{name} has a problem: {words.name(problem.sentence, _LONGEST).rstrip('.')}"
    elif troubled:
        yield f"{len(troubled):,} of {len(views):,} servers have problems of their own"


def own_problems(view: TargetView) -> list[Trouble]:
    """Problems of a server that are not one of its models'."""
    return [one for one in view.troubles.get(None, ()) if one.level is Level.PROBLEM]


def _form(count: int, one: str, many: str) -> str:
    return one if count == 1 else many
