"""The agent as a process of its own, started and watched by a test."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE = 30.0
"""Seconds that anything may take."""


class Agent:
    """A running `triton-watch run`; its state is in the folder unless they say where. LISTEN is its address."""

    def __init__(self, folder: Path, *arguments: str, code: str | None = None, start: bool = True) -> None:
        if "--state" not in arguments:
            arguments = (*arguments, "--state", str(folder / "state"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.listen = f"127.0.0.1:{probe.getsockname()[1]}"
        self.url = f"http://{self.listen}"
        self._log = folder / "agent.log"
        self._command = [sys.executable, *(("-c", code) if code else ("-m", "triton_watch", "run", *arguments))]
        if start:
            self.start()

    def start(self) -> None:
        """Start it; once more after it ended, too."""
        with self._log.open("a") as log:
            self.process = subprocess.Popen([part.replace("LISTEN", self.listen) for part in self._command], stderr=log)

    @property
    def log(self) -> str:
        return self._log.read_text()

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, timeout=10)

    def metric(self, series: str) -> float | None:
        """The value of a series by its name and labels as they stand on the page."""
        found = re.search(rf"^{re.escape(series)} (\S+)$", self.get("/metrics").text, re.MULTILINE)
        return float(found[1]) if found else None

    def wait(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                if condition():
                    return
            except requests.ConnectionError:
                assert self.process.poll() is None, self.log
            assert time.monotonic() < end, self.log
            time.sleep(0.1)

    def wait_ready(self) -> None:
        self.wait(lambda: self.get("/-/ready").status_code == 200)

    def end(self, number: int = signal.SIGTERM, within: float = PATIENCE) -> int:
        self.process.send_signal(number)
        return self.process.wait(within)
