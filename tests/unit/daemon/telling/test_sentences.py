"""The verdict in one sentence says the worst first, and calls nothing well that nobody has heard of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from triton_watch.daemon.facts.standing import Standing
from triton_watch.daemon.telling.status import status
from triton_watch.records import ModelState, ModelStatus, Outcome, ProbeResult, SkipReason
from triton_watch.slo.serving import Serving, ServingVerdict
from unit.daemon.telling.scenes import (
    LATE,
    NOW,
    SILENT,
    budgets,
    deaf,
    failing,
    key,
    keys,
    passing,
    ready,
    snapshot,
    source,
    target,
    undecided,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch.records import ModelKey, TargetSnapshot

NINE = keys(9)
READY = [ready(one) for one in NINE]
UNLOADED = ModelState(key("spare"), ModelStatus.UNLOADED)
NO_PAGE = {"metrics": ProbeResult("metrics", Outcome.REFUSED, 0.1, "t:8002 refused the connection.")}


@dataclass
class Scene:
    """Targets, and what is known of the canaries of `t`."""

    sentence: str
    standing: Standing
    snapshots: Sequence[TargetSnapshot] = ()
    canaries: dict[ModelKey, Any] = field(default_factory=dict)
    now: float = NOW
    more: dict[str, Any] = field(default_factory=dict)


def well(*wrong: ModelKey, of: Sequence[ModelKey] = NINE) -> dict[ModelKey, Any]:
    return {one: failing(one) if one in wrong else passing(one) for one in of}


def lying(*models: ModelKey, **changes: Any) -> TargetSnapshot:
    return snapshot(READY, silent=dict.fromkeys(models, SILENT), **changes)


def not_serving(name: str = "t") -> dict[str, Any]:
    return {"verdicts": {name: ServingVerdict(Serving.NOT_SERVING)}}


SCENES = {
    "nothing is watched": Scene("No server is watched: add one under targets: of the configuration.", Standing.UNKNOWN),
    "nothing was polled yet": Scene(
        "Nothing is known yet: the first poll of the server has not ended.",
        Standing.UNKNOWN,
        more={"unpolled": {"t": target()}},
    ),
    "none of several was polled yet": Scene(
        "Nothing is known yet: the first poll of any of 2 servers has not ended.",
        Standing.UNKNOWN,
        more={"unpolled": {"t": target(), "u": target("u")}},
    ),
    "the server does not answer since a moment": Scene(
        "The server does not answer: nothing is known of its models.", Standing.UNKNOWN, [deaf(READY)]
    ),
    "the server does not answer for long": Scene(
        "The server does not answer: nothing is known of its models.",
        Standing.FAILING,
        [deaf(READY)],
        more=not_serving(),
    ),
    "no server answers": Scene(
        "None of 2 servers answers: nothing is known of their models.",
        Standing.UNKNOWN,
        [deaf(READY), deaf(READY, "u")],
    ),
    "polls have stopped": Scene(
        "Nothing is known now: the last poll of the server ended at 2023-11-14 22:13 UTC.",
        Standing.UNKNOWN,
        [snapshot(READY)],
        well(),
        LATE,
    ),
    "the server does not answer and canaries fail": Scene(
        "1 of 9 models fails; the server does not answer.", Standing.FAILING, [deaf(READY)], well(NINE[0])
    ),
    "two models lie": Scene(
        "2 of 9 models are answering wrongly; the server says all is well.",
        Standing.WRONG,
        [lying(*NINE[:2])],
        well(*NINE[:2]),
    ),
    "one model lies, another fails openly": Scene(
        "1 of 9 models is answering wrongly, and 1 fails; the server says all is well.",
        Standing.WRONG,
        [lying(NINE[0])],
        well(*NINE[:2]),
    ),
    "a model lies on a server that admits that something is wrong": Scene(
        "1 of 9 models is answering wrongly; the server says it is not ready.",
        Standing.WRONG,
        [lying(NINE[0], ready=False)],
        well(NINE[0]),
    ),
    "models lie on one of several servers": Scene(
        "2 of 18 models on 2 servers are answering wrongly; the server says all is well.",
        Standing.WRONG,
        [lying(*NINE[:2]), snapshot(READY, "u")],
        well(*NINE[:2]),
    ),
    "models lie on several servers": Scene(
        "2 of 18 models on 2 servers are answering wrongly; their servers say all is well.",
        Standing.WRONG,
        [lying(NINE[0]), snapshot(READY, "u", silent={NINE[0]: SILENT})],
        well(NINE[0]),
    ),
    "a model lies and another server is silent": Scene(
        "1 of 18 models on 2 servers is answering wrongly; the server says all is well; "
        "1 of 2 servers does not answer.",
        Standing.WRONG,
        [lying(NINE[0]), deaf(READY, "u")],
        well(NINE[0]),
    ),
    "the only model fails": Scene(
        "The one model fails; the server says all is well.", Standing.FAILING, [snapshot(READY[:1])], well(NINE[0])
    ),
    "unloaded models are none of the number": Scene(
        "1 of 9 models fails; the server says all is well.",
        Standing.FAILING,
        [snapshot([*READY, UNLOADED])],
        well(NINE[0]),
    ),
    "the server is not ready and no model fails": Scene(
        "The server says it is not ready, and no model of it is known to fail.",
        Standing.FAILING,
        [snapshot(READY, ready=False)],
        well(),
    ),
    "one of several servers is not ready": Scene(
        "1 of 2 servers says it is not ready, and no model is known to fail.",
        Standing.FAILING,
        [snapshot(READY), snapshot(READY, "u", ready=False)],
        well(),
    ),
    "a budget burns": Scene(
        "1 of 9 models burns its error budget; no model is known to fail.",
        Standing.BURNING,
        [snapshot(READY)],
        well(),
        more={"budget_view": budgets({NINE[0]: 0.4}, burning=NINE[:1])},
    ),
    "budgets burn and a canary has not decided": Scene(
        "2 of 9 models burn their error budgets; no model is known to fail, and 1 is not known to answer.",
        Standing.BURNING,
        [snapshot(READY)],
        well() | {NINE[8]: undecided(NINE[8])},
        more={"budget_view": budgets(dict.fromkeys(NINE, 0.4), burning=NINE[:2])},
    ),
    "canaries have not decided": Scene(
        "2 of 9 models are not known to answer; no other model fails.",
        Standing.UNKNOWN,
        [snapshot(READY)],
        well() | {one: undecided(one) for one in NINE[:2]},
    ),
    "no canary has decided": Scene(
        "9 of 9 models are not known to answer.",
        Standing.UNKNOWN,
        [snapshot(READY)],
        {one: undecided(one) for one in NINE},
    ),
    "all is well": Scene("All 9 models answer rightly.", Standing.OK, [snapshot(READY)], well()),
    "the only model is well": Scene(
        "The one model answers rightly.", Standing.OK, [snapshot(READY[:1])], well(of=NINE[:1])
    ),
    "some have no canary": Scene(
        "All 9 models are ready; 4 of them are asked by no canary.", Standing.OK, [snapshot(READY)], well(of=NINE[4:])
    ),
    "one cannot be asked": Scene(
        "All 9 models are ready; 1 of them is asked by no canary.",
        Standing.OK,
        [snapshot(READY)],
        well() | {NINE[0]: undecided(NINE[0], SkipReason.NO_INPUT)},
    ),
    "there are no canaries": Scene(
        "All 9 models are ready; no canary asks them whether they answer.", Standing.OK, [snapshot(READY)]
    ),
    "there is advice": Scene(
        "All 9 models are ready; 1 of them is asked by no canary; 1 could work better.",
        Standing.ADVICE,
        [snapshot(READY)],
        well() | {NINE[0]: replace(undecided(NINE[0], SkipReason.NO_INPUT), note="give an input")},
    ),
    "models of one server are well and another is silent": Scene(
        "All 9 models on 1 server answer rightly; 1 of 2 servers does not answer.",
        Standing.UNKNOWN,
        [snapshot(READY), deaf([], "u")],
        well(),
    ),
    "models of one server are well and another is not polled yet": Scene(
        "All 9 models on 1 server answer rightly; nothing is known of 1 of 2 servers now.",
        Standing.UNKNOWN,
        [snapshot(READY)],
        well(),
        more={"unpolled": {"u": target("u")}},
    ),
    "models are well and the server's metrics are gone": Scene(
        "All 9 models answer rightly; the server has a problem: Probe metrics: t:8002 refused the connection.",
        Standing.FAILING,
        [snapshot(READY, probes=NO_PAGE)],
        well(),
    ),
    "one of several servers has a problem": Scene(
        "All 9 models on 1 server answer rightly; u has a problem: Probe metrics: t:8002 refused the connection.",
        Standing.FAILING,
        [snapshot(READY), snapshot([], "u", probes=NO_PAGE)],
        well(),
    ),
    "several servers have problems": Scene(
        "All 9 models on 1 server answer rightly; 2 of 2 servers have problems of their own.",
        Standing.FAILING,
        [snapshot(READY, probes=NO_PAGE), snapshot([], "u", probes=NO_PAGE)],
        well(),
    ),
    "no model is loaded": Scene("The server answers, and no model is loaded.", Standing.OK, [snapshot([UNLOADED])]),
    "the index cannot be read": Scene(
        "The server answers, and its repository index, which names the models, cannot be read.",
        Standing.UNKNOWN,
        [snapshot([], models=None)],
    ),
    "no model is loaded on several servers": Scene(
        "No model is known on any of 2 servers.", Standing.OK, [snapshot([]), snapshot([], "u")]
    ),
    "the index of one of several servers cannot be read": Scene(
        "No model is known on any of 2 servers; the models of 1 of them are not known.",
        Standing.UNKNOWN,
        [snapshot([]), snapshot([], "u", models=None)],
    ),
    "no model is loaded on those that answer": Scene(
        "No model is known on the 1 server that answers; 1 of 2 servers does not answer.",
        Standing.UNKNOWN,
        [snapshot([]), deaf([], "u")],
    ),
}


@pytest.mark.parametrize("name", SCENES)
def test_the_sentence_fits_the_scene(name: str) -> None:
    scene = SCENES[name]
    found = status(source(*scene.snapshots, canary_states={"t": scene.canaries}, **scene.more), scene.now)
    assert (found.sentence, found.standing) == (scene.sentence, scene.standing)


def test_a_target_among_several_has_a_sentence_of_its_own() -> None:
    several = source(lying(*NINE[:2]), snapshot(READY[:3], "u"), canary_states={"t": well(*NINE[:2])})
    found = status(several, NOW)
    assert [(one.name, one.headline) for one in found.targets] == [
        ("t", "2 of 9 models are answering wrongly; the server says all is well."),
        ("u", "All 3 models are ready; no canary asks them whether they answer."),
    ]
    assert {standing: count for standing, count in found.models.items() if count} == {
        Standing.WRONG: 2,
        Standing.OK: 10,
    }


def test_thousands_are_written_as_people_read_them() -> None:
    many = keys(1234)
    found = status(
        source(snapshot([ready(one) for one in many]), canary_states={"t": well(*many[:1001], of=many)}), NOW
    )
    assert found.sentence == "1,001 of 1,234 models fail; the server says all is well."
