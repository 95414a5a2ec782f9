"""Delivery to a real Alertmanager: what arrives, what is notified, and what a trial of it says."""

from __future__ import annotations

import json
import logging
import random
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from support.alertmanager_server import RealAlertmanager, Webhook, at_once
from support.needed import needed
from triton_watch.alerting.manager.api import ManagerApi
from triton_watch.alerting.manager.dispatcher import Dispatcher
from triton_watch.alerting.manager.errors import ManagerError
from triton_watch.cli.alerts_test import command
from triton_watch.records import (
    AlertKey,
    Alertmanager,
    AlertPhase,
    AlertSettings,
    AlertSeverity,
    AlertState,
    Credentials,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# bcrypt of "secret", cost 4, as `htpasswd -nbBC 4` would make it.
HASH = "$2b$04$Pxd0hcIkojSulDNePx633O5urzXUIIQ2AKCsFAd61BFHSHeXLqD4u"


@pytest.fixture(scope="module")
def binary() -> Path:
    return needed("prometheus-alertmanager")


class Peer:
    """An Alertmanager and what it notified of."""

    def __init__(self, stack: ExitStack, binary: Path, folder: Path, **options: Any) -> None:
        self.hook = stack.enter_context(Webhook())
        config = at_once(self.hook.url)
        self.server = stack.enter_context(RealAlertmanager(binary, folder, **{"config": config, **options}))
        self.url = self.server.url

    def told(self) -> list[tuple[str, str]]:
        return [(one.labels["alertname"], one.status) for one in self.hook.told()]


@pytest.fixture(scope="module")
def peers(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Peer, Peer]]:
    """Two that know nothing of each other; each test has alerts of its own."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("alertmanagers")
        yield Peer(stack, binary, folder / "a"), Peer(stack, binary, folder / "b")


class Clock:
    """Real time, which a test can put forward instead of waiting for the next time that something is told."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


def dispatcher(*urls: str, clock: Clock | None = None, **fields: Any) -> Dispatcher:
    return Dispatcher(
        AlertSettings(alertmanagers=tuple(Alertmanager(url) for url in urls), **fields),
        external_url="http://localhost:8003",
        kept={},
        clock=clock or time.monotonic,
        now=time.time,
        rng=random.Random(1),
        log=logging.getLogger("triton_watch.test"),
    )


def firing(name: str, target: str = 'gpu-7 "b" é\n') -> AlertState:
    key = AlertKey(name, AlertSeverity.PAGE, (("target", target),))
    now = time.time()
    return AlertState(key, AlertPhase.FIRING, now - 60, fired_at=now - 30, summary="It is so.", detail="Since noon.")


def resolved(state: AlertState) -> AlertState:
    return replace(state, phase=AlertPhase.RESOLVED, resolved_at=time.time())


def tell(sender: Dispatcher, *states: AlertState) -> None:
    sender.offer(states)
    for url in sender.peers():
        if sender.due(url):
            sender.send(url)


def eventually(holds: Callable[[], bool], timeout: float = 15.0) -> None:
    until = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def notified(peer: Peer, name: str, status: str) -> None:
    eventually(lambda: (name, status) in peer.told())


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(command, list(arguments), prog_name="triton-watch alerts test")
    assert "Traceback" not in done.output
    return done.exit_code, done.output


def test_an_alert_is_notified_once_by_each_peer_and_resolved_once(peers: tuple[Peer, Peer]) -> None:
    clock = Clock()
    sender = dispatcher(*(peer.url for peer in peers), clock=clock)
    state = firing("TritonNotReady")
    for _ in range(4):
        tell(sender, state)
        clock.ahead += 60
    for peer in peers:
        notified(peer, "TritonNotReady", "firing")
    (held,) = (one for one in peers[0].server.alerts() if one["labels"]["alertname"] == "TritonNotReady")
    assert held["labels"] == {"alertname": "TritonNotReady", "severity": "page", "target": 'gpu-7 "b" é\n'}
    assert held["annotations"]["summary"] == "It is so."
    assert held["generatorURL"].startswith("http://localhost:8003/?alert=TritonNotReady&target=gpu-7%20%22b%22")
    state = resolved(state)
    for _ in range(3):
        tell(sender, state)
        clock.ahead += 60
    assert [status.sent for status in sender.statuses()] == [7, 7]
    for peer in peers:
        notified(peer, "TritonNotReady", "resolved")
        mine = [status for name, status in peer.told() if name == "TritonNotReady"]
        assert mine == ["firing", "resolved"]
    sender.close()


def test_of_a_batch_with_one_bad_label_name_the_others_arrive_and_the_bad_one_is_named(
    peers: tuple[Peer, Peer], caplog: pytest.LogCaptureFixture
) -> None:
    sender = dispatcher(peers[0].url)
    bad = firing("TritonMetricsMissing")
    bad = replace(bad, key=bad.key._replace(labels=(("bad-name", "x"), ("target", "t"))))
    tell(sender, firing("TritonTargetDown"), bad, firing("TritonQueueGrowing"))
    names = {one["labels"]["alertname"] for one in peers[0].server.alerts()}
    assert {"TritonTargetDown", "TritonQueueGrowing"} <= names
    assert "TritonMetricsMissing" not in names
    (message,) = caplog.messages
    assert 'refuses the alert TritonMetricsMissing{bad-name="x", severity="page", target="t"}' in message
    assert 'invalid label set: invalid name "bad-name"' in message.replace("\\", "")
    sender.close()


