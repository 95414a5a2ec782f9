"""`triton-watch alerts test` against what is no Alertmanager, or not all of one, and against bad arguments."""

from __future__ import annotations

import json
import re
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from click.testing import CliRunner

from support.misbehaving import Behaviour, Connection, Server, answers, http_answer, routes, silent
from triton_watch.cli.alerts_test import command

if TYPE_CHECKING:
    from pathlib import Path

OK = http_answer()


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(command, list(arguments), prog_name="triton-watch alerts test")
    assert "Traceback" not in done.output
    return done.exit_code, " ".join(done.output.split())


def run_at(behaviour: Behaviour, *arguments: str) -> tuple[int, str]:
    with Server(behaviour) as server:
        code, output = run("--alertmanager", server.url, *arguments)
    return code, output.replace(server.url, "URL")


class Fake:
    """An Alertmanager as far as a trial needs one; `shows` says what it makes of the alert that it was told."""

    def __init__(self, **changes: Any) -> None:
        self._changes = changes

    def __call__(self, connection: Connection) -> None:
        alert: dict[str, Any] = {}
        while connection.read_request():
            request = connection.requests[-1]
            if request.startswith(b"POST"):
                (alert,) = json.loads(request.partition(b"\r\n\r\n")[2])
                connection.send(OK)
                continue
            status = {"silencedBy": [], "inhibitedBy": [], "state": "active"}
            held = {**alert, "receivers": [{"name": "on-call"}, {"name": "chat"}], "status": status, **self._changes}
            connection.send(http_answer(json.dumps([held]).encode(), content_type="application/json"))


def test_the_receivers_and_the_time_that_it_took_are_told() -> None:
    code, output = run_at(Fake())
    assert code == 0
    assert re.fullmatch(r"URL: arrived in \d\.\d\d s, routed to on-call, chat; resolved again\.", output)


def test_an_alert_that_is_kept_is_not_resolved() -> None:
    with Server(Fake()) as server:
        code, output = run("--alertmanager", server.url, "--keep")
        posts = [request for request in server.requests if request.startswith(b"POST")]
    assert (code, len(posts), "it goes on firing" in output) == (0, 1, True)


def test_an_inhibited_alert_arrived_and_nobody_is_told() -> None:
    status = {"silencedBy": [], "inhibitedBy": ["d2c6efc389df0927"], "state": "suppressed"}
    code, output = run_at(Fake(status=status))
    assert code == 1
    assert re.match(
        r"URL: arrived in \d\.\d\d s, routed to on-call, chat; resolved again\. It is inhibited there", output
    )
    assert output.count("nobody is told") == 1
    assert "It is inhibited there, so nobody is told: see inhibit_rules, and the alert with fingerprint d2c6" in output


def test_json_says_that_a_silenced_alert_arrived_and_is_suppressed() -> None:
    status = {"silencedBy": ["5a2f"], "inhibitedBy": [], "state": "suppressed"}
    code, output = run_at(Fake(status=status), "--json")
    found = json.loads(output)
    for said in (found, *found["alertmanagers"]):
        assert (said["arrived"], said["suppressed"]) == (True, True)
    assert code == 1
    assert 'suppressed": false' in run_at(Fake(), "--json")[1]


def test_an_alert_of_an_older_trial_is_not_taken_for_this_one() -> None:
    code, output = run_at(Fake(annotations={"test_run": "another"}), "--wait", "1s")
    assert code == 1
    assert "not arrived. Alertmanager at URL took the alert, and did not show it within 1 s: is this a load" in output


def test_an_alert_that_could_not_be_looked_for_is_resolved_all_the_same() -> None:
    def behave(connection: Connection) -> None:
        while connection.read_request():
            is_post = connection.requests[-1].startswith(b"POST")
            connection.send(OK if is_post else http_answer(b"", "503 Service Unavailable"))

    with Server(behave) as server:
        code, output = run("--alertmanager", server.url, "--json")
        assert [request[:4] for request in server.requests] == [b"POST", b"GET ", b"POST"]
    (found,) = json.loads(output)["alertmanagers"]
    assert (code, found["arrived"], found["resolved"]) == (1, False, True)
    assert "HTTP 503: it is starting, or overloaded" in found["error"]


@pytest.mark.parametrize(
    ("behaviour", "code", "words"),
    [
        (routes({}), 1, "HTTP 404: it does not know Alertmanager's API v2; is it an Alertmanager (usually port 9093)"),
        (answers(http_answer(b"<html>", content_type="text/html")), 1, "is another server or a login there?"),
        (answers(http_answer(b"ok")), 1, "answered with something else where Alertmanager's API was expected"),
        (answers(http_answer(b"[{}]")), 1, "answered with something else where Alertmanager's API was expected"),
        (answers(http_answer(b'"no"', "400 Bad Request")), 1, "refuses alerts (HTTP 400): no."),
        (answers(http_answer(b"", "401 Unauthorized")), 1, "HTTP 401: set basic_auth or bearer_token for it"),
        (answers(b"SSH-2.0-OpenSSH_9.2\r\n"), 3, "bytes that are not HTTP"),
    ],
)
def test_what_is_no_alertmanager_is_one_sentence(behaviour: Behaviour, code: int, words: str) -> None:
    found, output = run_at(behaviour)
    assert (found, words in output) == (code, True), output
    assert "not arrived. Alertmanager at URL " in output
    assert "?." not in output


def test_a_tls_fault_is_one_sentence_and_every_peer_is_tried() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    with Server(silent, tls=context) as server, Server(Fake()) as good:
        code, output = run("--alertmanager", server.url, "--alertmanager", good.url, "--json")
    found = json.loads(output)
    assert (code, found["arrived"]) == (3, False)
    bad, fine = found["alertmanagers"]
    assert "its CA is not trusted here; give the CA's certificate in tls.ca_file" in bad["error"]
    assert (bad["arrived"], bad["reachable"], bad["seconds"]) == (False, False, None)
    assert (fine["arrived"], fine["receivers"]) == (True, ["on-call", "chat"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "which one? Give --alertmanager http://HOST:9093, or --config FILE."),
        (("--alertmanager", "localhost:9093"), "--alertmanager: "),
        (("--alertmanager", "http://h", "--config", "f"), "--config says it all"),
        (("--alertmanager", "http://h", "--wait", "soon"), "--wait: "),
        (("--alertmanager", "http://h", "--wait", "1h"), "--wait: give 1s to 10m."),
    ],
)
def test_bad_arguments_are_usage_errors(arguments: tuple[str, ...], words: str) -> None:
    code, output = run(*arguments)
    assert (code, words in output) == (2, True), output


def test_the_file_of_the_working_directory_says_whom_to_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "triton-watch.yaml"
    with Server(Fake()) as server:
        file.write_text(f"targets: [{{host: a}}]\nalerts: {{alertmanagers: [{{url: '{server.url}'}}]}}\n")
        code, output = run()
        assert (code, output.startswith(f"{server.url}: arrived")) == (0, True)
        file.write_text("targets: [{host: a}]\n")
        assert run("--alertmanager", server.url)[0] == 0
    assert "triton-watch.yaml has no alertmanagers under alerts: add one" in run()[1]


def test_a_file_without_alertmanagers_is_a_usage_error(tmp_path: Path) -> None:
    file = tmp_path / "triton-watch.yaml"
    file.write_text("targets: [{url: http://localhost:8000}]\n")
    code, output = run("--config", str(file))
    assert (code, "has no alertmanagers under alerts: add one" in output) == (2, True)
    code, output = run("--config", str(tmp_path / "missing.yaml"))
    assert (code, "missing.yaml" in output) == (3, True)
