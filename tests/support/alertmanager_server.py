"""A real Alertmanager of a test's own, and a receiver that writes down what it was notified of.

with Webhook() as hook, RealAlertmanager(binary, tmp_path, config=at_once(hook.url)) as server:
    ...server.url, server.stop(), server.start(), hook.told()...
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import requests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self

START_TIMEOUT = 60.0
_ADDRESS = re.compile(r'msg="Listening on" address=127\.0\.0\.1:(\d+)')
_DEBIANS_FOLDER = b"/usr/share/prometheus/alertmanager"
"""Debian's program reads its templates there; where the package is only unpacked, they are not there."""
_HERE = b"./" * (len(_DEBIANS_FOLDER) // 2)


def at_once(webhook: str, **more: Any) -> str:
    """A configuration that tells the webhook of each alert by itself, at once; `more` are further sections."""
    route = {
        "receiver": "hook",
        "group_by": ["..."],
        "group_wait": "0s",
        "group_interval": "1s",
        "repeat_interval": "12h",
    }
    receivers = [{"name": "hook", "webhook_configs": [{"url": webhook, "send_resolved": True}]}]
    return json.dumps({"route": route, "receivers": receivers, **more})


class RealAlertmanager:
    """Runs until `close()`, on a port of its own that it keeps. `config` is alertmanager.yml, `web_config` web.yml.

    `prefix` is the path below which it is served. `stop` and `start` make it go and come; its data stay.
    """

    def __init__(
        self,
        binary: Path,
        folder: Path,
        *,
        config: str,
        web_config: str = "",
        prefix: str = "",
        scheme: str = "http",
        arguments: Sequence[str] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "alertmanager.log"
        config_file, web_file = folder / "alertmanager.yml", folder / "web.yml"
        config_file.write_text(config)
        web_file.write_text(web_config or "{}\n")
        program, self._cwd = runnable(binary)
        options = [f"--config.file={config_file}", f"--web.config.file={web_file}", f"--storage.path={folder / 'data'}"]
        fixed = ["--cluster.listen-address=", f"--web.route-prefix={prefix or '/'}"]
        self._command = [str(program), *options, *fixed, *arguments]
        self._scheme, self._prefix = scheme, prefix
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Where it is told."""
        return f"{self._scheme}://localhost:{self.port}{self._prefix}"

    def start(self) -> None:
        """Start, on the same port as before."""
        with self._log.open("wb") as log:
            command = [*self._command, f"--web.listen-address=127.0.0.1:{self.port}"]
            self._process = subprocess.Popen(command, cwd=self._cwd, stdout=log, stderr=subprocess.STDOUT)
        self.port = self._listening(self._process)

    def stop(self) -> None:
        """End the process; what it knew of alerts is lost, of silences and notifications kept."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=START_TIMEOUT)
            self._process = None

    close = stop

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def alerts(self, **options: Any) -> list[dict[str, Any]]:
        """The alerts that it has and that fire, as its API says."""
        response = requests.get(f"{self.url}/api/v2/alerts", timeout=10, **options)
        response.raise_for_status()
        found: list[dict[str, Any]] = response.json()
        return found

    def silence(self, matchers: Mapping[str, str]) -> str:
        """Silence alerts with these labels for an hour; the id of the silence."""
        listed = [{"name": name, "value": value, "isRegex": False} for name, value in matchers.items()]
        times = {"startsAt": _utc(time.time()), "endsAt": _utc(time.time() + 3600)}
        body = {"matchers": listed, "createdBy": "test", "comment": "test", **times}
        response = requests.post(f"{self.url}/api/v2/silences", json=body, timeout=10)
        response.raise_for_status()
        return str(response.json()["silenceID"])

    def _listening(self, process: subprocess.Popen[bytes]) -> int:
        until = time.monotonic() + START_TIMEOUT
        while time.monotonic() < until and process.poll() is None:
            found = _ADDRESS.search(self._log.read_text(errors="replace"))
            if found:
                return int(found[1])
            time.sleep(0.02)
        process.kill()
        process.wait()
        raise AssertionError(f"Alertmanager did not start:\n{self._log.read_text(errors='replace')[-3000:]}")


class Told(NamedTuple):
    """One alert of one notification. `at` is when it came, Unix seconds; `status` is firing or resolved."""

    at: float
    status: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class Webhook:
    """A receiver of notifications on a free port, until `close()`."""

    def __init__(self) -> None:
        told: list[Told] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                at = time.time()
                told.extend(Told(at, one["status"], one["labels"], one["annotations"]) for one in body["alerts"])
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._told = told
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def told(self) -> list[Told]:
        """What came so far, the oldest first."""
        return list(self._told)

    def close(self) -> None:
        """Stop, and free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def runnable(binary: Path) -> tuple[Path, Path]:
    """A program that starts wherever the package was unpacked, and the folder to start it in.

    The path of Debian's templates is compiled in. A copy in which it is as long a relative one finds them from the
    folder where they lie.
    """
    templates = binary.resolve().parents[1] / "share/prometheus/alertmanager"
    if Path(_DEBIANS_FOLDER.decode()).is_dir() or not templates.is_dir():
        return binary, Path.cwd()
    copy = binary.with_name(f"{binary.name}-{binary.stat().st_mtime_ns:x}")
    if not copy.exists():
        fresh = copy.with_name(f"{copy.name}.{time.monotonic_ns()}")
        fresh.write_bytes(binary.read_bytes().replace(_DEBIANS_FOLDER, _HERE))
        fresh.chmod(0o755)
        fresh.rename(copy)
    return copy, templates


def _utc(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
