"""Asks a live server what `triton-watch check` judges. The check itself never opens a connection."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from triton_watch.check.live import EndpointProblem, LiveServer, MetricsFacts, config_of, metrics_of
from triton_watch.records import ModelStatus
from triton_watch.triton.answers import json_of, refusal
from triton_watch.triton.client import TritonClient
from triton_watch.triton.errors import EmptyError, RestrictedError, TritonError
from triton_watch.triton.http import HttpFetcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from triton_watch.check.pbtxt.messages import ModelConfig
    from triton_watch.records import ModelState, Target

T = TypeVar("T")

MOST_CONFIGS = 5_000
MOST_PROBLEMS = 20
_CONFIG_BYTES = 16_000_000


def collect(target: Target, progress: Callable[[int, int], None] | None = None) -> LiveServer:
    """Ask one server everything. `progress(done, total)` counts the models' configurations.

    Raises `TritonError` when nothing there answers as Triton does: a server that only restricts is one.
    """
    fetcher = HttpFetcher(target)
    try:
        return _Questions(target, fetcher).ask(progress)
    finally:
        fetcher.close()


class _Questions:
    """One round of questions, and what was not answered."""

    def __init__(self, target: Target, fetcher: HttpFetcher) -> None:
        self._target = target
        self._fetcher = fetcher
        self._client = TritonClient(target, fetcher)
        self._problems: list[EndpointProblem] = []
        self._errors: list[TritonError] = []
        self._heard = False

    def ask(self, progress: Callable[[int, int], None] | None) -> LiveServer:
        server = self._try("GET /v2", self._client.server_metadata)
        if not self._heard and self._errors:
            # The port may be another program's, or the metrics port, which says 200 to any path.
            raise self._errors[0]
        live = self._try("GET /v2/health/live", self._client.live)
        ready = self._try("GET /v2/health/ready", self._client.ready)
        index = self._try("POST /v2/repository/index", self._client.repository_index)
        return LiveServer(
            url=self._target.http_url,
            name="" if server is None else server.name,
            version="" if server is None else server.version,
            extensions=() if server is None else server.extensions,
            live=live,
            ready=ready,
            index=index,
            configs=self._configs(index or (), progress),
            metrics=self._metrics(),
            problems=tuple(self._problems),
        )

    def _configs(
        self, index: tuple[ModelState, ...], progress: Callable[[int, int], None] | None
    ) -> dict[str, ModelConfig]:
        names = list(dict.fromkeys(state.key.name for state in index if state.status is ModelStatus.READY))
        found = {}
        for number, name in enumerate(names[:MOST_CONFIGS], 1):
            answer = self._try(f"GET /v2/models/{name}/config", partial(self._config, name))
            if answer is not None:
                found[name] = answer
            if progress is not None:
                progress(number, len(names))
            if len(self._problems) >= MOST_PROBLEMS or (self._problems and self._problems[-1].restricted):
                break
        return found

    def _config(self, name: str) -> ModelConfig | None:
        url = f"{self._target.http_url}/v2/models/{quote(name, safe='')}/config"
        response = self._fetcher.fetch("GET", url, limit=_CONFIG_BYTES)
        if response.status != 200:
            raise refusal(response, url)
        return config_of(json_of(response, url))

    def _metrics(self) -> MetricsFacts:
        try:
            return metrics_of(self._client.metrics())
        except EmptyError:
            return MetricsFacts(empty=True)
        except TritonError as error:
            return MetricsFacts(problem=str(error))

    def _try(self, endpoint: str, question: Callable[[], T]) -> T | None:
        try:
            answer = question()
        except RestrictedError as error:
            self._heard = True
            self._note(EndpointProblem(endpoint, str(error), restricted=True), error)
            return None
        except TritonError as error:
            self._note(EndpointProblem(endpoint, str(error)), error)
            return None
        self._heard = True
        return answer

    def _note(self, problem: EndpointProblem, error: TritonError) -> None:
        self._problems.append(problem)
        self._errors.append(error)
