"""One cycle against a server that answers well, badly, or not at all: each outcome is in the snapshot."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from support.fake_triton import CONFIG, INDEX, LATER_PAGE, PAGE, FakeTriton
from support.misbehaving import (
    ENDLESS_BODY,
    GRPC_SETTINGS,
    Behaviour,
    Server,
    closes_at_once,
    drips,
    http_answer,
    resets,
    silent,
    speaks_first,
    target_at,
)
from triton_watch.probes.canary.canaries import TargetCanaries
from triton_watch.probes.cycle import TargetPoller
from triton_watch.records import (
    CanaryReason,
    CanarySettings,
    ModelKey,
    ModelStatus,
    NoData,
    NoDataReason,
    Outcome,
    Sli,
    SliTable,
    SliValue,
    TargetSnapshot,
)
from triton_watch.slo.sli import value_of
from unit.probes.canary.parts import Scripted, answer, error, exchange, tensor

MATMUL = ModelKey("matmul", "1")
Watching = Callable[..., tuple[FakeTriton, TargetPoller]]


@pytest.fixture
def watching() -> Iterator[Watching]:
    """Makes a fake server and a poller on it; both close with the test."""
    with ExitStack() as stack:

        def make(fake: FakeTriton | None = None, **target: Any) -> tuple[FakeTriton, TargetPoller]:
            fake = fake or FakeTriton()
            server = stack.enter_context(Server(fake))
            poller = TargetPoller(target_at(server.url, **target))
            stack.callback(poller.close)
            return fake, poller

        yield make


def outcomes(snapshot: TargetSnapshot) -> dict[str, Outcome]:
    return {name: result.outcome for name, result in snapshot.probes.items()}


def test_a_healthy_server_gives_every_probe_ok_and_slis_from_the_second_cycle(watching: Watching) -> None:
    fake, poller = watching()
    first = poller.cycle()
    fake.change("metrics", http_answer(LATER_PAGE))
    second = poller.cycle()
    assert set(outcomes(first).values()) == {Outcome.OK}
    assert (first.live, first.ready) == (True, True)
    assert first.server is not None
    assert first.server.version == "2.51.0"
    assert first.models is not None
    assert [state.key for state in first.models] == [MATMUL]
    assert first.slis is not None
    assert value_of(first.slis, MATMUL, Sli.QUEUE_TIME) == NoData(NoDataReason.FIRST_SCRAPE)
    assert second.slis is not None
    # From the two recorded pages, by hand: (158547623 - 77093055) us over (1188 - 587) requests.
    queue = value_of(second.slis, MATMUL, Sli.QUEUE_TIME)
    assert isinstance(queue, SliValue)
    assert queue.value == pytest.approx(_queue_by_hand())
    assert isinstance(value_of(second.slis, MATMUL, Sli.GPU_UTILIZATION), SliValue)
    assert isinstance(value_of(second.slis, MATMUL, Sli.ENERGY_PER_INFERENCE), SliValue)


def _queue_by_hand() -> float:
    def number(page: bytes, family: str) -> float:
        line = next(x for x in page.decode().splitlines() if x.startswith(family + "{"))
        return float(line.split()[-1])

    names = "nv_inference_queue_duration_us", "nv_inference_request_success"
    time_us, count = (number(LATER_PAGE, name) - number(PAGE, name) for name in names)
    return time_us * 1e-6 / count


HTML = http_answer(b"<!DOCTYPE html><html><body>Welcome</body></html>", content_type="text/html")
DRIP = drips(b"x", every=0.02, at_once=b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")


@pytest.mark.parametrize(
    ("word", "answer", "outcome"),
    [
        ("ready", http_answer(b"", status="400 Bad Request"), Outcome.NOT_READY),
        ("ready", HTML, Outcome.NOT_TRITON),
        ("ready", http_answer(b"", status="500 Internal Server Error"), Outcome.SERVER_ERROR),
        ("ready", http_answer(b"", status="503 Service Unavailable"), Outcome.UNAVAILABLE),
        ("live", speaks_first(GRPC_SETTINGS), Outcome.NOT_HTTP),
        ("live", silent, Outcome.READ_TIMEOUT),
        ("live", resets, Outcome.NETWORK_ERROR),
        ("live", closes_at_once, Outcome.NETWORK_ERROR),
        ("live", http_answer(b"", status="302 Found", headers=("Location: http://elsewhere/",)), Outcome.REDIRECT),
        ("index", http_answer(b"[{", content_type="application/json"), Outcome.GARBAGE),
        ("index", DRIP, Outcome.DEADLINE),
        ("index", http_answer(b'{"error":"This API is restricted, expecting header \'k\'"}', "403 Forbidden"),
         Outcome.RESTRICTED),
        ("config", http_answer(b'{"error":"no such model"}', "404 Not Found"), Outcome.NOT_FOUND),
        ("metrics", http_answer(b""), Outcome.EMPTY),
        ("metrics", HTML, Outcome.NOT_TRITON),
        ("metrics", http_answer(b"# TYPE up gauge\nup 1\n"), Outcome.NOT_TRITON),
        ("metrics", http_answer(b"\x00\x01garbage\n"), Outcome.NOT_TRITON),
        ("metrics", http_answer(b"# TYPE nv_inference_count counter\nnv_inference_count{ 5\n"), Outcome.GARBAGE),
        ("metrics", http_answer(b"\xff\xfe\n"), Outcome.GARBAGE),
        ("metrics", http_answer(PAGE[:-20]), Outcome.TRUNCATED),
        ("metrics", PAGE, Outcome.NOT_HTTP),
        ("metrics", ENDLESS_BODY, Outcome.TOO_LARGE),
        ("metrics", DRIP, Outcome.DEADLINE),
        ("metrics", http_answer(b"n 1\n" * 500_000), Outcome.TOO_LARGE),
    ],
)  # fmt: skip
def test_each_bad_answer_has_its_outcome_and_a_sentence_and_leaves_the_other_probes_alone(
    watching: Watching, word: str, answer: bytes | Behaviour, outcome: Outcome
) -> None:
    fake = FakeTriton()
    fake.change(word, answer)
    _, poller = watching(fake)
    snapshot = poller.cycle()
    assert snapshot.probes[word].outcome is outcome
    assert snapshot.probes[word].detail
    assert "\n" not in snapshot.probes[word].detail
    others = {name: found for name, found in outcomes(snapshot).items() if name != word}
    if word != "index":  # without an index there are no models to fetch configurations of
        assert set(others.values()) == {Outcome.OK}, others


def test_nobody_listening_is_refused_for_every_probe_and_nothing_is_known() -> None:
    with Server(FakeTriton()) as server:
        url = server.url
    poller = TargetPoller(target_at(url))
    snapshot = poller.cycle()
    poller.close()
    found = outcomes(snapshot)
    assert {found[name] for name in ("metrics", "live", "ready", "server", "index")} == {Outcome.REFUSED}
    assert (snapshot.live, snapshot.ready, snapshot.server, snapshot.models, snapshot.slis) == (None,) * 5


def test_a_cycle_ends_with_its_interval_and_says_what_it_had_no_time_for(watching: Watching) -> None:
    fake = FakeTriton()
    for word in ("metrics", "live", "ready", "v2", "index"):
        fake.change(word, silent)
    _, poller = watching(fake, interval=1.0)
    begin = time.monotonic()
    snapshot = poller.cycle()
    assert time.monotonic() - begin < 3.0
    assert Outcome.NOT_TRIED in outcomes(snapshot).values()


def test_cycles_of_a_server_that_hangs_are_silent_ones_though_its_metadata_were_known(watching: Watching) -> None:
    fake, poller = watching(interval=0.5)
    assert (poller.cycle().is_heard, poller.cycle().silent_cycles) == (True, 0)
    for word in ("metrics", "live", "ready", "v2", "index"):
        fake.change(word, silent)
    hung = [poller.cycle() for _ in range(4)]
    assert [one.is_heard for one in hung] == [False] * 4
    assert [one.silent_cycles for one in hung] == [1, 2, 3, 3]
    assert hung[-1].server is not None, "nobody had the time to ask again"
    fake.restore()
    assert poller.cycle().silent_cycles == 2


def test_after_a_failed_scrape_the_next_interval_reaches_back_to_the_last_good_page(
    watching: Watching,
) -> None:
    fake, poller = watching()
    poller.cycle()
    fake.change("metrics", http_answer(b""))
    assert poller.cycle().slis is None
    fake.change("metrics", http_answer(LATER_PAGE))
    table = poller.cycle().slis
    assert table is not None
    queue = value_of(table, MATMUL, Sli.QUEUE_TIME)
    assert isinstance(queue, SliValue)
    assert queue.value == pytest.approx(_queue_by_hand())


def test_a_failing_index_keeps_the_last_one_and_says_that_it_failed(watching: Watching) -> None:
    fake, poller = watching()
    known = poller.cycle().models
    fake.change("index", http_answer(b"", status="500 Internal Server Error"))
    snapshot = poller.cycle()
    assert snapshot.models is known
    assert snapshot.probes["index"].outcome is Outcome.SERVER_ERROR


def test_configurations_are_fetched_when_the_index_changes_and_not_each_cycle(watching: Watching) -> None:
    fake, poller = watching()
    path = "/v2/models/matmul/config"
    for _ in range(5):
        poller.cycle()
    assert fake.asked[path] == 1
    fake.change("index", http_answer(INDEX.replace(b'"version": "1"', b'"version": "2"')))
    poller.cycle()
    poller.cycle()
    assert fake.asked[path] == 2


def test_a_model_whose_counters_began_again_has_its_configuration_fetched_again(watching: Watching) -> None:
    fake = FakeTriton(metrics=http_answer(LATER_PAGE))
    _, poller = watching(fake)
    poller.cycle()
    fake.change("metrics", http_answer(PAGE))
    fake.change("config", http_answer(CONFIG.replace(b'"max_batch_size": 16', b'"max_batch_size": 4')))
    poller.cycle()
    snapshot = poller.cycle()
    assert snapshot.configs is not None
    assert snapshot.configs["matmul"].max_batch_size == 4


def test_the_configuration_of_a_model_that_left_the_index_is_forgotten(watching: Watching) -> None:
    fake, poller = watching()
    assert poller.cycle().configs
    fake.change("index", http_answer(b"[]"))
    assert poller.cycle().configs == {}


def test_an_expected_model_that_the_index_does_not_know_is_missing(watching: Watching) -> None:
    _, poller = watching(expected_models=("matmul", "absent"))
    models = poller.cycle().models
    assert models is not None
    assert [(m.key.name, m.status, m.expected) for m in models] == [
        ("matmul", ModelStatus.READY, True),
        ("absent", ModelStatus.MISSING, True),
    ]


@pytest.mark.parametrize(
    ("entry", "status"),
    [
        ({"name": "m"}, ModelStatus.NOT_LOADED),
        ({"name": "m", "version": "1", "state": "LOADING"}, ModelStatus.LOADING),
        ({"name": "m", "version": "1", "state": "UNAVAILABLE", "reason": "unloaded"}, ModelStatus.UNLOADED),
        ({"name": "m", "version": "1", "state": "UNAVAILABLE", "reason": "no file"}, ModelStatus.UNAVAILABLE),
    ],
)
def test_the_states_of_the_index_are_told_apart(watching: Watching, entry: dict[str, str], status: ModelStatus) -> None:
    _, poller = watching(FakeTriton(index=http_answer(json.dumps([entry]).encode())))
    models = poller.cycle().models
    assert models is not None
    assert [state.status for state in models] == [status]


def test_the_server_is_asked_for_its_version_again_after_it_was_away(watching: Watching) -> None:
    fake, poller = watching()
    poller.cycle()
    poller.cycle()
    assert fake.asked["/v2"] == 1
    fake.change("live", http_answer(b"", status="500 Internal Server Error"))
    poller.cycle()
    fake.restore()
    fake.change("v2", http_answer(b'{"name":"triton","version":"2.60.0"}', content_type="application/json"))
    server = poller.cycle().server
    assert server is not None
    assert server.version == "2.60.0"


def test_canaries_that_passed_and_failed_since_the_last_page_stand_beside_the_models_of_the_page() -> None:
    """NaN before a model has a canary, 0 where none was sent since, and again NaN once it has none any more."""

    def counted(snapshot: TargetSnapshot) -> list[float]:
        table: SliTable | None = snapshot.slis
        assert table is not None
        assert table.canaries is not None
        assert table.canaries.shape == (2, len(table.models))
        column: list[float] = table.canaries[:, table.models.row[MATMUL]].tolist()
        return column

    kind = {"data_type": "TYPE_FP32", "dims": [4]}
    config = {**json.loads(CONFIG), "input": [{"name": "x", **kind}], "output": [{"name": "y", **kind}]}
    fake = FakeTriton(config=http_answer(json.dumps(config).encode()))
    with Server(fake) as server:
        target = target_at(server.url)
        good = exchange(answer({"y": tensor([[0.1, 0.2, 0.3, 0.4]])}))
        client = Scripted([good, good, error(CanaryReason.SERVER_ERROR)])
        canaries = TargetCanaries(target, CanarySettings(), client=client)
        poller = TargetPoller(target, canaries=canaries)
        first = poller.cycle()
        assert counted(first) == pytest.approx([math.nan] * 2, nan_ok=True)
        canaries.follow(first)
        for _ in range(3):
            canaries.run(MATMUL)
        assert counted(poller.cycle()) == [2.0, 1.0]
        assert counted(poller.cycle()) == [0.0, 0.0]
        canaries.run(MATMUL)
        canaries.reconfigure(CanarySettings())
        assert counted(poller.cycle()) == [0.0, 1.0], "it was sent all the same"
        assert counted(poller.cycle()) == pytest.approx([math.nan] * 2, nan_ok=True)
        poller.close()
