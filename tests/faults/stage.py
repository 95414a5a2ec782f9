"""What the faults are made on: a real Triton under load, its metrics page behind a switch, and the models by role."""

from __future__ import annotations

import http.server
import shutil
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import requests

from support.canary_models import REPOSITORY, Switch
from triton_watch.demo import EmbeddedTriton

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROLES = ("lies", "fails", "raises", "hangs", "slows", "dies", "leaves", "floods", "unbatched", "drifts", "healthy")
"""Each is the model `switch` under a name of its own: Y = 2 * X + 1, or what its mood says."""
BROKEN = "broken"
X = {"name": "X", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}
_PATIENCE = 5.0
_PAUSE = 0.2
"""Seconds between two requests of the steady client of a model."""


class PageSwitch:
    """Serves the server's own metrics page, or 503 while it is off."""

    def __init__(self, page: str) -> None:
        switch = self
        self.is_on = True

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                status, body = switch.answer(page)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/metrics"

    def answer(self, page: str) -> tuple[int, bytes]:
        if not self.is_on:
            return 503, b"off\n"
        try:
            found = requests.get(page, timeout=_PATIENCE)
        except requests.RequestException:
            return 502, b"down\n"
        return found.status_code, found.content

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Clients:
    """Steady clients, one a model, and crowds that come and go. What they are told is not judged here."""

    def __init__(self, url: str, models: tuple[str, ...]) -> None:
        self._url = url
        self._stop = threading.Event()
        self._crowds: dict[str, threading.Event] = {}
        for model in models:
            self._begin(model, self._stop, _PAUSE)

    def crowd(self, model: str, size: int) -> None:
        """So many clients more, each of which asks again as soon as it has an answer."""
        event = self._crowds[model] = threading.Event()
        for _ in range(size):
            self._begin(model, event, 0.0)

    def disperse(self, model: str) -> None:
        self._crowds.pop(model).set()

    def close(self) -> None:
        for event in (self._stop, *self._crowds.values()):
            event.set()

    def _begin(self, model: str, until: threading.Event, pause: float) -> None:
        threading.Thread(target=self._ask, args=(model, until, pause), daemon=True).start()

    def _ask(self, model: str, until: threading.Event, pause: float) -> None:
        session = requests.Session()
        while not until.wait(pause):
            if not _answers(session, f"{self._url}/v2/models/{model}/infer"):
                until.wait(0.5)


def _answers(session: requests.Session, url: str) -> bool:
    try:
        session.post(url, json={"inputs": [X]}, timeout=60)
    except requests.RequestException:
        return False
    return True


class Stage:
    """The server with its models; `page` switches its metrics."""

    def __init__(self, triton: EmbeddedTriton, page: PageSwitch, clients: Clients) -> None:
        self.triton = triton
        self.repository = triton.repository
        self.page = page
        self.clients = clients

    def mood(self, model: str, mood: str) -> None:
        """Let a model answer in this mood from now on; an empty one is good."""
        Switch(self.repository, model).to(mood)

    def repository_api(self, verb: str, model: str) -> int:
        """The status of load or unload."""
        url = f"{self.triton.http_url}/v2/repository/models/{model}/{verb}"
        return requests.post(url, timeout=60).status_code

    def edit(self, model: str, old: str, new: str) -> None:
        """Change the configuration on disk."""
        path = self.repository / model / "config.pbtxt"
        text = path.read_text()
        assert old in text, (model, old)
        path.write_text(text.replace(old, new))

    def configuration(self, listen: str, alertmanagers: tuple[str, ...], settings: dict[str, Any]) -> dict[str, Any]:
        """The agent's; `settings` go over it, section by section."""
        target = {
            "name": "stage",
            "url": self.triton.http_url,
            "grpc": self.triton.grpc_address,
            "metrics_url": self.page.url,
            "model_repository": str(self.repository),
            "expected_models": ["leaves"],
        }
        objectives = [
            {"name": "availability", "sli": "availability", "objective": "99%", "period": "1d"},
            {"name": "latency", "sli": "request_time", "threshold": "200ms", "objective": "99%", "period": "1d"},
        ]
        base: dict[str, Any] = {
            "targets": [target],
            "web": {"listen": listen},
            "check": {"select": ["TW7", "TW8"]},
            "canary": {"exclude_models": ["floods", "unbatched", "slows"]},
            "slo": {"objectives": objectives},
            "alerts": {"alertmanagers": [{"url": url} for url in alertmanagers]},
        }
        for name, section in settings.items():
            base[name] = {**base.get(name, {}), **section}
        return base


@contextmanager
def staged(folder: Path, roles: tuple[str, ...] = ROLES) -> Iterator[Stage]:
    """A stage whose models are all well."""
    models = folder / "models"
    for role in roles:
        _copy_switch(models, role)
    if "unbatched" in roles:
        _rewrite(models / "unbatched" / "config.pbtxt", "dynamic_batching { }", "")
    _copy_switch(models, BROKEN)
    flags = ("--model-control-mode=explicit", "--exit-timeout-secs=5", *(f"--load-model={role}" for role in roles))
    with EmbeddedTriton(models, workdir=folder, extra_args=flags) as triton:
        page, clients = PageSwitch(triton.metrics_url), Clients(triton.http_url, roles)
        try:
            yield Stage(triton, page, clients)
        finally:
            clients.close()
            page.close()


def _copy_switch(models: Path, role: str) -> None:
    shutil.copytree(REPOSITORY / "switch", models / role)
    _rewrite(models / role / "config.pbtxt", 'name: "switch"', f'name: "{role}"')


def _rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, path
    path.write_text(text.replace(old, new))


def wait(condition: Any, within: float, what: str) -> float:
    """Seconds until the condition holds. Raises `AssertionError`."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < within, f"{what} did not come within {within:.0f} s"
        time.sleep(0.05)
    return time.monotonic() - begin
