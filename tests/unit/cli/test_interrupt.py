"""Ctrl-C before a command is up ends it in order, whatever it does at that moment."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BEGIN: Final = "import sys; from triton_watch.__main__ import main; print('begins', flush=True); main()"
"""What Python itself does before our first line is not ours to end in order."""
_TRIES: Final = 4
_PATIENCE: Final = 20.0


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def interrupted(folder: Path, after: float, *words: str) -> tuple[int, str]:
    """The exit code and standard error of a command that a terminal's Ctrl-C reaches so many seconds after it began."""
    with subprocess.Popen(
        [sys.executable, "-c", _BEGIN, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begins\n"
        time.sleep(after)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=_PATIENCE)
        return process.returncode, said


@pytest.mark.parametrize("seed", range(_TRIES))
def test_run_is_stopped_with_0_however_early(tmp_path: Path, silent: str, seed: int) -> None:
    after = random.Random(seed).uniform(0.0, 0.8)
    flags = ("--target", silent, "--listen", "127.0.0.1:0", "--state", "none")
    code, said = interrupted(tmp_path, after, "run", *flags)
    assert (code, "stopped" in said.splitlines()[-1]) == (0, True), (after, said)
    assert "Abort" not in said
    assert "Traceback" not in said


@pytest.mark.parametrize("seed", range(_TRIES))
def test_other_commands_end_with_130_and_say_nothing(tmp_path: Path, silent: str, seed: int) -> None:
    after = random.Random(seed).uniform(0.0, 0.8)
    words: tuple[str, ...] = ("status", "--wait", "60s", "--target", silent)
    if seed % 2:
        words = ("top", "--once", "--interval", "60s", "--target", silent)
    assert interrupted(tmp_path, after, *words) == (130, "\n"), after


@pytest.mark.parametrize(
    "fault",
    [
        # What numpy does with an interrupt while it is imported.
        "try:\n    raise KeyboardInterrupt\nexcept BaseException as error:\n    raise ImportError('no') from error",
        # What Python does with one in a callback of its own.
        "import os, signal, time, weakref\nclass One: pass\none = One()\n"
        "kept = weakref.ref(one, lambda _: signal.raise_signal(signal.SIGINT) or time.sleep(60))\ndel one\n",
    ],
)
def test_an_interrupt_that_imports_change_or_swallow_is_one_all_the_same(tmp_path: Path, fault: str) -> None:
    (tmp_path / "rich.py").write_text(fault)
    begin = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.argv[1:] = ['rules']; {_BEGIN}"
    done = subprocess.run([sys.executable, "-c", begin], capture_output=True, text=True, timeout=_PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (130, "\n")
