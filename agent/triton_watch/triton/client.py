"""One Triton server's HTTP API: the questions that a watcher asks, each answered with a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from triton_watch.triton import index, metadata, modelconfig, statistics
from triton_watch.triton.answers import error_text, is_html, json_of, not_triton, refusal
from triton_watch.triton.errors import EmptyError
from triton_watch.triton.http import HttpFetcher, Response

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from triton_watch.records import ModelConfig, ModelState, ServerInfo, Target

_NO_PAGE = "it does not know this path; is it Triton's metrics page, usually on port 8002 at /metrics?"
_JSON_LIMIT = 16_000_000
"""Bytes of one model's configuration or metadata: far above any that is meant."""


class TritonClient:
    """Asks one target. Every method may raise a TritonError; its `deadline` is in monotonic seconds.

    A `fetcher` that was handed in is closed by whoever made it. One request runs at a time.
    """

    def __init__(self, target: Target, fetcher: HttpFetcher | None = None) -> None:
        self._root = f"{target.http_url}/v2"
        self._metrics_url = target.metrics_url
        self._limit = target.body_limit
        self._fetcher = fetcher or HttpFetcher(target)
        self._owns_fetcher = fetcher is None
        self._index_body = b""
        self._index: tuple[ModelState, ...] = ()

    def live(self, *, deadline: float | None = None) -> bool:
        """Whether the server says that it is up."""
        return self._health(f"{self._root}/health/live", deadline)

    def ready(self, *, deadline: float | None = None) -> bool:
        """Whether the server says that it is ready."""
        return self._health(f"{self._root}/health/ready", deadline)

    def model_ready(self, name: str, version: str | None = None, *, deadline: float | None = None) -> bool:
        """Whether a model, or one version of it, is ready. False for a model that is not known, too."""
        return self._health(f"{self._model(name, version)}/ready", deadline)

    def server_metadata(self, *, deadline: float | None = None) -> ServerInfo:
        """The server's name, version and extensions."""
        url = self._root
        response = self._get(url, deadline)
        found = json_of(response, url)
        if not isinstance(found, dict) or not {"name", "version"} <= found.keys():
            raise not_triton(response, url, "its name and version")
        return metadata.server_info(found, url)

    def model_metadata(
        self, name: str, version: str | None = None, *, deadline: float | None = None
    ) -> metadata.ModelMetadata:
        """A model's inputs, outputs and ready versions. Raises NotFoundError for an unknown model."""
        url = self._model(name, version)
        return metadata.model_metadata(self._json(url, deadline, dict), url)

    def model_config(self, name: str, version: str | None = None, *, deadline: float | None = None) -> ModelConfig:
        """A model's configuration as the server completed it. Raises NotFoundError for an unknown model."""
        url = f"{self._model(name, version)}/config"
        return modelconfig.from_json(self._json(url, deadline, dict), url)

    def statistics(
        self, name: str | None = None, version: str | None = None, *, deadline: float | None = None
    ) -> tuple[statistics.ModelStatistics, ...]:
        """Statistics of all models, or of one. An unknown model is a ClientError: Triton says 400 there."""
        url = f"{self._root}/models/stats" if name is None else f"{self._model(name, version)}/stats"
        return statistics.from_json(self._json(url, deadline, dict), url)

    def repository_index(self, *, deadline: float | None = None) -> tuple[ModelState, ...]:
        """The state of each model version in the repositories, in the server's order.

        While the server's answer stays the same, byte by byte, the very same tuple is returned.
        """
        url = f"{self._root}/repository/index"
        response = self._fetcher.fetch("POST", url, limit=self._limit, deadline=deadline, idempotent=True)
        if response.status != 200:
            raise refusal(response, url)
        if not self._index_body or response.body != self._index_body:
            self._index = index.from_json(_typed(response, url, list), url)
            self._index_body = response.body
        return self._index

    def metrics(self, *, deadline: float | None = None) -> bytes:
        """The metrics page as it came. Raises EmptyError for an empty one: that is missing, not zero."""
        response = self._fetcher.fetch("GET", self._metrics_url, limit=self._limit, deadline=deadline)
        if response.status != 200:
            raise refusal(response, self._metrics_url, _NO_PAGE)
        if is_html(response):
            raise not_triton(response, self._metrics_url, "a metrics page")
        if not response.body:
            message = (
                "answered with an empty page: is its path right (/metrics), "
                "and does Triton run without --allow-metrics=false?"
            )
            raise EmptyError(message, url=self._metrics_url, http_status=200)
        return response.body

    def hang_up(self) -> None:
        """Close the connection to the HTTP port: call this at the end of each cycle of requests.

        A tritonserver that is told to stop first waits, up to --exit-timeout-secs (30), until all
        connections to its HTTP port are closed, idle ones too, and goes on saying "ready" to them
        while it refuses new ones (2.51, tests/integration/test_client_real.py). The metrics port
        does not hold it back, so that connection stays.
        """
        self._fetcher.hang_up(self._root)

    def close(self) -> None:
        """Close the connections, unless the fetcher is somebody else's."""
        if self._owns_fetcher:
            self._fetcher.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _model(self, name: str, version: str | None) -> str:
        path = f"{self._root}/models/{quote(name, safe='')}"
        return path if version is None else f"{path}/versions/{quote(version, safe='')}"

    def _health(self, url: str, deadline: float | None) -> bool:
        response = self._fetcher.fetch("GET", url, limit=_JSON_LIMIT, deadline=deadline)
        if response.status == 200 and not response.body:
            return True
        if response.status == 200:
            raise not_triton(response, url, "an empty body")
        # 400 is Triton's "no". Its body is empty for the server, and its error JSON for a model.
        if response.status == 400 and (not response.body or error_text(response.body)):
            return False
        raise refusal(response, url)

    def _get(self, url: str, deadline: float | None) -> Response:
        response = self._fetcher.fetch("GET", url, limit=self._limit, deadline=deadline)
        if response.status != 200:
            raise refusal(response, url)
        return response

    def _json(self, url: str, deadline: float | None, kind: type) -> Any:  # noqa: ANN401 - see json_of
        return _typed(self._get(url, deadline), url, kind)


def _typed(response: Response, url: str, kind: type) -> Any:  # noqa: ANN401 - see json_of
    """The answer's JSON, which must be an object or a list. Raises NotTritonError when it is the other."""
    found = json_of(response, url)
    if not isinstance(found, kind):
        raise not_triton(response, url, "a JSON list" if kind is list else "a JSON object")
    return found
