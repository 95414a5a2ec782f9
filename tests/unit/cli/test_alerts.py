"""`triton-watch alerts list` and `explain`, on an agent's pages behind a real server."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from support.alert_pages import AT, served, some_alerts
from support.misbehaving import Server, closes_at_once, http_answer
from triton_watch.alerting.definitions import ALERTS
from triton_watch.cli import cli
from triton_watch.conventions.alerts import ALERT_NAMES
from triton_watch.daemon.app import App, Route, plain
from triton_watch.daemon.state import AlertsView
from triton_watch.daemon.web import WebServer
from triton_watch.records import (
    AlertKey,
    AlertMode,
    AlertPhase,
    AlertSettings,
    AlertSeverity,
    AlertState,
    WebSettings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

    from support.misbehaving import Behaviour, Connection
    from synthetic_state import SyntheticState
    from triton_watch.daemon.app import Request, Response


@pytest.fixture
def state() -> SyntheticState:
    return some_alerts()


@pytest.fixture
def agent(state: SyntheticState) -> Iterator[str]:
    with served(state) as where:
        yield where


def call(*words: str | Path, columns: int = 120) -> Result:
    done = CliRunner().invoke(cli, ["alerts", *map(str, words)], env={"COLUMNS": str(columns)})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def only(state: SyntheticState, *severities: AlertSeverity, phase: AlertPhase = AlertPhase.FIRING) -> None:
    """Let the state have one alert of each severity in this phase, and no other."""
    keys = [AlertKey("TritonNotBatching", severity, ()) for severity in severities]
    states = tuple(AlertState(key, phase, AT, fired_at=AT, resolved_at=AT) for key in keys)
    state.alert_view = replace(state.alert_view, states=states)


# What fires


def test_what_fires_is_told_with_its_age_and_its_reason(agent: str) -> None:
    done = call("list", "--agent", agent)
    assert done.stdout.splitlines()[:4] == [
        "SEVERITY  SINCE   ALERT                  ABOUT",
        "page      12 min  TritonCanaryFailing    gpu-7/ranker:1",
        "    ranker:1 on gpu-7: 3 of 3 canaries failed: SCORES holds NaN.",
        f"    {next(one.advice for one in ALERTS if one.name == 'TritonCanaryFailing')}"[:120],
    ]
    assert "ticket    2 h     TritonErrorBudgetBurn  gpu-7/ranker:1  slo=latency" in done.stdout
    assert "burns latency 3.2x over 1d and 2h. (The last polls told nothing of it.)" in done.stdout
    assert "TritonNotReady" not in done.stdout
    assert (
        "2 alerts fire, 1 is pending (--all shows them). What to do: triton-watch alerts explain NAME." in done.stdout
    )
    assert done.exit_code == 1


def test_all_alerts_are_told_with_their_phase(agent: str) -> None:
    done = call("list", "--agent", agent, "--all")
    assert "page      pending   42 s    TritonNotReady         gpu-8" in done.stdout
    assert "page      resolved  1 min   TritonTargetDown       gpu-8" in done.stdout
    assert "    Triton gpu-8 is down\n" in done.stdout
    assert "2 alerts fire, 1 is pending. What" in done.stdout


def test_the_last_lines_say_who_is_told_and_who_is_not(agent: str) -> None:
    assert call("list", "--agent", agent).stdout.splitlines()[-3:] == [
        "Told: http://one:9093, 1,234 sent, the last 12 s ago",
        "Not told: http://two:9093, never yet, 2 alerts waiting. http://two:9093 refused the connection.",
        "Told: http://three:9093, nothing sent yet",
    ]


def test_a_peer_that_was_told_before_has_its_last_time(agent: str, state: SyntheticState) -> None:
    peers = tuple(replace(one, last_success=AT - 300) for one in state.alert_view.peers)
    state.alert_view = replace(state.alert_view, peers=peers)
    assert "Not told: http://two:9093, the last 5 min ago, 2 alerts waiting." in call("--agent", agent).stdout


def test_without_a_command_it_is_list(agent: str) -> None:
    assert call("--agent", agent, "--all").stdout == call("list", "--agent", agent, "--all").stdout


def test_help_of_the_group_is_not_that_of_list() -> None:
    for flag in ("--help", "-h"):
        done = CliRunner().invoke(cli, ["alerts", flag])
        assert "Commands:" in done.stdout
        assert done.exit_code == 0


def test_alerts_of_one_target_are_asked_for(agent: str) -> None:
    done = call("--agent", agent, "--target", "gpu-8")
    assert done.stdout.splitlines()[0] == "Nothing fires, 1 is pending (--all shows them)."
    assert done.exit_code == 0


def test_a_target_that_the_agent_does_not_have_is_a_usage_error_in_its_words(agent: str) -> None:
    done = call("--agent", agent, "--target", "gpu 9/x")
    assert done.exit_code == 2
    assert "--target: There is no target 'gpu 9/x'; there are: gpu-7, gpu-8." in done.stderr


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_cut_on_any_terminal(agent: str, width: int) -> None:
    """What does not fit is folded, and all of it is there."""
    text = call("--agent", agent, "--all", columns=width).stdout
    assert "ranker:1 on gpu-7: 3 of 3 canaries failed: SCORES holds NaN." in " ".join(text.split())
    assert "http://two:9093 refused the connection." in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize(
    ("severities", "phase", "code"),
    [
        ((), AlertPhase.FIRING, 0),
        ((AlertSeverity.INFO,), AlertPhase.FIRING, 0),
        ((AlertSeverity.INFO, AlertSeverity.TICKET), AlertPhase.FIRING, 1),
        ((AlertSeverity.PAGE,), AlertPhase.FIRING, 1),
        ((AlertSeverity.PAGE,), AlertPhase.PENDING, 0),
        ((AlertSeverity.PAGE,), AlertPhase.RESOLVED, 0),
    ],
)
def test_the_exit_code_is_1_while_a_page_or_a_ticket_fires(
    agent: str, state: SyntheticState, severities: tuple[AlertSeverity, ...], phase: AlertPhase, code: int
) -> None:
    """Whatever is shown."""
    only(state, *severities, phase=phase)
    for flags in ((), ("--all",), ("--json",)):
        assert call("--agent", agent, *flags).exit_code == code


def test_json_is_that_of_the_agent_with_the_alerts_that_would_be_shown(agent: str) -> None:
    some, everything = (json.loads(call("--agent", agent, "--json", *flags).stdout) for flags in ((), ("--all",)))
    assert [one["phase"] for one in some["alerts"]] == ["firing", "firing"]
    assert [one["phase"] for one in everything["alerts"]] == ["firing", "firing", "pending", "resolved"]
    assert {**some, "alerts": []} == {**everything, "alerts": []}
    assert (some["version"], len(some["alertmanagers"])) == (1, 3)


def test_names_that_no_terminal_takes_are_shown_all_the_same(agent: str, state: SyntheticState) -> None:
    """Half a character and the beginning of an escape sequence, from a server's JSON."""
    key = AlertKey("TritonModelWedged", AlertSeverity.PAGE, (("model", "m\ud800\x1b[2J"), ("target", "größe")))
    state.alert_view = replace(state.alert_view, states=(AlertState(key, AlertPhase.FIRING, AT, fired_at=AT),))
    assert "größe/m\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[2J\n" in call("--agent", agent).stdout
    assert json.loads(call("--agent", agent, "--json").stdout)["alerts"][0]["labels"]["model"] == "m\ufffd\x1b[2J"


