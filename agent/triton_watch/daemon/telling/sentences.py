"""The verdict in one sentence: of one server, or of all of them.

Servers of which nothing is known come first, then the worst of the models. Nothing is called well that nobody has
heard of: a model answers rightly where its canary says so, and is merely ready where it has none.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from triton_watch.daemon.facts.standing import Standing
from triton_watch.daemon.telling.parts import sentence
from triton_watch.daemon.telling.server_sentences import also, form, led_by, nobody, own_problems, says_ready
from triton_watch.records import CanaryVerdict
from triton_watch.slo.serving import awaits_verdict, why_unasked
from triton_watch.wording.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch.daemon.telling.views import Row, TargetView
    from triton_watch.records import SourceStatus


@dataclass(frozen=True, slots=True)
class _Scene:
    """What a sentence is about: servers, and their models that somebody wants to be served."""

    views: Sequence[TargetView]
    heard: Sequence[TargetView]
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
        return f"{count:,} of {self.among} {form(count, one, many)}"


def nobody_found(sources: Sequence[SourceStatus]) -> str:
    """Return why there is no target, where targets are looked for or not."""
    if not sources:
        return verdict_sentence(())
    failing = next((one for one in sources if one.problem), None)
    if failing is not None:
        return f"No server is watched: targets could not be looked for ({sentence(failing.problem).rstrip('.')})."
    if any(one.last_success is None for one in sources):
        return "No server is watched yet: targets are being looked for."
    return "No server is watched: discovery found no targets."


def verdict_sentence(views: Sequence[TargetView]) -> str:
    """Return the first thing to know of these targets."""
    if not views:
        return "No server is watched: add one under targets: of the configuration."
    heard = [view for view in views if view.is_heard]
    if not heard:
        return nobody(views)
    rows = [row for view in views for row in view.rows if row.counts]
    models = _of_models(_Scene(views, heard, rows, Counter(row.standing for row in rows)))
    first = tuple(led_by(views))
    if first:
        models = f"{models[0].lower()}{models[1:]}"
    return f"{'; '.join((*first, models, *also(views)))}."


def _of_models(scene: _Scene) -> str:
    counts = scene.counts
    if counts[Standing.WRONG]:
        wrong = scene.part(Standing.WRONG, "is answering wrongly", "are answering wrongly")
        return f"{wrong}{_and(_failing(scene), _doubt(scene))}{_unasked(scene)}{_says(scene)}"
    if counts[Standing.FAILING]:
        fail = scene.part(Standing.FAILING, "fails", "fail")
        return f"{fail}{_and(_doubt(scene))}{_unasked(scene)}{_admits(scene)}"
    unready = sum(says_ready(view) is False for view in scene.heard)
    if unready:
        return f"{_unready(scene, unready)}{_and(_doubt(scene))}{_unasked(scene)}"
    return _well(scene) if scene.rows else _nothing_loaded(scene)


def _and(*parts: str) -> str:
    """Return `, one, and another` of those that say something."""
    said = [part for part in parts if part]
    return "".join(f", {'and ' if part is said[-1] else ''}{part}" for part in said)


def _failing(scene: _Scene) -> str:
    count = scene.counts[Standing.FAILING]
    return f"{count:,} {form(count, 'fails', 'fail')}" if count else ""


def _doubt(scene: _Scene) -> str:
    """How many are not known; `yet` where it is only that canaries have not decided."""
    rows = [row for row in scene.rows if row.standing is Standing.UNKNOWN]
    heard = {view.target.name for view in scene.heard}
    is_soon = all(row.target in heard and row.canary is not None and awaits_verdict(row.canary) for row in rows)
    return f"{len(rows):,} {form(len(rows), 'is', 'are')} not known{' yet' if is_soon else ''}" if rows else ""


def _unasked(scene: _Scene) -> str:
    """How many models, of those not known to fail on servers that answer, no canary asks."""
    heard = {view.target.name for view in scene.heard}
    fail = (Standing.WRONG, Standing.FAILING)
    count = sum(_is_unasked(row) for row in scene.rows if row.target in heard and row.standing not in fail)
    if count < len(scene.rows):
        return f"; no canary asks {count:,} of them" if count else ""
    return f"; no canary asks {form(count, 'it whether it answers', 'them whether they answer')}"


def _is_unasked(row: Row) -> bool:
    return row.canary is None or bool(why_unasked(row.canary))


def _says(scene: _Scene) -> str:
    """That the servers of models that answer wrongly say all is well, where they do."""
    concerned = {row.target for row in scene.rows if row.standing is Standing.WRONG}
    servers = [view for view in scene.views if view.target.name in concerned]
    if any(says_ready(view) is not True or own_problems(view) for view in servers):
        return _admits(scene)
    if len(servers) > 1:
        return "; their servers say all is well"
    return f"; {'the' if len(scene.views) == 1 else 'that'} server says all is well"


def _admits(scene: _Scene) -> str:
    is_admitted = len(scene.views) == 1 and says_ready(scene.views[0]) is False
    return "; the server says it is not ready" if is_admitted else ""


def _unready(scene: _Scene, count: int) -> str:
    if len(scene.views) == 1:
        return "The server says it is not ready, and no model of it is known to fail"
    are = form(count, "says it is", "say they are")
    return f"{count:,} of {plural(len(scene.views), 'server')} {are} not ready, and no model is known to fail"


def _well(scene: _Scene) -> str:
    """No model is known to fail."""
    counts = scene.counts
    doubtful = counts[Standing.UNKNOWN]
    if counts[Standing.BURNING]:
        burning = scene.part(Standing.BURNING, "burns its error budget", "burn their error budgets")
        return f"{burning}; no model is known to fail{_and(_doubt(scene))}{_unasked(scene)}"
    if doubtful:
        unknown = scene.part(Standing.UNKNOWN, "is not known to answer", "are not known to answer")
        others = "" if doubtful == len(scene.rows) else "; no other model fails"
        return f"{unknown}{others}{_unasked(scene)}"
    better = counts[Standing.ADVICE] - sum(_is_about_canary(row) for row in scene.rows)
    advice = f"; {better:,} could work better" if better else ""
    return f"{_all(scene)}{_unasked(scene)}{advice}"


def _is_about_canary(row: Row) -> bool:
    """Whether the first advice is that no canary asks the model, which the sentence says already."""
    return row.standing is Standing.ADVICE and row.canary is not None and bool(why_unasked(row.canary))


def _all(scene: _Scene) -> str:
    alone = len(scene.rows) == 1
    whole = "The one model" if alone else f"All {scene.among}"
    if all(row.canary is not None and row.canary.verdict is CanaryVerdict.PASSING for row in scene.rows):
        return f"{whole} {'answers' if alone else 'answer'} rightly"
    return f"{whole} {'is' if alone else 'are'} ready"


def _nothing_loaded(scene: _Scene) -> str:
    heard = scene.heard
    unread = sum(view.snapshot is not None and view.snapshot.models is None for view in heard)
    if unread and len(scene.views) == 1:
        return "The server answers, and its repository index, which names the models, cannot be read"
    if len(scene.views) == 1:
        return "The server answers, and no model is loaded"
    every = f"any of {len(heard):,} servers"
    some = f"the {plural(len(heard), 'server')} that {form(len(heard), 'answers', 'answer')}"
    unknown = f"; the models of {unread:,} of them are not known" if unread else ""
    return f"No model is known on {every if len(heard) == len(scene.views) else some}{unknown}"
