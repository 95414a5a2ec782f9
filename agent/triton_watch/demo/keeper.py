"""Keeps one tritonserver: starts it, waits, ends it and cleans up after it, even when its parent was killed.

Run as a program of its own (`python -I -S keeper.py`), with nothing but the standard library. The first
line of stdin is the order, as JSON; the end of stdin is the order to stop. Stdout gets two JSON lines: the
server's process id, or why it did not start; and at the end its exit status and the end of its log.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
ORPHAN_SECONDS = 2.0
"""How long stub processes may take to end after SIGKILL."""
POLL_SECONDS = 0.1
TAIL_BYTES = 20_000
"""Small enough for the pipe to hold them until somebody reads."""
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - this is where Triton's Python backend puts its regions


def start_server(order: dict[str, Any]) -> subprocess.Popen[bytes]:
    """Start the server in a session of its own, so that neither Ctrl-C nor a job's end reaches it first."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    keeper = os.getpid()

    def follow_keeper() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != keeper:
            os._exit(1)

    with Path(order["log"]).open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - the command is ours
            order["command"],
            env=order["env"],
            cwd=order["folder"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=follow_keeper,  # noqa: PLW1509 - this process has one thread
        )


def has_ended(server: subprocess.Popen[bytes]) -> bool:
    """Whether the server has ended; it stays a zombie, so that its process group cannot be another's yet."""
    return os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def told_to_stop(parent: int) -> bool:
    """Whether stdin has ended, or the parent is gone. Takes `POLL_SECONDS` when neither is."""
    readable, _, _ = select.select([0], [], [], POLL_SECONDS)
    return (bool(readable) and not os.read(0, 4096)) or os.getppid() != parent


def end_server(server: subprocess.Popen[bytes], grace: float) -> None:
    """SIGTERM, up to `grace` seconds for an orderly end, then SIGKILL.

    Not by methods of Popen: they would reap a server that has just died, and `has_ended` could not see it.
    """
    os.kill(server.pid, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while not has_ended(server) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    if not has_ended(server):
        os.kill(server.pid, signal.SIGKILL)


def clean_up(server: subprocess.Popen[bytes], order: dict[str, Any]) -> None:
    """End stub processes that outlived the server, report its end, remove its shared memory and folder."""
    os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)
    os.killpg(server.pid, signal.SIGKILL)
    status = server.wait()
    reap_orphans()
    for region in SHARED_MEMORY.glob(order["shm_prefix"] + "*"):
        region.unlink(missing_ok=True)
    with contextlib.suppress(BrokenPipeError):
        tell({"status": status, "tail": tail_of(Path(order["log"]))})
    shutil.rmtree(order["folder"], ignore_errors=True)


def reap_orphans() -> None:
    """Take leave of the server's own children, which are ours since it has ended: no zombie stays."""
    deadline = time.monotonic() + ORPHAN_SECONDS
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < deadline:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(POLL_SECONDS / 10)


def tail_of(log: Path) -> str:
    """The last lines of the log, at most `TAIL_BYTES`."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        return file.read().decode("utf-8", "replace")


def tell(message: dict[str, Any]) -> None:
    """One line for the parent."""
    os.write(1, json.dumps(message).encode() + b"\n")


def main() -> None:
    """Keep the server of the order on stdin until one of the two has to end."""
    parent = os.getppid()
    stop: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _: stop.append(received))
    order = json.loads(_read_line())
    try:
        server = start_server(order)
    except OSError as error:
        shutil.rmtree(order["folder"], ignore_errors=True)
        tell({"error": str(error)})
        return
    tell({"pid": server.pid})
    while not has_ended(server):
        if told_to_stop(parent) or stop:
            end_server(server, order["grace"])
    clean_up(server, order)


def _read_line() -> bytes:
    """The first line of stdin, read without a buffer that could swallow more."""
    line = bytearray()
    while not line.endswith(b"\n"):
        piece = os.read(0, 1)
        if not piece:
            break
        line += piece
    return bytes(line)


if __name__ == "__main__":
    main()
