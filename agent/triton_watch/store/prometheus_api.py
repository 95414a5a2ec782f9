"""Prometheus's HTTP API, as far as history needs it: queries at a moment and over a time.

Thanos and Mimir answer the same API. Nothing is sent that only one of them knows: Thanos removes the duplicates of
its own replicas and gives partial answers, with a warning, unless its operator chose otherwise.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from triton_watch.records import Target, Timeouts
from triton_watch.store.prometheus_answers import AnySeries, Sample, Track, result_of, sample, track
from triton_watch.store.prometheus_errors import not_prometheus, parsed, refusal, unreachable
from triton_watch.triton.errors import TritonError, clean, shown
from triton_watch.triton.http import HttpFetcher, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from triton_watch.records import PrometheusSettings

_BODY_LIMIT: Final = 256_000_000
"""Bytes of one answer: some million series of one window."""
_FORM: Final = ("Content-Type", "application/x-www-form-urlencoded")
_MOST_WARNINGS: Final = 50
"""An agent asks for months, and texts may have numbers in them."""
_SERVERS_SHARE: Final = 0.95
"""Of the total deadline: the server gives up before we do, so that it can say why."""


class PrometheusApi:
    """Asks one Prometheus. Every method may raise HistoryError; `clock` gives monotonic seconds.

    `settings.timeouts.total` bounds each query, and the server is told to evaluate no longer. The read
    deadline is not used: while it evaluates, a Prometheus sends nothing.
    """

    def __init__(self, settings: PrometheusSettings, *, clock: Callable[[], float]) -> None:
        self.url: Final = settings.url
        total = settings.timeouts.total
        self._limits = {"timeout": f"{max(1, round(total * _SERVERS_SHARE * 1000))}ms"}
        self._fetcher = HttpFetcher(_as_target(settings), clock=clock)
        self._warnings: dict[str, None] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is doubtful about the answers so far, as sentences, each once, the newest `_MOST_WARNINGS`.

        The `infos` of Prometheus 3 are not among them: they are about how a query is written.
        """
        return tuple(self._warnings)

    def warn(self, sentence: str) -> None:
        """Keep a sentence, without its full stop, for `warnings`."""
        self._warnings[f"Prometheus at {shown(self.url)}: {sentence}."] = None
        if len(self._warnings) > _MOST_WARNINGS:
            del self._warnings[next(iter(self._warnings))]

    def instant(self, query: str, at: float) -> list[Sample]:
        """The query's value at a moment (Unix seconds); series whose value is not finite are left out."""
        found = self._ask("query", "vector", {"query": query, "time": f"{at:.3f}"}, sample)
        return [one for one in found if math.isfinite(one.value)]

    def over(self, query: str, start: float, end: float, step: float) -> list[Track]:
        """The query's values from `start` to `end` (Unix seconds), every `step` seconds."""
        times = {"start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:.3f}"}
        return self._ask("query_range", "matrix", {"query": query, **times}, track)

    def close(self) -> None:
        """Close the connection."""
        self._fetcher.close()

    def _ask(self, path: str, kind: str, fields: dict[str, str], read: Callable[[Any], AnySeries]) -> list[AnySeries]:
        # Form-encoded, for URLs are limited to some thousand characters. A lone surrogate matches nothing anyway.
        body = urlencode({**fields, **self._limits}, errors="replace").encode()
        url = f"{self.url}/api/v1/{path}"
        try:
            response = self._fetcher.fetch("POST", url, limit=_BODY_LIMIT, body=body, idempotent=True)
        except TritonError as error:
            raise unreachable(error, self.url) from error
        if response.status != 200:
            raise refusal(response, self.url)
        return self._result(response, kind, read)

    def _result(self, response: Response, kind: str, read: Callable[[Any], AnySeries]) -> list[AnySeries]:
        try:
            answer = parsed(response.body)
            found = result_of(answer, kind, read)
            for text in answer.get("warnings") or ():
                self.warn(f"it warns: {clean(text)}")
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise not_prometheus(response, self.url) from error
        return found


def _as_target(settings: PrometheusSettings) -> Target:
    """The settings in the shape that the fetcher takes; what is Triton's own stays empty."""
    total = settings.timeouts.total
    credentials = settings.credentials
    return Target(
        name="prometheus",
        http_url=settings.url,
        metrics_url=settings.url,
        grpc_address="",
        timeouts=Timeouts(connect=settings.timeouts.connect, read=total, total=total),
        credentials=replace(credentials, headers=(*credentials.headers, _FORM), restricted_header=None),
        tls=settings.tls,
    )
