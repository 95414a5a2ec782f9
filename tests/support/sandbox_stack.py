"""deploy/compose/compose.yaml, started without containers: each service that something stands in for, in a pod."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import requests

from support.sandbox import Sandbox
from support.sandbox_compose import read, variables_of
from support.sandbox_images import LEFT_OUT, container
from support.sandbox_root import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typing_extensions import Self

    from support.sandbox import Program
    from support.sandbox_compose import Service

COMPOSE: Final = CHECKOUT / "deploy" / "compose" / "compose.yaml"
DOTENV: Final = COMPOSE.with_name(".env.example")
POLL: Final = 0.25


class Timeline:
    """What happened when, told as it happens and kept."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self.lines: list[str] = []

    def tell(self, text: str) -> float:
        """Say it, with the time; seconds since the beginning."""
        at = time.monotonic() - self._begin
        self.lines.append(f"{int(at) // 60:02}:{int(at) % 60:02}  {text}")
        print(self.lines[-1], flush=True)  # noqa: T201 - pytest -s and scripts show it
        return at


class Stack:
    """The services, until the end of `with`. They start in the order of the file, all at once, as Compose does."""

    def __init__(self, folder: Path, models: Path) -> None:
        variables = {**variables_of(DOTENV), "GRAFANA_ADMIN_PASSWORD": "a", "MODEL_REPOSITORY": str(models)}
        services = read(COMPOSE, variables, folder / "volumes")
        found = {name: container(service, folder / name) for name, service in services.items()}
        self.containers = {name: one for name, one in found.items() if one is not None}
        self.services: dict[str, Service] = {name: services[name] for name in self.containers}
        self.left_out = {
            name: LEFT_OUT[services[name].image.rpartition(":")[0]] for name in set(found) - set(self.services)
        }
        self.programs: dict[str, Program] = {}
        self._folder = folder
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.sandbox = stack.enter_context(Sandbox(self._folder / "sandbox"))
            for name, service in self.services.items():
                if service.network == name:
                    self.sandbox.pod(name)
            for name, one in self.containers.items():
                self.programs[name] = self.sandbox.start(self.services[name].network, one, name)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def stop(self) -> dict[str, int]:
        """End all with SIGTERM: how each ended."""
        return {name: program.stop() for name, program in self.programs.items()}

    def get(self, name: str, path: str, port: int = 0, **parameters: str) -> requests.Response:
        """A page of a service, on its first published port unless another is said."""
        service = self.services[name]
        url = self.sandbox.url(service.network, port or service.ports[0][2])
        return requests.get(url + path, params=parameters, timeout=10)

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series that Prometheus finds now."""
        data = self.get("prometheus", "/api/v1/query", query=expression).json()["data"]["result"]
        return [(one["metric"], float(one["value"][1])) for one in data]

    def alerts(self) -> list[dict[str, Any]]:
        """What Alertmanager has, suppressed or not."""
        found: list[dict[str, Any]] = self.get("alertmanager", "/api/v2/alerts").json()
        return found

    def until(self, condition: Callable[[], Any], within: float, what: str) -> Any:
        """What the condition finds, once it finds something. Raises `AssertionError` with all logs."""
        end = time.monotonic() + within
        while True:
            try:
                if found := condition():
                    return found
            except (requests.ConnectionError, requests.Timeout):
                pass  # not up yet, or under load
            assert time.monotonic() < end, f"{what} did not come within {within:.0f} s\n{self._logs()}"
            time.sleep(POLL)

    def _logs(self) -> str:
        return "\n".join(f"== {name}\n{one.log.read_text()[-2000:]}" for name, one in self.programs.items())
