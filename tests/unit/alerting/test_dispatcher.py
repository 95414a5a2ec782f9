"""What a real Alertmanager does not do: to hang, to break, to be something else. And what becomes of it meanwhile."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from support.misbehaving import (
    Behaviour,
    Connection,
    Server,
    answers,
    answers_and_closes,
    http_answer,
    silent,
    speaks_first,
)
from triton_watch.alerting.manager.dispatcher import Dispatcher
from triton_watch.alerting.manager.payload import rfc3339
from triton_watch.records import (
    AlertKey,
    Alertmanager,
    AlertMode,
    AlertPhase,
    AlertSettings,
    AlertSeverity,
    AlertState,
    Credentials,
    Timeouts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

LOG = logging.getLogger("triton_watch.test")
QUICK = Timeouts(connect=0.4, read=0.4, total=0.7)
"""For peers that never answer."""
PATIENT = Timeouts(connect=5.0, read=20.0, total=20.0)
OK = http_answer()


def once(body: bytes, status: str, content_type: str = "text/plain", **options: Any) -> Behaviour:
    return answers_and_closes(http_answer(body, status, content_type, **options))


def state(name: str = "TritonNotReady", phase: AlertPhase = AlertPhase.FIRING, **fields: Any) -> AlertState:
    key = AlertKey(name, AlertSeverity.PAGE, (("target", "gpu-7"),))
    now = time.time()
    resolved = now if phase is AlertPhase.RESOLVED else None
    return AlertState(key, phase, active_at=now - 60, fired_at=now - 30, resolved_at=resolved, **fields)


class Clock:
    """Real time, which a test can put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


@contextmanager
def dispatcher(*urls: str, clock: Clock | None = None, kept: Any = None, **fields: Any) -> Iterator[Dispatcher]:
    made = Dispatcher(
        settings(*urls, **fields),
        external_url="http://localhost:8003",
        kept=kept or {},
        clock=clock or time.monotonic,
        now=time.time,
        rng=random.Random(1),
        log=LOG,
    )
    try:
        yield made
    finally:
        made.close()


def settings(*urls: str, timeouts: Timeouts = PATIENT, **fields: Any) -> AlertSettings:
    return AlertSettings(alertmanagers=tuple(Alertmanager(url, timeouts) for url in urls), **fields)


def told(server: Server) -> list[list[dict[str, Any]]]:
    """The batches that came."""
    return [json.loads(request.partition(b"\r\n\r\n")[2]) for request in server.requests]


