"""Rules 701-707: a container that runs Triton has probes, one of each kind and each where it belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.manifest.records import Manifest, Platform, Probe, ProbeWay
from triton_watch.check.rule import Box, Hit, RedLine, Rule, Scope
from triton_watch.check.rules.manifest_parts import HEALTH, LIVE, READY, in_kubernetes, pod, served
from triton_watch.records import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.manifest.records import Container
    from triton_watch.check.options import Options
    from triton_watch.check.pbtxt import Span

SHORTEST_START = 60.0
"""Seconds; a server with models of some GB needs minutes to load them."""
PATIENT = 300.0
"""Seconds that a liveness probe waits, from which on no startup probe is missed."""
_LIFE = f"livenessProbe: {{httpGet: {{path: {LIVE}, port: 8000}}}}"
_START = f"startupProbe: {{httpGet: {{path: {READY}, port: 8000}}, periodSeconds: 10, failureThreshold: 60}}"


def _no_health_check(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container in served(manifest):
        asked = [probe for probe in container.probes if not probe.off]
        if asked:
            continue
        port = container.port("--http-port", 8000) or 8000
        if container.platform is Platform.COMPOSE:
            off = container.readiness
            what = "has its health check switched off" if off is not None else "has no healthcheck"
            fix = f'healthcheck: {{test: ["CMD", "curl", "-f", "http://localhost:{port}{READY}"], start_period: 10m}}'
            yield manifest.hit(container, f"{what}: a server that hangs or cannot serve goes unnoticed", fix=fix)
        else:
            yield manifest.hit(
                container,
                "has no liveness, readiness or startup probe: it gets requests while its models still load, "
                "and a server that hangs is never restarted",
                fix=f"add a startupProbe and a readinessProbe on {READY} and a livenessProbe on {LIVE}, port {port}",
            )


def _probe_missing(manifest: Manifest, which: str) -> Iterator[Container]:
    for container in in_kubernetes(manifest):
        if container.probes and getattr(container, which) is None:
            yield container


def _no_liveness(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container in _probe_missing(manifest, "liveness"):
        yield manifest.hit(
            container,
            "has no liveness probe: a server that hangs stays out of service until somebody restarts it",
            fix=f"add livenessProbe: httpGet: {{path: {LIVE}, port: {container.port('--http-port', 8000) or 8000}}}",
        )


def _no_readiness(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container in _probe_missing(manifest, "readiness"):
        if container.startup is not None and READY in container.startup.asked:
            what = "has no readiness probe: it goes on getting requests when its models fail later"
        else:
            what = "has no readiness probe: it gets requests before its models are loaded"
        port = container.port("--http-port", 8000) or 8000
        yield manifest.hit(container, what, fix=f"add readinessProbe: httpGet: {{path: {READY}, port: {port}}}")


def _no_startup(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container in in_kubernetes(manifest):
        probe = container.liveness
        if probe is None or container.startup is not None or probe.patience >= PATIENT or _loads_nothing(container):
            continue
        yield manifest.hit(
            container,
            f"has a liveness probe and no startup probe: Triton answers only when its models are loaded, and a start "
            f"that takes longer than {probe.patience:g} s is killed, again and again",
            probe.span,
            fix=f"add startupProbe: {{httpGet: {{path: {READY}, port: "
            f"{container.port('--http-port', 8000) or 8000}}}, periodSeconds: 10, failureThreshold: 60}}",
        )


def _loads_nothing(container: Container) -> bool:
    server = container.server
    mode = None if server is None else server.last("--model-control-mode")
    return (
        server is not None
        and mode is not None
        and (mode.value or "").lower() == "explicit"
        and not server.all("--load-model")
    )


def _short_start(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container in in_kubernetes(manifest):
        probe = container.startup
        if probe is not None and probe.patience < SHORTEST_START:
            yield manifest.hit(
                container,
                f"gets {probe.patience:g} s to start before its startup probe kills it: loading models takes minutes",
                probe.span,
                fix="periodSeconds: 10 and failureThreshold: 60 give it ten minutes, and cost nothing when it is fast",
            )


def _liveness_on_ready(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container in in_kubernetes(manifest):
        probe = container.liveness
        if probe is not None and probe.asked.rstrip("/").endswith("/ready") and "/v2/" in probe.asked:
            yield manifest.hit(
                container,
                "is restarted when it is not ready: its liveness probe asks for readiness, so one model that fails "
                "or is being reloaded takes all the others down with it",
                _place(probe),
                fix=f"ask {LIVE} in the liveness probe, {READY} in the readiness probe",
            )


def _readiness_on_live(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container in served(manifest):
        probe = container.readiness
        if probe is None or probe.off or not probe.asked.rstrip("/").endswith(LIVE):
            continue
        name = "health check" if container.platform is Platform.COMPOSE else "readiness probe"
        yield manifest.hit(
            container,
            f"counts as ready as soon as it is alive: its {name} asks {LIVE}, which says nothing about models",
            _place(probe),
            fix=f"ask {READY}",
            severity=Severity.INFO if container.platform is Platform.COMPOSE else None,
        )


def _place(probe: Probe) -> Span:
    where = probe.path if probe.way is ProbeWay.HTTP else probe.command
    return probe.span if where is None else where.span


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW701",
        slug="no-health-check",
        severity=Severity.WARNING,
        scope=Scope.MANIFEST,
        title="A container that runs Triton is asked for its health",
        problem="Nothing asks this server whether it lives and whether its models are ready.",
        bad=pod(),
        good=pod(*HEALTH),
        why="Triton keeps its process running when models fail or a backend hangs. Only its health endpoints tell; "
        "without a probe on them, requests go to a server that cannot answer.",
        source="Triton's health endpoints of the KServe v2 protocol; tritonserver 2.51.0 (measured)",
        check=_no_health_check,
        red_line=RedLine.NO_HEALTH_CHECK,
        box=Box.HEALTH,
    ),
    Rule(
        id="TW702",
        slug="no-liveness-probe",
        severity=Severity.WARNING,
        scope=Scope.MANIFEST,
        title="A pod that runs Triton has a liveness probe",
        problem="Other probes are there, but none restarts a server that hangs.",
        bad=pod(HEALTH[2]),
        good=pod(*HEALTH),
        why="A readiness probe takes a hanging server out of service and leaves it there for good.",
        source="Kubernetes: container probes",
        check=_no_liveness,
        box=Box.HEALTH,
    ),
    Rule(
        id="TW703",
        slug="no-readiness-probe",
        severity=Severity.WARNING,
        scope=Scope.MANIFEST,
        title="A pod that runs Triton has a readiness probe",
        problem="The pod counts as ready whatever its models do.",
        bad=pod(*HEALTH[:2]),
        good=pod(*HEALTH),
        why="Without it the Service sends requests to a server whose models are still loading or have failed.",
        source="Kubernetes: container probes; /v2/health/ready of tritonserver",
        check=_no_readiness,
        box=Box.HEALTH,
    ),
    Rule(
        id="TW704",
        slug="no-startup-probe",
        severity=Severity.WARNING,
        scope=Scope.MANIFEST,
        title="A liveness probe has a startup probe before it",
        problem="The liveness probe begins while the models still load, and kills the server for being slow.",
        bad=pod(_LIFE, HEALTH[2]),
        good=pod(*HEALTH),
        why="Triton opens its HTTP port when the models of the start are loaded. A liveness probe that runs out before "
        "restarts the container, which then loads the same models again: a loop without an end.",
        source="tritonserver 2.51.0 (measured): /v2/health/live answers after all loads of the start",
        check=_no_startup,
        box=Box.HEALTH,
    ),
    Rule(
        id="TW705",
        slug="short-startup-probe",
        severity=Severity.WARNING,
        scope=Scope.MANIFEST,
        title="A startup probe gives Triton at least a minute",
        problem="initialDelaySeconds + periodSeconds * failureThreshold is less than loading models usually takes.",
        bad=pod(f"startupProbe: {{httpGet: {{path: {READY}, port: 8000}}, periodSeconds: 5}}", *HEALTH[1:]),
        good=pod(_START, *HEALTH[1:]),
        why="A start that is killed begins again from nothing. A long budget costs nothing: the probe ends with the "
        "first success.",
        source="Kubernetes: startup probes (defaults: every 10 s, 3 failures)",
        check=_short_start,
        confidence=Confidence.MEDIUM,
    ),
    Rule(
        id="TW706",
        slug="liveness-probe-on-ready",
        severity=Severity.WARNING,
        scope=Scope.MANIFEST,
        title="A liveness probe asks whether the server lives, not whether it is ready",
        problem="The liveness probe asks /v2/health/ready or a model's ready.",
        bad=pod(HEALTH[0], f"livenessProbe: {{httpGet: {{path: {READY}, port: 8000}}}}", HEALTH[2]),
        good=pod(*HEALTH),
        why="Ready is false while any model loads or after one failed. Restarting the server does not mend a model; it "
        "stops the ones that work, and loads everything again.",
        source="tritonserver 2.51.0 (measured): ready is 400 while a model is UNAVAILABLE, live is 200",
        check=_liveness_on_ready,
        box=Box.HEALTH,
    ),
    Rule(
        id="TW707",
        slug="readiness-probe-on-live",
        severity=Severity.WARNING,
        scope=Scope.MANIFEST,
        title="A readiness probe asks whether the server is ready",
        problem="The readiness probe asks /v2/health/live.",
        bad=pod(*HEALTH[:2], f"readinessProbe: {{httpGet: {{path: {LIVE}, port: 8000}}}}"),
        good=pod(*HEALTH),
        why="A server lives on when its models have failed or were unloaded, and would go on getting their requests.",
        source="tritonserver 2.51.0 (measured): live is 200 while models are UNAVAILABLE",
        check=_readiness_on_live,
        box=Box.HEALTH,
    ),
)