def test_a_peer_that_was_away_is_told_what_it_missed(peers: tuple[Peer, Peer]) -> None:
    peer = peers[1]
    clock = Clock()
    sender = dispatcher(peer.url, clock=clock)
    known = firing("TritonModelWedged")
    tell(sender, known)
    notified(peer, "TritonModelWedged", "firing")
    peer.server.stop()
    missed, brief = firing("TritonSilentFailure"), firing("TritonCanaryFailing")
    tell(sender, known, missed, brief)
    assert [status.up for status in sender.statuses()] == [False]
    peer.server.start()
    states = (resolved(known), missed, resolved(brief))
    clock.ahead += 60  # the longest pause between two attempts
    tell(sender, *states)
    assert sender.statuses()[0].waiting == 0
    notified(peer, "TritonSilentFailure", "firing")
    notified(peer, "TritonModelWedged", "resolved")
    assert "TritonCanaryFailing" not in {name for name, _ in peer.told()}, "it is over: nobody need be told"
    sender.close()


def test_a_path_prefix_belongs_to_the_url_and_who_forgets_it_is_told(binary: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        peer = Peer(stack, binary, tmp_path / "am", prefix="/am")
        sender = dispatcher(peer.url)
        tell(sender, firing("TritonNotReady"))
        assert sender.statuses()[0].sent == 1
        bare = peer.url.removesuffix("/am")
        code, output = run("--alertmanager", bare)
        assert code == 1
        assert "does not know Alertmanager's API v2" in output
        assert f"Its start page leads to /am: try {peer.url}." in " ".join(output.split())
        sender.close()


def test_basic_auth_opens_an_alertmanager_that_wants_it(binary: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        peer = Peer(stack, binary, tmp_path / "am", web_config=f"basic_auth_users: {{agent: {HASH}}}\n")
        api = ManagerApi(Alertmanager(peer.url, credentials=Credentials("agent", "secret")), clock=time.monotonic)
        api.tell([{"labels": {"alertname": "A"}}])
        assert [held.receivers for held in api.held("A")] == [("hook",)]
        api.close()
        without = ManagerApi(Alertmanager(peer.url), clock=time.monotonic)
        with pytest.raises(ManagerError, match="HTTP 401 'Unauthorized': set basic_auth or bearer_token"):
            without.tell([])
        without.close()
        code, output = run("--alertmanager", peer.url)
        assert (code, "set basic_auth" in output) == (1, True)
        file, secret = tmp_path / "triton-watch.yaml", tmp_path / "password"
        secret.write_text("secret")
        manager = {"url": peer.url, "basic_auth": {"username": "agent", "password_file": str(secret)}}
        alerts = {"alertmanagers": [manager], "external_labels": {"region": "eu"}}
        file.write_text(json.dumps({"targets": [{"url": "http://localhost:8000"}], "alerts": alerts}))
        code, output = run("--config", str(file))
        assert (code, "routed to hook; resolved again" in output) == (0, True), output
        notified(peer, "TritonWatchTest", "firing")
        assert peer.hook.told()[-1].labels["region"] == "eu"


def test_a_trial_says_that_the_alert_arrived_to_whom_it_went_and_resolves_it(peers: tuple[Peer, Peer]) -> None:
    urls = [argument for peer in peers for argument in ("--alertmanager", peer.url)]
    code, output = run(*urls, "--json")
    found = json.loads(output)
    assert (code, found["arrived"]) == (0, True)
    for peer, said in zip(peers, found["alertmanagers"], strict=True):
        assert {**said, "seconds": 0} == {
            "url": peer.url,
            "arrived": True,
            "suppressed": False,
            "seconds": 0,
            "receivers": ["hook"],
            "silenced_by": [],
            "inhibited_by": [],
            "resolved": True,
            "reachable": True,
            "error": "",
        }
        assert 0 < said["seconds"] < 5
        notified(peer, "TritonWatchTest", "resolved")
        assert "TritonWatchTest" not in {one["labels"]["alertname"] for one in peer.server.alerts()}
    code, output = run("--alertmanager", peers[0].url, "--keep")
    assert (code, "routed to hook; it goes on firing." in output) == (0, True)
    assert "TritonWatchTest" in {one["labels"]["alertname"] for one in peers[0].server.alerts()}


def test_a_trial_says_that_a_silence_keeps_everybody_from_being_told(peers: tuple[Peer, Peer]) -> None:
    silence = peers[1].server.silence({"alertname": "TritonWatchTest"})
    code, output = run("--alertmanager", peers[1].url)
    assert code == 1
    assert f"It is silenced there, so nobody is told: end the silence {silence}" in " ".join(output.split())


def test_a_trial_of_what_is_not_there_says_so() -> None:
    code, output = run("--alertmanager", "http://localhost:1")
    assert code == 3
    assert "Alertmanager at http://localhost:1 refused the connection: nothing listens there" in output
