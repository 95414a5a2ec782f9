"""The pages of the agent: metrics, its own health and readiness, and the index of what there is."""

from __future__ import annotations

from functools import partial
from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from triton_watch.daemon.alert_pages import alert_routes
from triton_watch.daemon.app import HTML, Request, Response, Route, plain
from triton_watch.slo.serving import Serving
from triton_watch.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch.daemon.exporter import Exporter
    from triton_watch.daemon.state import StateSource

BEAT_LIMIT = 30.0
"""Seconds without a beat of the main loop after which the agent calls itself unhealthy."""


def core_routes(source: StateSource, exporter: Exporter, beat_limit: float = BEAT_LIMIT) -> tuple[Route, ...]:
    """The routes that every agent has; `beat_limit` is in seconds. The index lists these and no others."""
    listed = (
        Route("/metrics", partial(metrics, exporter), "metrics of the agent, for Prometheus"),
        Route("/-/healthy", partial(healthy, source, beat_limit), "200 while the agent's main loop runs"),
        Route("/-/serving", partial(serving, source), "200 while Triton serves: its canaries pass (?model=, ?target=)"),
        Route("/-/ready", partial(ready, source), "200 once every target has been polled"),
        *alert_routes(source),
    )
    return (Route("/", partial(index, listed)), *listed)


def metrics(exporter: Exporter, request: Request) -> Response:
    """The metrics page, as text or OpenMetrics, compressed where the client asks for it."""
    page = exporter.page(request.header("Accept"), request.header("Accept-Encoding"))
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
    sentence = "The first poll cycle of every target has not ended yet."
    return plain(HTTPStatus.SERVICE_UNAVAILABLE, sentence, Retry_After="1")


def serving(source: StateSource, request: Request) -> Response:
    """The verdict on Triton: 200 only while every target serves, or the one of `?target=`, or one `?model=`."""
    asked = parse_qs(str(request.environ.get("QUERY_STRING", "")), keep_blank_values=True)
    wrong = next((name for name, values in asked.items() if name not in ("model", "target") or not values[-1]), None)
    if wrong is not None:  # a misspelt name must not pass for a good verdict
        sentence = f"The query {wrong[:100]!r} cannot be answered: give model=NAME, target=NAME or nothing."
        return plain(HTTPStatus.BAD_REQUEST, sentence)
    model, target = (_last(request, name) for name in ("model", "target"))
    found = source.serving(model)
    if target is not None and target not in found:
        known = ", ".join(sorted(found)) or "none"
        return plain(HTTPStatus.NOT_FOUND, f"There is no target {target[:100]!r}; there are: {known}.")
    if target is not None:
        found = {target: found[target]}
    verdicts = {one.verdict for one in found.values()}
    whole = next((one for one in (Serving.NOT_SERVING, Serving.UNKNOWN) if one in verdicts), Serving.SERVING)
    lines = [f"{name}: {reason}" for name, one in sorted(found.items()) for reason in one.reasons]
    status = HTTPStatus.OK if whole is Serving.SERVING else HTTPStatus.SERVICE_UNAVAILABLE
    return plain(status, "\n".join([whole.value, *lines]))


def _last(request: Request, name: str) -> str | None:
    values = request.query.get(name)
    return values[-1] if values else None


def index(routes: Sequence[Route], _request: Request) -> Response:
    """A page of links to `routes`."""
    items = "".join(
        f'<li><a href="{escape(route.path)}">{escape(route.path)}</a> {escape(route.summary)}</li>\n'
        for route in routes
        if route.summary
    )
    return Response(HTTPStatus.OK, HTML, _INDEX.format(version=__version__, items=items).encode())


_INDEX = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>triton-watch</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; }}
a {{ font-family: ui-monospace, monospace; }}
</style>
</head>
<body>
<h1>triton-watch</h1>
<p>Version {version}, an observability and SLO sidecar for NVIDIA Triton Inference Server.</p>
<ul>
{items}</ul>
</body>
</html>
"""