def test_alerts_are_posted_as_json_to_the_api_and_pending_ones_are_not() -> None:
    with Server(answers(OK)) as server, dispatcher(server.url) as sender:
        sender.offer([state(), state("TritonTargetDown", AlertPhase.PENDING)])
        sender.send(server.url)
        ((alert,),) = told(server)
        head = server.requests[0].partition(b"\r\n\r\n")[0].lower()
        (status,) = sender.statuses()
        assert not sender.due(server.url)
    assert alert["labels"]["alertname"] == "TritonNotReady"
    assert head.startswith(b"post /api/v2/alerts http/1.1")
    assert b"content-type: application/json" in head
    assert (status.up, status.sent, status.waiting, status.error) == (True, 1, 0, "")
    assert status.last_success == pytest.approx(time.time(), abs=5)


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (once(b'"it is on fire"', "500 Internal Server Error"), "answered HTTP 500 'it is on fire': see its log"),
        (once(b"<html>Please log in", "200 OK", "text/html"), "answered with an HTML page where Alertmanager's API"),
        (once(b"<html>no", "400 Bad Request", "text/html"), "answered HTTP 400: see its log"),
        (once(b"", "401 Unauthorized"), "answered HTTP 401: set basic_auth or bearer_token"),
        (once(b"", "302 Found", headers=["Location: /am/"]), "redirects to /am/ (HTTP 302)"),
        (once(b"slow down", "429 Too Many Requests"), "answered HTTP 429 'slow down': it limits"),
        (once(b"client sent an HTTP request to an HTTPS server", "400 Bad Request"), "write https://"),
        (silent, "did not answer in time"),
        (speaks_first(b"SSH-2.0-OpenSSH_9.2\r\n"), "answered with bytes that are not HTTP"),
    ],
    ids=["500", "login", "400 of a proxy", "401", "redirect", "429", "TLS port", "hangs", "SSH"],
)
def test_what_is_no_verdict_on_an_alert_is_told_and_tried_again(
    behaviour: Behaviour, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    clock, mended = Clock(), threading.Event()

    def behave(connection: Connection) -> None:
        (answers(OK) if mended.is_set() else behaviour)(connection)

    with (
        Server(behave) as server,
        caplog.at_level(logging.INFO),
        dispatcher(server.url, clock=clock, timeouts=QUICK if behaviour is silent else PATIENT) as sender,
    ):
        sender.offer([state()])
        for _ in range(2):
            sender.send(server.url)
            (status,) = sender.statuses()
            assert words in status.error
            assert status.error.startswith(f"Alertmanager at {server.url} ")
            assert "Triton" not in status.error
            assert not sender.due(server.url), "no back-off"
            clock.ahead += 60
        mended.set()
        assert sender.due(server.url)
        sender.swap(settings(server.url))
        sender.send(server.url)
        (status,) = sender.statuses()
    assert (status.error, status.refused, status.waiting) == ("", 0, 0)
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
    assert "tried again" in caplog.messages[0]
    assert caplog.messages[1] == f"Alertmanager at {server.url} takes alerts again"


def test_a_peer_that_hangs_holds_up_no_other_and_is_asked_by_one_thread_alone() -> None:
    with Server(silent) as hanging, Server(answers(OK)) as good, dispatcher() as sender:
        sender.swap(AlertSettings(alertmanagers=(Alertmanager(hanging.url, PATIENT), Alertmanager(good.url, PATIENT))))
        sender.offer([state()])
        thread = threading.Thread(target=sender.send, args=(hanging.url,))
        thread.start()
        until = time.monotonic() + 10
        while hanging.connections == 0:
            assert time.monotonic() < until
            time.sleep(0.01)
        sender.send(hanging.url)  # somebody does already
        assert not sender.due(hanging.url)
        sender.send(good.url)
        assert thread.is_alive()
        hanging.close()
        thread.join()
        assert [status.up for status in sender.statuses()] == [False, True]
        assert hanging.connections == 1


def test_an_alert_that_is_refused_costs_no_other_and_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    def behave(connection: Connection) -> None:
        """422 whatever is in a batch with a bad alert, as for a bad generatorURL: nothing of it is taken."""
        while connection.read_request():
            is_bad = b"TritonNotReady" in connection.requests[-1]
            body = b'{"code":601,"message":"0.generatorURL in body must be of type uri"}'
            connection.send(http_answer(body, "422 Unprocessable", "application/json") if is_bad else OK)

    with Server(behave) as server, dispatcher(server.url) as sender:
        states = [state(name) for name in ("TritonNotReady", "TritonTargetDown", "TritonModelWedged")]
        for _ in range(3):
            sender.offer(states)
            sender.send(server.url)
        (status,) = sender.statuses()
        assert [len(batch) for batch in told(server)] == [3, 1, 1, 1]
    assert (status.up, status.sent, status.refused, status.failed, status.waiting) == (True, 2, 1, 0, 0)
    assert status.error == (
        f'Alertmanager at {server.url} refuses the alert TritonNotReady{{severity="page", target="gpu-7"}} until it '
        "changes: 0.generatorURL in body must be of type uri."
    )
    assert caplog.messages == [status.error.removesuffix(".")]


def test_a_reload_brings_peers_and_takes_them_away_and_leaves_the_others_alone() -> None:
    with Server(answers(OK)) as first, Server(answers(OK)) as second, dispatcher(first.url) as sender:
        sender.offer([state()])
        sender.send(first.url)
        sender.swap(settings(first.url, second.url))
        assert [sender.due(first.url), sender.due(second.url)] == [False, True]
        sender.send(second.url)
        sender.swap(settings(second.url))
        sender.send(first.url)
        assert sender.peers() == (second.url,)
        assert (len(told(first)), len(told(second))) == (1, 1)


def test_labels_that_a_reload_changes_end_the_alert_under_the_old_ones() -> None:
    with Server(answers(OK)) as server, dispatcher(server.url) as sender:
        sender.offer([state()])
        sender.send(server.url)
        sender.swap(settings(server.url, external_labels=(("region", "eu"),)))
        sender.send(server.url)
        new, old = told(server)[1]
    assert (new["labels"]["region"], "region" in old["labels"]) == ("eu", False)
    assert new["endsAt"] > old["endsAt"]


def test_other_credentials_are_tried_at_once() -> None:
    def behave(connection: Connection) -> None:
        while connection.read_request():
            is_known = b"Authorization: Bearer right" in connection.requests[-1]
            connection.send(OK if is_known else http_answer(b"", "401 Unauthorized"))

    with Server(behave) as server, dispatcher(server.url) as sender:
        sender.offer([state()])
        sender.send(server.url)
        assert not sender.due(server.url)
        known = Alertmanager(server.url, PATIENT, Credentials(bearer_token="right"))
        sender.swap(AlertSettings(alertmanagers=(known,)))
        assert sender.due(server.url)
        sender.send(server.url)
        assert sender.statuses()[0].up


@pytest.mark.parametrize("mode", [AlertMode.PROMETHEUS, AlertMode.OFF])
def test_only_an_agent_that_notifies_sends(mode: AlertMode) -> None:
    with Server(answers(OK)) as server, dispatcher(server.url, mode=mode) as sender:
        sender.offer([state()])
        sender.send(server.url)
        assert (sender.peers(), sender.statuses(), server.requests) == ((), (), [])
        sender.swap(settings(server.url))
        assert sender.due(server.url)


@pytest.mark.parametrize("mode", [AlertMode.PROMETHEUS, AlertMode.OFF])
def test_a_reload_that_lets_another_notify_ends_everything_at_once_and_tells_nothing_new(mode: AlertMode) -> None:
    clock = Clock()
    with Server(answers(OK)) as server, Server(answers(OK)) as new, dispatcher(server.url, clock=clock) as sender:
        sender.offer([state()])
        sender.send(server.url)
        sender.swap(settings(server.url, new.url, mode=mode))
        sender.offer([state(), state("TritonTargetDown")])
        assert (sender.peers(), sender.statuses()) == ((server.url,), ())
        assert sender.due(server.url)
        for _ in range(3):
            sender.send(server.url)
            clock.ahead += 60
        _, *ends = told(server)
        assert [[alert["labels"]["alertname"] for alert in batch] for batch in ends] == [["TritonNotReady"]] * 3
        assert all(alert["endsAt"] <= rfc3339(time.time()) for (alert,) in ends)
        assert sender.peers() == (server.url,)
        clock.ahead += 200
        assert (sender.peers(), sender.dump(), new.requests) == ((), {}, [])


def test_a_peer_that_never_hears_the_end_is_left_when_everything_has_ended_there_by_itself() -> None:
    clock = Clock()
    with dispatcher(clock=clock) as sender:
        with Server(answers(OK)) as server:
            sender.swap(settings(server.url))
            sender.offer([state()])
            sender.send(server.url)
        sender.swap(settings(server.url, mode=AlertMode.OFF))
        clock.ahead += 500
        assert sender.peers() == (server.url,)
        sender.send(server.url)
        clock.ahead += 100
        assert sender.peers() == ()


def test_peers_that_were_told_of_nothing_are_left_at_once() -> None:
    with Server(answers(OK)) as server, dispatcher(server.url) as sender:
        sender.offer([state()])
        sender.swap(settings(server.url, mode=AlertMode.OFF))
        assert (sender.peers(), server.requests) == ((), [])


def test_who_notifies_again_tells_what_fires() -> None:
    with Server(answers(OK)) as server, dispatcher(server.url) as sender:
        for mode in (AlertMode.AGENT, AlertMode.PROMETHEUS, AlertMode.AGENT):
            sender.swap(settings(server.url, mode=mode))
            sender.offer([state()])
            sender.send(server.url)
        now = rfc3339(time.time())
        assert [alert["endsAt"] > now for (alert,) in told(server)] == [True, False, True]


@pytest.mark.parametrize("mode", [AlertMode.PROMETHEUS, AlertMode.OFF])
def test_a_restart_that_lets_another_notify_ends_what_the_process_before_told(mode: AlertMode) -> None:
    with Server(answers(OK)) as server, Server(answers(OK)) as other:
        with dispatcher(server.url) as sender:
            sender.offer([state()])
            sender.send(server.url)
            kept = json.loads(json.dumps(sender.dump()))
        with dispatcher(server.url, other.url, kept=kept, mode=mode) as sender:
            assert (sender.peers(), sender.statuses()) == ((server.url,), ())
            assert sender.due(server.url)
            sender.send(server.url)
        _, (alert,) = told(server)
    assert alert["endsAt"] <= rfc3339(time.time())


def test_links_follow_the_address_that_a_reload_gives_the_agent_and_are_no_news_of_their_own() -> None:
    clock = Clock()
    with Server(answers(OK)) as server, dispatcher(server.url, clock=clock) as sender:
        fires = state()
        sender.offer([fires])
        sender.send(server.url)
        mark = sender.mark()
        sender.swap(settings(server.url), "https://watch.example.net")
        sender.swap(settings(server.url))
        assert (sender.mark() == mark, sender.due(server.url)) == (True, False)
        clock.ahead += 60
        sender.send(server.url)
        sender.offer([])
        assert sender.mark() != mark
        ((old,), (new,)) = told(server)
    assert old["generatorURL"].startswith("http://localhost:8003/")
    assert new["generatorURL"].startswith("https://watch.example.net/")
    assert new["annotations"]["runbook_url"] == "https://watch.example.net/runbooks/TritonNotReady"


def test_what_a_peer_has_not_heard_outlives_a_restart() -> None:
    with Server(answers(OK)) as server:
        with dispatcher("http://localhost:1", server.url) as sender:
            sender.offer([state()])
            sender.send("http://localhost:1")
            sender.send(server.url)
            sender.offer([])
            kept = json.loads(json.dumps(sender.dump()))
            assert sender.dump() == kept
        batches = len(told(server))
        with dispatcher(server.url, kept=kept) as sender:
            sender.offer([])
            sender.send(server.url)
            ((alert,),) = told(server)[batches:]
        assert alert["endsAt"] < kept_until(kept)
    with dispatcher("http://localhost:1", kept=kept) as sender:
        assert sender.statuses()[0].waiting == 1


def kept_until(kept: dict[str, Any]) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(kept["http://localhost:1"][0]["resolved_at"] + 1))


@pytest.mark.parametrize(
    "kept", [None, 5, [None, {}, {"labels": {"a": 1}}], [{"labels": {"a": "b"}, "starts_at": 1e99}]]
)
def test_damage_in_what_was_kept_is_left_out(kept: Any) -> None:
    with dispatcher("http://localhost:1", kept={"http://localhost:1": kept}) as sender:
        assert sender.dump() == {"http://localhost:1": []}


def test_the_end_sends_a_last_time_within_a_bounded_time_and_resolves_nothing() -> None:
    with Server(silent) as hanging, Server(answers(OK)) as good:
        slow = AlertSettings(
            alertmanagers=tuple(Alertmanager(url, Timeouts(5, 20, 20)) for url in (hanging.url, good.url))
        )
        with dispatcher() as sender:
            sender.swap(slow)
            sender.offer([state()])
            began = time.monotonic()
        assert time.monotonic() - began < 3
        ((alert,),) = told(good)
    assert alert["endsAt"] > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 100))
