"""`triton-watch status` shows the budgets of its server, or says whose there are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from click.testing import CliRunner

from support.fake_triton import PAGE, FakeTriton
from support.misbehaving import Server, http_answer
from triton_watch.cli.status import command
from unit.cli.test_slo_report import store

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


def idle() -> FakeTriton:
    """A server of which nobody wants anything: with requests that wait, `status` would look longer."""
    pending = b'nv_inference_pending_request_count{model="matmul",version="1"} '
    assert pending + b"5\n" in PAGE
    return FakeTriton(metrics=http_answer(PAGE.replace(pending + b"5\n", pending + b"0\n")))


def status(server: Server, *arguments: str, **environ: str) -> Result:
    words = ["--target", server.url, "--metrics-url", f"{server.url}/metrics", "--wait", "1s", *arguments]
    return CliRunner().invoke(command, words, env=environ)


def test_budgets_of_the_server_are_shown_by_its_name(tmp_path: Path) -> None:
    store(tmp_path, targets=("rack-a", "rack-b"))
    with Server(idle()) as server:
        done = status(server, "--state", str(tmp_path), "--name", "rack-b")
        data = json.loads(status(server, "--state", str(tmp_path), "--name", "rack-b", "--json").stdout)
    assert "Error budgets" in done.stdout
    assert "1 of 2 budgets is exhausted" in done.stdout
    assert [(row["model"], row["verdict"]) for row in data["budgets"]] == [
        ("ranker", "exhausted"),
        ("text_detector", "ok"),
    ]


def test_a_store_that_knows_other_servers_only_says_which(tmp_path: Path) -> None:
    store(tmp_path, targets=("rack-a", "rack-b"))
    with Server(idle()) as server:
        done = status(server, "--state", str(tmp_path))
    name = server.url.removeprefix("http://")
    assert "Error budgets" not in done.stdout
    assert f"{tmp_path} has no budgets of {name}, only of rack-a, rack-b: give the server's name" in done.stderr


def test_without_an_agent_on_the_machine_nothing_is_said_of_budgets(tmp_path: Path) -> None:
    with Server(idle()) as server:
        done = status(server, XDG_STATE_HOME=str(tmp_path), STATE_DIRECTORY="")
        data = json.loads(status(server, "--json", XDG_STATE_HOME=str(tmp_path), STATE_DIRECTORY="").stdout)
    assert "udget" not in done.stdout + done.stderr
    assert data["budgets"] == []


def test_a_state_directory_that_is_not_there_is_exit_code_3(tmp_path: Path) -> None:
    with Server(idle()) as server:
        done = status(server, "--state", str(tmp_path / "absent"))
    assert done.exit_code == 3
    assert str(tmp_path / "absent") in done.stderr