# Nothing to be told, and nobody to tell


def test_an_agent_that_evaluates_nothing_is_no_good_news(agent: str, state: SyntheticState) -> None:
    state.alert_view = AlertsView(AlertSettings(mode=AlertMode.OFF), evaluated_at=AT)
    done = call("--agent", agent)
    assert (done.exit_code, done.stdout) == (3, "The agent evaluates no alerts: alerts.mode is off.\n")


def test_an_agent_that_has_evaluated_nothing_yet_says_so(agent: str, state: SyntheticState) -> None:
    state.alert_view = AlertsView()
    done = call("--agent", agent)
    assert done.exit_code == 3
    assert done.stdout.startswith("The agent has evaluated nothing yet: ask again in some seconds.\n")


def test_an_evaluation_that_is_old_is_said_to_be(agent: str, state: SyntheticState) -> None:
    state.alert_view = replace(state.alert_view, evaluated_at=AT - 400)
    text = "This is 6 min old: the agent has evaluated nothing since; see its log."
    assert text in call("--agent", agent).stdout.splitlines()


def test_without_an_alertmanager_it_is_said_how_to_name_one(agent: str, state: SyntheticState) -> None:
    state.alert_view = AlertsView(evaluated_at=AT)
    done = call("--agent", agent)
    assert done.exit_code == 0
    assert " ".join(done.stdout.split()) == (
        "Nothing fires. Nobody is told, for no Alertmanager is configured: name some under alerts.alertmanagers, or "
        "with run --alertmanager URL."
    )


