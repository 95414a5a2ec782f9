"""A real Prometheus of a test's own, over a history that is written by hand or scraped live.

blocks = write_blocks(promtool, [Series("up", {"job": "x"}, [(1_760_000_000, 1.0)])], tmp_path / "data")
with RealPrometheus(prometheus_bin, blocks, tmp_path) as server:
    ...server.url...
"""

from __future__ import annotations

import re
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Self

START_TIMEOUT = 60.0
_ADDRESS = re.compile(r'msg="Listening on" address=127\.0\.0\.1:(\d+)')


class Series(NamedTuple):
    """One series: points are (Unix seconds, value), ascending. A counter's name ends in `_total`."""

    name: str
    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]

    def lines(self) -> Iterable[str]:
        """OpenMetrics lines."""
        labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in self.labels.items())
        head = f"{self.name}{{{labels}}}"
        return (f"{head} {value!r} {at}" for at, value in self.points)


def write_blocks(promtool: Path, series: Sequence[Series], folder: Path) -> Path:
    """Make a Prometheus data folder that holds these series, some 40 ms for each two hours of history."""
    folder.mkdir(parents=True)
    page = folder.parent / f"{folder.name}.om"
    with page.open("w", encoding="utf-8") as file:
        for name in sorted({one.name for one in series}):
            kind = "counter" if name.endswith("_total") else "gauge"
            file.write(f"# TYPE {name.removesuffix('_total')} {kind}\n")
            for one in series:
                if one.name == name:
                    file.writelines(f"{line}\n" for line in one.lines())
        file.write("# EOF\n")
    command = [str(promtool), "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(page), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    page.unlink()
    return folder


class RealPrometheus:
    """Runs until `close()`. `config` is prometheus.yml; `web_config` its web configuration file, with TLS or not."""

    def __init__(
        self,
        binary: Path,
        data: Path,
        workdir: Path,
        *,
        config: str = "",
        web_config: str = "",
        arguments: Sequence[str] = (),
        scheme: str = "http",
        prefix: str = "",
    ) -> None:
        workdir.mkdir(parents=True, exist_ok=True)
        self._log = workdir / "prometheus.log"
        config_file, web_file = workdir / "prometheus.yml", workdir / "web.yml"
        config_file.write_text(config or "global: {scrape_interval: 1m}\n")
        web_file.write_text(web_config or "{}\n")
        options = [f"--config.file={config_file}", f"--web.config.file={web_file}", f"--storage.tsdb.path={data}"]
        fixed = ["--web.listen-address=127.0.0.1:0", "--storage.tsdb.retention.time=10y"]
        with self._log.open("wb") as log:
            command = [str(binary), *options, *fixed, *arguments]
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        self.url = f"{scheme}://localhost:{self._port()}{prefix}"

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait(timeout=START_TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _port(self) -> int:
        """The port, once everything is loaded."""
        until = time.monotonic() + START_TIMEOUT
        while time.monotonic() < until and self._process.poll() is None:
            text = self._log.read_text(errors="replace")
            found = _ADDRESS.search(text)
            if found and "Server is ready to receive web requests" in text:
                return int(found[1])
            time.sleep(0.02)
        self._process.kill()
        raise AssertionError(f"Prometheus did not start:\n{self._log.read_text(errors='replace')[-3000:]}")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
