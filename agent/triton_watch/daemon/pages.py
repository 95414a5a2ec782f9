"""All that an agent answers: metrics, its own health and readiness, the JSON API, and the pages for people."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from triton_watch.daemon.alert_pages import alert_routes
from triton_watch.daemon.api.routes import api_routes
from triton_watch.daemon.app import Request, Response, Route, plain
from triton_watch.daemon.queries import asked, no_target
from triton_watch.daemon.rounds import Rounds
from triton_watch.daemon.site.routes import site_routes
from triton_watch.slo.serving import Serving

if TYPE_CHECKING:
    from triton_watch.daemon.exporter import Exporter, Page
    from triton_watch.daemon.state import StateSource

BEAT_LIMIT = 30.0
"""Seconds without a beat of the main loop after which the agent calls itself unhealthy."""


def core_routes(source: StateSource, exporter: Exporter, beat_limit: float = BEAT_LIMIT) -> tuple[Route, ...]:
    """The routes that every agent has; `beat_limit` is in seconds. The page of the agent lists these and no others."""
    listed = (
        Route("/metrics", partial(metrics, exporter, Rounds()), "metrics of the agent, for Prometheus"),
        Route("/-/healthy", partial(healthy, source, beat_limit), "200 while the agent's main loop runs"),
        Route("/-/serving", partial(serving, source), "200 while Triton serves: its canaries pass (?model=, ?target=)"),
        Route("/-/ready", partial(ready, source), "200 once every target has been polled"),
        *api_routes(source),
        *alert_routes(),
    )
    return (*site_routes(source, others=listed), *listed)


def metrics(exporter: Exporter, rounds: Rounds[Page], request: Request) -> Response:
    """The metrics page, as text or OpenMetrics, compressed where the client asks for it."""
    form = exporter.form(request.header("Accept"), request.header("Accept-Encoding"))
    page = rounds.get(form, request.asked_at, partial(exporter.page_in, *form))
    headers = {"Vary": "Accept, Accept-Encoding"}
    if page.content_encoding is not None:
        headers["Content-Encoding"] = page.content_encoding
    return Response(HTTPStatus.OK, page.content_type, page.body, headers)


def healthy(source: StateSource, beat_limit: float, _request: Request) -> Response:
    """Whether this process's main loop runs. Nothing that Triton does changes the answer."""
    age = source.beat_age()
    if age < beat_limit:
        return plain(HTTPStatus.OK, "healthy")
    sentence = f"The agent's main loop stands still since {age:.0f} s (limit {beat_limit:.0f} s): restart it."
    return plain(HTTPStatus.SERVICE_UNAVAILABLE, sentence)


def ready(source: StateSource, _request: Request) -> Response:
    """Whether every target has been polled once, so that the metrics tell the whole story."""
    if source.first_cycle_done():
        return plain(HTTPStatus.OK, "ready")
    sentence = "Not every target has had its first poll cycle yet, or targets are still looked for."
    return plain(HTTPStatus.SERVICE_UNAVAILABLE, sentence, Retry_After="1")


def serving(source: StateSource, request: Request) -> Response:
    """The verdict on Triton: 200 only while every target serves, or the one of `?target=`, or one `?model=`."""
    given = asked(request, model="NAME", target="NAME")
    if isinstance(given, Response):
        return given
    target = given.get("target")
    found = source.serving(given.get("model"))
    if target is not None and target not in found:
        return no_target(target, found)
    if target is not None:
        found = {target: found[target]}
    if not found:
        return plain(
            HTTPStatus.SERVICE_UNAVAILABLE, f"{Serving.UNKNOWN.value}\nNo server is watched: no target is known."
        )
    verdicts = {one.verdict for one in found.values()}
    whole = next((one for one in (Serving.NOT_SERVING, Serving.UNKNOWN) if one in verdicts), Serving.SERVING)
    lines = [f"{name}: {reason}" for name, one in sorted(found.items()) for reason in one.reasons]
    status = HTTPStatus.OK if whole is Serving.SERVING else HTTPStatus.SERVICE_UNAVAILABLE
    return plain(status, "\n".join([whole.value, *lines]))