def test_where_prometheus_tells_it_is_said_that_the_agent_does_not(agent: str, state: SyntheticState) -> None:
    state.alert_view = AlertsView(AlertSettings(mode=AlertMode.PROMETHEUS), evaluated_at=AT)
    assert call("--agent", agent).stdout.endswith("Nobody is told by this agent: alerts.mode is prometheus.\n")


# Where the agent is


def test_the_agent_of_a_file_is_the_one_that_is_asked(agent: str, tmp_path: Path) -> None:
    """One that listens everywhere is asked on this machine."""
    file = tmp_path / "w.yaml"
    port = agent.rpartition(":")[2]
    for host in ("127.0.0.1", "0.0.0.0"):
        file.write_text(f"targets: [{{host: a}}]\nweb: {{listen: '{host}:{port}'}}\n")
        assert call("--config", file).stdout == call("--agent", f"{agent}/").stdout


def test_the_file_of_the_working_directory_says_where_the_agent_is(
    agent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    port = agent.rpartition(":")[2]
    (tmp_path / "triton-watch.yaml").write_text(f"targets: [{{host: a}}]\nweb: {{listen: '127.0.0.1:{port}'}}\n")
    assert call().stdout == call("--agent", agent).stdout != ""
    (tmp_path / "triton-watch.yaml").write_text("targets: []\n")
    assert call("--agent", agent).exit_code == 1


def test_a_file_that_is_not_good_is_exit_code_2_and_one_that_is_not_there_3(tmp_path: Path) -> None:
    file = tmp_path / "w.yaml"
    assert call("--config", file).exit_code == 3
    file.write_text("targets: []\n")
    assert call("--config", file).exit_code == 2


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--agent", "http://a", "--config", "w.yaml"), "--agent and --config both say where the agent is: give one"),
        (("--agent", "localhost:8003"), '--agent: "localhost:8003" has no scheme: write it like http'),
    ],
)
def test_flags_that_make_no_sense_are_usage_errors(words: tuple[str, ...], text: str) -> None:
    done = call(*words)
    assert done.exit_code == 2
    assert text in done.stderr


def test_an_agent_on_any_free_port_cannot_be_found_by_its_file(tmp_path: Path) -> None:
    file = tmp_path / "w.yaml"
    file.write_text("targets: [{host: a}]\nweb: {listen: '127.0.0.1:0'}\n")
    done = call("--config", file)
    assert done.exit_code == 2
    assert "has port 0, any free one: give --agent URL" in done.stderr


def refused(*words: str) -> str:
    """What is said in the one line on standard error, with exit code 3."""
    done = call(*words)
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.startswith("triton-watch: ")
    assert done.stderr.count("\n") == 1
    return done.stderr.removeprefix("triton-watch: ").rstrip()


def test_where_no_agent_is_it_is_said_how_to_start_one() -> None:
    assert refused("--agent", "http://127.0.0.1:1") == (
        "no agent answers at http://127.0.0.1:1, nothing listens there: start one with "
        "`triton-watch run --target URL`, or say with --agent URL where it is."
    )


def noise(connection: Connection) -> None:
    connection.read_request()
    connection.send(b"\x00\x01\r\n\r\n")


@pytest.mark.parametrize(
    ("behaviour", "text"),
    [
        (closes_at_once, "no agent answers at {url}, there is no connection: start one with `triton-watch run "),
        (noise, "what listens at {url} does not speak HTTP: is the port right (an agent's is usually 8003)?"),
    ],
)
def test_what_listens_there_and_is_no_agent_is_told_apart(behaviour: Behaviour, text: str) -> None:
    with Server(behaviour) as server:
        assert refused("--agent", server.url).startswith(text.format(url=server.url))


def test_an_agent_without_a_name_in_the_dns_is_said_to_have_none() -> None:
    text = refused("--agent", "http://no-such-host.invalid:8003")
    assert text.startswith("the agent at http://no-such-host.invalid:8003 could not be reached: ")
    assert text.endswith(".")


