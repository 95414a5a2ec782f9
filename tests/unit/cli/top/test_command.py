"""The flags of `triton-watch top`, what it prints once, and its exit codes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from support.api import full_state, served
from support.fake_triton import FakeTriton
from support.misbehaving import Server
from triton_watch.cli import cli
from triton_watch.cli.top.command import _SORTS
from triton_watch.cli.top.once import exit_code
from triton_watch.cli.top.sources import Seen
from triton_watch.cli.top.view import Sort
from triton_watch.daemon.facts.standing import Standing
from unit.cli.top.looks import seen_of

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


def call(*words: str, **env: str) -> Result:
    done = CliRunner().invoke(cli, ["top", *words], env={"COLUMNS": "80", **env})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def test_an_agent_is_printed_once_and_the_code_says_that_something_is_wrong() -> None:
    with served(full_state()) as api:
        agent = api.removesuffix("/api/v1")
        done = call("--agent", agent)
        assert done.exit_code == 1
        assert "STANDING" in done.stdout
        assert done.stdout == call("--agent", agent, "--once").stdout
        few = call("--agent", agent, "--lines", "1", "--filter", "RANKER", "--standing", "wrong,failing")
        assert [line.split()[0] for line in few.stdout.splitlines() if line.startswith(("wrong", "failing"))] == [
            "wrong"
        ]


def test_a_server_is_polled_twice_and_printed() -> None:
    with Server(FakeTriton()) as server:
        flags = ("--metrics-url", f"{server.url}/metrics", "--interval", "500ms")
        done = call("--once", "--target", server.url, *flags)
    assert "matmul:1" in done.stdout
    assert "LATENCY" in done.stdout or "P99" in done.stdout


def test_a_server_that_does_not_answer_is_exit_code_3_and_says_why() -> None:
    done = call("--once", "--target", "http://127.0.0.1:1", "--interval", "500ms")
    assert done.exit_code == 3
    assert "refused the connection" in " ".join(done.stdout.split())


def test_where_no_agent_is_it_is_said_how_to_start_one() -> None:
    done = call("--agent", "http://127.0.0.1:1")
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr == (
        "triton-watch: no agent answers at http://127.0.0.1:1, nothing listens there: start one with "
        "`triton-watch run --target URL`, or say with --agent URL where it is.\n"
    )


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--agent", "http://a", "--config", "w.yaml"), "--agent and --config both say where the agent is"),
        (
            ("--agent", "http://a", "--target", "http://b"),
            "--target polls servers without an agent: leave out",
        ),
        (("--grpc", "b:8001", "--canary"), "--grpc, --canary goes with --target: an agent has it in its configuration"),
        (("--interval", "soon"), "--interval: "),
        (("--interval", "1ms"), "--interval: give 500ms to 10m."),
        (("--standing", "wrong,bad"), "there is no standing 'bad'; there are: wrong, failing, burning,"),
        (("--agent-user", "reader"), "give --agent-password-file, or set TRITON_WATCH_AGENT_PASSWORD."),
        (("--agent-password-file", "x"), "--agent-password-file goes with --agent-user: give both."),
        (("--agent-user", "a", "--agent-password-file", "/no/such"), "/no/such could not be read: No such file"),
        (
            ("--agent", "http://a", "--agent-ca", "ca.pem"),
            "--agent-ca is for an agent with https, and this is http://a",
        ),
    ],
)
def test_flags_that_make_no_sense_are_usage_errors_in_a_sentence(words: tuple[str, ...], text: str) -> None:
    done = call(*words)
    assert done.exit_code == 2
    assert text in " ".join(done.stderr.split())


def test_a_password_comes_from_a_file_or_from_the_environment(tmp_path: Path) -> None:
    """An agent without passwords takes any."""
    file = tmp_path / "password"
    file.write_text("secret\n")
    with served(full_state()) as api:
        agent = ("--agent", api.removesuffix("/api/v1"), "--agent-user", "reader")
        assert call(*agent, "--agent-password-file", str(file)).exit_code == 1
        assert call(*agent, TRITON_WATCH_AGENT_PASSWORD="secret").exit_code == 1


def test_the_flags_know_every_order() -> None:
    assert list(_SORTS) == [one.value for one in Sort]


@pytest.mark.parametrize(
    ("standing", "code"), [(Standing.WRONG, 1), (Standing.FAILING, 1), (Standing.BURNING, 0), (Standing.OK, 0)]
)
def test_the_exit_code_is_that_of_the_worst(standing: Standing, code: int) -> None:
    seen = seen_of()
    assert exit_code(Seen(replace(seen.status, standing=standing), seen.models, is_heard=True)) == code
    assert exit_code(Seen(replace(seen.status, standing=standing), seen.models, is_heard=False)) == 3


def test_that_no_server_is_watched_is_not_well() -> None:
    seen = seen_of()
    nobody = replace(seen.status, standing=Standing.UNKNOWN, targets=())
    assert exit_code(Seen(nobody, (), is_heard=True)) == 1
