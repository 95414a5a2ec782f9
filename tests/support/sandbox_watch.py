"""Triton, an agent that watches it and the Alertmanager that it tells, each in a pod: for cuts between them."""

from __future__ import annotations

import json
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import requests
from prometheus_client.parser import text_string_to_metric_families

from support import sandbox_images
from support.canary_models import Switch, copied
from support.sandbox import Sandbox
from support.sandbox_root import Container, Mount

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typing_extensions import Self

    from support.sandbox import Program
    from support.sandbox_images import Image

AGENT, TRITON, ALERTMANAGER = "triton-watch", "triton", "alertmanager"
HTTP, GRPC, METRICS = 8000, 8001, 8002
MODEL: Final = "switch"
POLL: Final = 1.0
"""Seconds between two polls of the agent."""
CONFIGURATION: Final[dict[str, Any]] = {
    "targets": [
        {
            "name": "triton",
            "url": f"http://triton:{HTTP}",
            "interval": f"{POLL:g}s",
            "timeouts": {"connect": "300ms", "read": "400ms", "total": "800ms"},
        }
    ],
    "web": {"listen": "0.0.0.0:8003"},
    "canary": {"interval": "2s", "timeout": "1s"},
    "slo": {"state_dir": "/var/lib/triton-watch", "objectives": []},
    "alerts": {
        "alertmanagers": [{"url": "http://alertmanager:9093"}],
        "resend_interval": "2s",
        "overrides": [{"alerts": "*", "for": "0s", "keep_firing_for": "2s"}],
    },
}
NOBODY: Final = {"route": {"receiver": "nobody", "group_wait": "0s"}, "receivers": [{"name": "nobody"}]}
PATIENCE: Final = 60.0


class Watch:
    """The three, from `with` to its end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self.programs: dict[str, Program] = {}

    def __enter__(self) -> Self:
        folder = self._folder
        self._models = copied(folder / "models", MODEL)
        self.mood = Switch(self._models)
        for name, text in (
            ("agent/triton-watch.yaml", json.dumps(CONFIGURATION)),
            ("manager/alertmanager.yml", json.dumps(NOBODY)),
        ):
            (folder / name).parent.mkdir()
            (folder / name).write_text(text)
        for name in ("state", "data"):
            (folder / name).mkdir()
        with ExitStack() as stack:
            self.sandbox = stack.enter_context(Sandbox(folder / "sandbox"))
            for pod in (TRITON, AGENT, ALERTMANAGER):
                self.sandbox.pod(pod)
            self.start_triton(TRITON)
            manager = sandbox_images.alertmanager(folder)
            places = (Mount(folder / "manager", "/etc/alertmanager"), Mount(folder / "data", "/alertmanager", False))
            self._start(ALERTMANAGER, manager, *places, command=(*manager.command, "--cluster.listen-address="))
            places = (
                Mount(folder / "agent", "/etc/triton-watch"),
                Mount(folder / "state", "/var/lib/triton-watch", False),
            )
            self._start(AGENT, sandbox_images.triton_watch(folder), *places)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start_triton(self, pod: str) -> None:
        """Start a server with the model in a pod."""
        command = ("tritonserver", "--model-repository=/models", "--metrics-interval-ms=500")
        image = sandbox_images.tritonserver(self._folder / f"{pod}-image")
        self._start(pod, image, Mount(self._models, "/models"), command=command)

    def get(self, path: str) -> requests.Response:
        """A page of the agent, asked from outside: no cut is on this way."""
        return requests.get(self.sandbox.url(AGENT, 8003) + path, timeout=10)

    def values(self, name: str, **labels: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series of this name with these labels on the agent's metrics page."""
        return [
            (sample.labels, sample.value)
            for family in text_string_to_metric_families(self.get("/metrics").text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]

    def is_up(self) -> bool:
        return self.values("triton_watch_target_up") == [({"target": "triton"}, 1.0)]

    def outcomes(self) -> dict[str, str]:
        """How each probe ended last."""
        return {
            labels["probe"]: labels["outcome"] for labels, value in self.values("triton_watch_probe_outcome") if value
        }

    def firing(self) -> set[str]:
        """Names of the alerts that fire in the agent."""
        found = self.get("/api/v1/alerts").json()["alerts"]
        return {one["name"] for one in found if one["phase"] == "firing"}

    def told(self) -> set[str]:
        """Names of the alerts that fire in Alertmanager; no dead man's switch."""
        found = requests.get(f"{self.sandbox.url(ALERTMANAGER, 9093)}/api/v2/alerts", timeout=10).json()
        return {one["labels"]["alertname"] for one in found} - {"TritonWatchdog"}

    def passes(self) -> bool:
        """Whether the last canary passed."""
        return [value for _, value in self.values("triton_watch_canary_success", model=MODEL)] == [1.0]

    def is_well(self) -> bool:
        """The verdict is good, canaries pass, and nothing fires in the agent or in Alertmanager."""
        return (
            self.get("/-/serving").status_code == 200
            and self.passes()
            and not (self.firing() - {"TritonWatchdog"})
            and not self.told()
        )

    def until(self, condition: Callable[[], Any], what: str, within: float = PATIENCE) -> float:
        """Seconds until the condition holds."""
        begin = time.monotonic()
        while True:
            try:
                if condition():
                    return time.monotonic() - begin
            except (requests.ConnectionError, requests.Timeout):
                pass  # not up yet
            assert time.monotonic() - begin < within, f"{what} did not come within {within:.0f} s\n{self.log()}"
            time.sleep(0.05)

    def log(self) -> str:
        return "\n".join(f"== {name}\n{one.log.read_text()[-3000:]}" for name, one in self.programs.items())

    def _start(self, pod: str, image: Image, *mounts: Mount, command: tuple[str, ...] = ()) -> None:
        one = Container(
            command=(*image.entry, *(command or image.command)),
            environment={"PATH": sandbox_images.USUAL_PATH, **image.environment},
            pieces=image.pieces,
            mounts=mounts,
            tmpfs=("/tmp",),  # noqa: S108 - of the container
            user=image.user,
            workdir=image.workdir,
        )
        self.programs[pod] = self.sandbox.start(pod, one)


class Stopwatch:
    """Asks the agent for pages all the time, from `with` to its end, and keeps the longest wait."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.waits: list[float] = []
        self.bad: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._stop.wait(0.1):
            for path in ("/-/healthy", "/-/ready", "/metrics"):
                begin = time.monotonic()
                try:
                    status = self._watch.get(path).status_code
                except requests.RequestException as error:
                    status = 0
                    self.bad.append(f"{path}: {error}")
                self.waits.append(time.monotonic() - begin)
                if status not in (0, 200):
                    self.bad.append(f"{path}: {status}")