def failing(_request: Request) -> Response:
    return plain(HTTPStatus.INTERNAL_SERVER_ERROR, "The agent failed to make this page; its log says why.")


@pytest.mark.parametrize(
    ("route", "said"),
    [
        (
            Route("/", failing),
            "is no agent of this version (HTTP 404): is the URL right, or is the agent an older one?",
        ),
        (Route("/api/v1/alerts", failing), "tells no alerts (HTTP 500): if it is an agent, its log says why."),
    ],
)
def test_what_tells_no_alerts_is_named_with_its_status(route: Route, said: str) -> None:
    """An older agent, another program, or one that fails."""
    server = WebServer(WebSettings(port=0), App([route]))
    server.start()
    text = refused("--agent", server.url)
    server.close()
    assert text == f"what answers at {server.url} {said}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b'{"version": 2}',
        b'{"version": 1, "mode": "agent"}',
        b'{"version": 1, "mode": "loud", "at": "x"}',
        b'{"version": 1, "mode": "off", "at": "yesterday", "evaluated_at": null, "alerts": [], "alertmanagers": []}',
        b'{"version":1,"mode":"off","at":"2026-11-28T00:36:12Z","evaluated_at":null,"alerts":[1],"alertmanagers":[]}',
        b'{"version":1,"mode":"off","at":"2026-11-28T00:36:12Z","evaluated_at":null,"alerts":[],"alertmanagers":'
        b'[{"url":"","up":true,"error":"","last_success":null,"sent":Infinity,"waiting":0}]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_answer_of_an_agent_is_said_in_a_sentence(body: bytes) -> None:
    def answers(connection: Connection) -> None:
        connection.read_request()
        connection.send(http_answer(body))

    with Server(answers) as server:
        text = refused("--agent", server.url)
    assert text == f"what {server.url} answers is not what an agent of this version tells: what is it?"


# What they mean


def test_every_alert_is_listed_with_who_is_told_and_when() -> None:
    rows = call("explain", columns=200).stdout.splitlines()[1:]
    assert [row.split()[:2] for row in rows] == [[one.name, one.severity.value] for one in ALERTS]
    assert "{{" not in "".join(rows)
    assert any("Model <model> on <target>" in row for row in rows)


def test_a_burning_budget_is_listed_with_the_time_of_each_window() -> None:
    rows = [
        row.split("TritonErrorBudgetBurn")[1]
        for row in call("explain", columns=200).stdout.splitlines()
        if row.startswith("TritonErrorBudgetBurn")
    ]
    assert [re.split(r"\s{2,}", row.strip())[1] for row in rows] == ["2m or 15m", "1h or 3h"]


@pytest.mark.parametrize("name", ALERT_NAMES)
def test_every_alert_is_explained_by_its_name_or_less(name: str) -> None:
    """Without the prefix, and in any case."""
    whole = call("explain", name)
    assert whole.exit_code == 0
    assert whole.stdout.startswith(f"# {name}\n")
    for shorter in (name.removeprefix("Triton"), name.upper(), name.removeprefix("Triton").lower()):
        assert call("explain", shorter).stdout == whole.stdout


@pytest.mark.parametrize(
    ("name", "hint"),
    [("QueueGrowth", 'did you mean "TritonQueueGrowing"? '), ("tritontargetup", 'did you mean "TritonTargetDown"? ')],
)
def test_an_alert_that_there_is_not_is_a_usage_error_with_the_nearest(name: str, hint: str) -> None:
    done = call("explain", name)
    assert done.exit_code == 2
    assert f'there is no alert "{name}": {hint}`triton-watch alerts explain` lists them all.' in done.stderr


def test_an_alert_that_is_like_no_other_is_a_usage_error_without_a_guess() -> None:
    assert 'there is no alert "xyz": `triton-watch alerts explain`' in call("explain", "xyz").stderr


def test_on_a_terminal_a_runbook_is_set_in_type() -> None:
    """Headings lose their marks there."""
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "triton_watch", "alerts", "explain", "NotReady"]
    process = subprocess.Popen(words, stdout=theirs, env={**os.environ, "TERM": "xterm", "COLUMNS": "100"})
    os.close(theirs)
    text = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:  # how Linux ends a terminal that nobody holds any more
            break
        text += more
    os.close(ours)
    assert process.wait(30) == 0
    assert b"TritonNotReady" in text
    assert b"\n# " not in text
    assert b"\x1b[" in text
