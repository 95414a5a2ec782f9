"""The verdict in one sentence says the worst first, and calls nothing well that nobody has heard of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from triton_watch.daemon.facts.standing import Standing
from triton_watch.daemon.telling.status import status
from triton_watch.records import (
    ModelConfig,
    ModelState,
    ModelStatus,
    Outcome,
    ProbeResult,
    SkipReason,
    Sli,
    SourceStatus,
)
from triton_watch.slo.serving import Serving, ServingVerdict
from triton_watch.slo.sli import ROW
from unit.daemon.telling.scenes import (
    LATE,
    NOW,
    SILENT,
    budgets,
    calm,
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

    from triton_watch.records import ModelKey, SliTable, TargetSnapshot

NINE = keys(9)
READY = [ready(one) for one in NINE]
UNLOADED = ModelState(key("spare"), ModelStatus.UNLOADED)
NO_PAGE = {"metrics": ProbeResult("metrics", Outcome.REFUSED, 0.1, "http://t:8002/metrics refused: is its port right?")}
FAULTS = {name: ProbeResult(name, Outcome.READ_TIMEOUT, 5.0, "no answer") for name in ("config", "live", "ready")}


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


def long_queue(one: ModelKey) -> SliTable:
    table = calm([one])
    table.values[ROW[Sli.REQUEST_RATE]] = 1.0
    table.values[ROW[Sli.QUEUE_TIME]], table.values[ROW[Sli.COMPUTE_INFER_TIME]] = 0.2, 0.1
    return table


def not_serving(name: str = "t") -> dict[str, Any]:
    return {"verdicts": {name: ServingVerdict(Serving.NOT_SERVING)}}


SCENES = {
    "nothing is watched": Scene("No server is watched: add one under targets: of the configuration.", Standing.UNKNOWN),
    "targets are being looked for": Scene(
        "No server is watched yet: targets are being looked for.",
        Standing.UNKNOWN,
        more={"sources": (SourceStatus("dns:A:pods:8000"),)},
    ),
    "no target was found": Scene(
        "No server is watched: discovery found no targets.",
        Standing.UNKNOWN,
        more={"sources": (SourceStatus("dns:A:pods:8000", last_success=1.7e9),)},
    ),
    "no target could be looked for": Scene(
        "No server is watched: targets could not be looked for (t.yaml is not good).",
        Standing.UNKNOWN,
        more={"sources": (SourceStatus("dns:A:pods:8000"), SourceStatus("file:t.yaml", problem="t.yaml is not good."))},
    ),
    "nothing was polled yet": Scene(
        "Nothing is known yet: the server is not polled yet.",
        Standing.UNKNOWN,
        more={"unpolled": {"t": target()}},
    ),
    "none of several was polled yet": Scene(
        "Nothing is known yet: 2 servers are not polled yet.",
        Standing.UNKNOWN,
        more={"unpolled": {"t": target(), "u": target("u")}},
    ),
    "the server does not answer since a moment": Scene(
        "The server does not answer: nothing is known of its 9 models.", Standing.UNKNOWN, [deaf(READY)]
    ),
    "the server does not answer for long": Scene(
        "The server does not answer: nothing is known of its 9 models.",
        Standing.FAILING,
        [deaf([*READY, UNLOADED])],
        more=not_serving(),
    ),
    "a server that was silent from the beginning": Scene(
        "The server does not answer: nothing is known of its models.", Standing.UNKNOWN, [deaf([])]
    ),
    "no server answers": Scene(
        "None of 2 servers answers: nothing is known of their 18 models.",
        Standing.UNKNOWN,
        [deaf(READY), deaf(READY, "u")],
    ),
    "one server does not answer and the other is not polled yet": Scene(
        "1 of 2 servers does not answer; 1 of 2 servers is not polled yet; nothing is known of their 9 models.",
        Standing.UNKNOWN,
        [deaf(READY)],
        more={"unpolled": {"u": target("u")}},
    ),
    "polls have stopped": Scene(
        "Nothing is known now: the last poll of the server ended at 2023-11-14 22:13 UTC.",
        Standing.UNKNOWN,
        [snapshot(READY)],
        well(),
        LATE,
    ),
    "the server does not answer and canaries fail": Scene(
        "The server does not answer: nothing is known of its 9 models.",
        Standing.UNKNOWN,
        [deaf(READY)],
        well(*NINE[:4]),
    ),
    "a server with a liar does not answer": Scene(
        "The server does not answer: nothing is known of its 9 models.",
        Standing.UNKNOWN,
        [deaf(READY, silent={NINE[0]: SILENT})],
        well(NINE[0]),
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
        "2 of 18 models on 2 servers are answering wrongly; no canary asks 9 of them; that server says all is well.",
        Standing.WRONG,
        [lying(*NINE[:2]), snapshot(READY, "u")],
        well(*NINE[:2]),
    ),
    "models lie on several servers": Scene(
        "2 of 18 models on 2 servers are answering wrongly; no canary asks 8 of them; their servers say all is well.",
        Standing.WRONG,
        [lying(NINE[0]), snapshot(READY, "u", silent={NINE[0]: SILENT})],
        well(NINE[0]),
    ),
    "a model lies and another server is silent": Scene(
        "1 of 2 servers does not answer; 1 of 18 models on 2 servers is answering wrongly, and 9 are not known; "
        "that server says all is well.",
        Standing.WRONG,
        [lying(NINE[0]), deaf(READY, "u")],
        well(NINE[0]),
    ),
    "a model lies, another fails, and canaries have not decided": Scene(
        "1 of 9 models is answering wrongly, 1 fails, and 2 are not known yet; the server says all is well.",
        Standing.WRONG,
        [lying(NINE[0])],
        well(*NINE[:2]) | {one: undecided(one) for one in NINE[7:]},
    ),
    "a model lies on a server with a problem of its own": Scene(
        "1 of 9 models is answering wrongly; the metrics cannot be read.",
        Standing.WRONG,
        [lying(NINE[0], probes=NO_PAGE)],
        well(NINE[0]),
    ),
    "a model fails and canaries have not decided": Scene(
        "1 of 9 models fails, and 7 are not known yet.",
        Standing.FAILING,
        [snapshot(READY)],
        well(NINE[0]) | {one: undecided(one) for one in NINE[2:]},
    ),
    "models fail and there are no canaries": Scene(
        "2 of 9 models fail; no canary asks 7 of them.",
        Standing.FAILING,
        [snapshot([*(ModelState(one, ModelStatus.UNAVAILABLE) for one in NINE[:2]), *READY[2:]])],
    ),
    "a model fails on a server that says it is not ready": Scene(
        "1 of 9 models fails; the server says it is not ready.",
        Standing.FAILING,
        [snapshot(READY, ready=False)],
        well(NINE[0]),
    ),
    "polls of one of several servers have stopped": Scene(
        "1 of 2 servers was not polled of late; 1 of 18 models on 2 servers fails, and 9 are not known.",
        Standing.FAILING,
        [snapshot(READY), replace(snapshot(READY, "u"), at=NOW - 600)],
        well(NINE[0]),
    ),
    "the only model fails": Scene("The one model fails.", Standing.FAILING, [snapshot(READY[:1])], well(NINE[0])),
    "unloaded models are none of the number": Scene(
        "1 of 9 models fails.",
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
        "1 of 2 servers says it is not ready, and no model is known to fail; no canary asks 9 of them.",
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
        "2 of 9 models burn their error budgets; no model is known to fail, and 1 is not known yet.",
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
        "All 9 models are ready; no canary asks 4 of them.", Standing.OK, [snapshot(READY)], well(of=NINE[4:])
    ),
    "one cannot be asked": Scene(
        "All 9 models are ready; no canary asks 1 of them.",
        Standing.ADVICE,
        [snapshot(READY)],
        well() | {NINE[0]: undecided(NINE[0], SkipReason.NO_INPUT)},
    ),
    "there are no canaries": Scene(
        "All 9 models are ready; no canary asks them whether they answer.", Standing.OK, [snapshot(READY)]
    ),
    "a canary waits for a long queue": Scene(
        "All 9 models are ready.",
        Standing.OK,
        [snapshot(READY)],
        well() | {NINE[0]: undecided(NINE[0], SkipReason.PENDING)},
    ),
    "there is advice": Scene(
        "All 9 models are ready; no canary asks 1 of them; 1 could work better.",
        Standing.ADVICE,
        [snapshot(READY, slis=long_queue(NINE[1]), configs={NINE[1].name: ModelConfig(NINE[1].name)})],
        well() | {NINE[0]: undecided(NINE[0], SkipReason.NO_INPUT)},
    ),
    "there are neither canaries nor metrics": Scene(
        "9 of 9 models are not known to answer; no canary asks them whether they answer; the metrics cannot be read.",
        Standing.FAILING,
        [snapshot(READY, probes=NO_PAGE)],
    ),
    "models of one server are well and another is silent": Scene(
        "1 of 2 servers does not answer; all 9 models on 1 server answer rightly.",
        Standing.UNKNOWN,
        [snapshot(READY), deaf([], "u")],
        well(),
    ),
    "models of one server are well and another is not polled yet": Scene(
        "All 9 models on 1 server answer rightly; 1 of 2 servers is not polled yet.",
        Standing.UNKNOWN,
        [snapshot(READY)],
        well(),
        more={"unpolled": {"u": target("u")}},
    ),
    "models are well and the server's metrics are gone": Scene(
        "All 9 models answer rightly; the metrics cannot be read.",
        Standing.FAILING,
        [snapshot(READY, probes=NO_PAGE)],
        well(),
    ),
    "several things of a server cannot be read": Scene(
        "All 9 models answer rightly; the metrics, the health endpoints and the models' configurations cannot be read.",
        Standing.FAILING,
        [snapshot(READY, probes=NO_PAGE | FAULTS)],
        well(),
    ),
    "the server's counters stand still": Scene(
        "All 9 models answer rightly; the server has a problem: The server runs with "
        "--metrics-config counter_latencies=false: its request counters stand still, so there are no SLIs. "
        "Remove the flag.",
        Standing.FAILING,
        [snapshot(READY, slis=replace(calm(NINE), counters_off=True))],
        well(),
    ),
    "one of several servers has a problem": Scene(
        "All 9 models on 1 server answer rightly; the metrics of u cannot be read.",
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
        "1 of 2 servers does not answer; no model is known on the 1 server that answers.",
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
    assert found.sentence == "1,001 of 1,234 models fail."
