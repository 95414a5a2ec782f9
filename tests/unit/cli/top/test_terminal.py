"""`triton-watch top` in a terminal, before a real agent's API: what a person sees and presses."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from support.api import full_state, served
from support.misbehaving import Server, silent
from triton_watch.daemon.api.routes import api_routes
from triton_watch.daemon.app import App
from triton_watch.daemon.web import WebServer
from triton_watch.records import ModelKey, WebSettings
from unit.cli.top.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = tuple(ModelKey(name, "1") for name in ("ranker", "chat", "größe/模型", "\x1b[2J\x1b[1;1Hevil"))
COLOUR = re.compile(rb"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def agent() -> Iterator[str]:
    with served(full_state(NAMES, "gpu-7")) as api:
        yield api.removesuffix("/api/v1")


def is_put_back(terminal: Terminal) -> bool:
    """Whether the terminal is as it was: its settings, its first screen, and the cursor seen."""
    left = terminal.seen.rpartition(b"\x1b[?1049h")[2]
    return terminal.settings == terminal.before and b"\x1b[?1049l" in left and b"\x1b[?25h" in left


def test_it_shows_liars_first_hears_keys_follows_the_window_and_puts_the_terminal_back(agent: str) -> None:
    with Terminal("top", "--agent", agent) as one:
        one.shows("STANDING")
        rows = [line for line in one.screen if line.startswith(("wrong", "failing"))]
        assert [row.split()[0] for row in rows] == ["wrong", "wrong", "failing", "failing"]
        assert "answering wrongly" in one.screen[0]
        one.press(b"/chat")
        one.shows("Filter: chat_")
        assert any("1 of 4 shown" in line for line in one.screen)
        one.press(b"\r")
        one.shows("q quit")
        one.press(b"\r")
        one.shows("Error budgets")
        one.press(b"\x1b")
        one.shows("1 of 4 shown")
        one.press(b"\x1b")
        one.until(lambda: not any("1 of 4 shown" in line for line in one.screen))
        one.press(b"\x1b[H")
        one.until(lambda: any(line.startswith("größe") for line in one.screen[-4:]))
        for columns, lines in ((40, 12), (120, 30)):
            one.resize(columns, lines)
            one.signal(signal.SIGWINCH)
            one.until(lambda lines=lines: len(one.screen) == lines)  # type: ignore[misc]  # mypy knows no type of a default
            assert max(map(cell_len, one.screen)) <= columns
        one.press(b"q")
        assert one.ends() == 0
        assert is_put_back(one)
        assert b"\x1b[2J\x1b[1;1Hevil" not in one.seen


@pytest.mark.parametrize("how", [signal.SIGTERM, b"\x03"])
def test_however_it_ends_the_terminal_is_as_before(agent: str, how: signal.Signals | bytes) -> None:
    with Terminal("top", "--agent", agent) as one:
        one.shows("STANDING")
        assert one.settings != one.before
        if isinstance(how, bytes):
            one.press(how)
        else:
            one.signal(how)
        assert one.ends() == 0
        assert is_put_back(one)
        assert b"Traceback" not in one.seen


def test_it_can_be_stopped_and_goes_on_where_it_was(agent: str) -> None:
    with Terminal("top", "--agent", agent) as one:
        one.shows("STANDING")
        one.press(b"\x1a")
        one.until(lambda: b"<stopped>" in one.seen)
        assert is_put_back(one)
        one.seen = b""
        one.press(b"\n")
        one.shows("STANDING")
        assert one.settings != one.before
        one.press(b"q")
        assert one.ends() == 0
        assert is_put_back(one)


def test_an_agent_that_is_lost_is_told_of_on_the_last_screen_and_found_again() -> None:
    state = full_state(NAMES, "gpu-7")
    server = WebServer(WebSettings(port=0), App(api_routes(state)))
    server.start()
    port = int(server.url.rpartition(":")[2])
    with Terminal("top", "--agent", server.url, "--interval", "500ms") as one:
        one.shows("STANDING")
        server.close()
        one.shows("No answer for")
        assert any(line.startswith(("wrong", "failing", "unknown")) for line in one.screen)
        again = WebServer(WebSettings(port=port), App(api_routes(state)))
        again.start()
        one.until(lambda: not any("No answer for" in line for line in one.screen))
        one.press(b"q")
        assert one.ends() == 0
        again.close()


def test_keys_are_answered_at_once_while_the_agent_hangs() -> None:
    with Server(silent) as server, Terminal("top", "--agent", server.url) as one:
        one.shows("Asking the agent at")
        one.press(b"?")
        assert one.shows("Standings") < 1.0
        one.press(b"qq")
        assert one.ends() == 3
        assert is_put_back(one)


def test_where_nothing_listens_a_sentence_says_so_and_how_to_start_an_agent() -> None:
    with Terminal("top", "--agent", "http://127.0.0.1:1", columns=120) as one:
        one.shows("s: no agent answers at http://127.0.0.1:1, nothing listens there: start one with")
        one.press(b"q")
        assert one.ends() == 3


def test_keys_come_from_the_terminal_where_standard_input_is_a_pipe(agent: str) -> None:
    with Terminal("top", "--agent", agent, stdin=subprocess.DEVNULL) as one:
        one.shows("STANDING")
        one.press(b"q")
        assert one.ends() == 0
        assert is_put_back(one)


def test_without_colours_there_are_none(agent: str) -> None:
    with Terminal("top", "--agent", agent, NO_COLOR="1") as one:
        one.shows("STANDING")
        one.press(b"q")
        one.ends()
        codes = {code for found in COLOUR.findall(one.seen) for code in found[2:-1].split(b";")}
        assert codes <= {b"", b"0", b"1", b"2", b"7"}


def test_a_dumb_terminal_gets_one_look_without_a_control_code(agent: str) -> None:
    with Terminal("top", "--agent", agent, TERM="dumb") as one:
        assert one.ends() == 1
        assert b"\x1b" not in one.seen
        assert b"STANDING" in one.seen


def test_in_a_pipe_it_prints_once_without_a_control_code(agent: str) -> None:
    command = [sys.executable, "-m", "triton_watch", "top", "--agent", agent]
    env = {**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, env=env, check=False)
    assert done.returncode == 1
    assert done.stderr == b""
    assert b"\x1b" not in done.stdout
    assert b"STANDING" in done.stdout
    assert max(map(len, done.stdout.decode("ascii").splitlines())) <= 80
