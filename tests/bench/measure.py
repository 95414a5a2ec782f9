"""Starting the processes that are compared, and reading their CPU time and memory from /proc."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Exporter:
    """The stand-in Triton: its base URL and the size of a page in bytes."""

    url: str
    page_bytes: int

    def scrapes(self, client: str) -> int:
        with urllib.request.urlopen(f"{self.url}/counts") as answer:
            return int(json.load(answer).get(client, 0))


def cpu_seconds(pid: int) -> float:
    """Return user and system CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process in MB (10^6 bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise LookupError("no VmRSS")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(command: list[str], **options: object) -> Iterator[subprocess.Popen[str]]:
    """Run a process for as long as the block lasts; end it with SIGTERM."""
    running = subprocess.Popen(command, text=True, **options)  # type: ignore[call-overload]  # options pass through
    try:
        yield running
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(20)
        if running.stdout:
            running.stdout.close()


@contextmanager
def exporter(models: int, *, summaries: bool, pages: int) -> Iterator[Exporter]:
    command = [
        sys.executable,
        str(Path(__file__).with_name("exporter.py")),
        f"--models={models}",
        f"--pages={pages}",
    ]
    with process([*command, *(["--summaries"] if summaries else [])], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        port, size = running.stdout.readline().split()
        yield Exporter(f"http://127.0.0.1:{port}", int(size))


@contextmanager
def watcher(source: Exporter, interval: float) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `triton-watch run` on the exporter, without objectives; yield the process and its own URL.

    What it keeps of alerts is in a folder of its own: that of the user may be in use, or hold alerts of another run.
    """
    listen = f"127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "triton-watch.yaml"
        file.write_text(
            f"targets: [{{url: '{source.url}', metrics_url: '{source.url}/metrics/watcher', interval: {interval:g}s, "
            f"timeouts: {{total: {interval * 0.9:g}s}}}}]\n"
            f"web: {{listen: '{listen}'}}\n"
            f"slo: {{objectives: [], state_dir: '{folder}/state'}}\n"
        )
        command = [sys.executable, "-m", "triton_watch", "run", "--config", str(file)]
        with process(command, stderr=subprocess.DEVNULL) as running:
            yield running, f"http://{listen}"


@contextmanager
def prometheus(
    source: Exporter, interval: float, folder: Path, binary: str, *, rules: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run a Prometheus that scrapes the exporter and nothing else; it evaluates a file of rules, if given."""
    address = source.url.removeprefix("http://")
    config = folder / "prometheus.yml"
    config.write_text(
        f"global: {{scrape_interval: {interval * 1000:.0f}ms, scrape_timeout: {interval * 900:.0f}ms}}\n"
        "scrape_configs:\n"
        f"- {{job_name: triton, metrics_path: /metrics/prometheus, static_configs: [{{targets: ['{address}']}}]}}\n"
        + (f"rule_files: ['{rules}']\n" if rules is not None else "")
    )
    command = [
        binary,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{free_port()}",
        "--log.level=error",
    ]
    with process(command, stderr=subprocess.DEVNULL) as running:
        yield running
