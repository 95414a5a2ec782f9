"""Rules 710-714: what probes and health checks ask, and where."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from triton_watch.check.manifest.records import Manifest, Probe, ProbeWay
from triton_watch.check.rule import Box, Hit, Rule, Scope
from triton_watch.check.rules.manifest_checks import called
from triton_watch.check.rules.manifest_parts import HEALTH, LIVE, READY, in_kubernetes, pod, served
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.manifest.command import Flag
    from triton_watch.check.manifest.records import Container
    from triton_watch.check.options import Options

_ANSWERED = re.compile(r"/v2(/health/(live|ready)|/models/[^/]+(/versions/\d+)?/ready)?(\?.*)?")
"""Paths that tritonserver answers with 200 on its HTTP port."""
_URL_PATH = re.compile(r"https?://[^/\s\"']+(/[^\s\"'|;)]*)?")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def _http_probes(manifest: Manifest) -> Iterator[tuple[Container, Probe]]:
    for container in in_kubernetes(manifest):
        for probe in container.probes:
            if probe.way is ProbeWay.HTTP:
                yield container, probe


def _wrong_path(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, probe in _http_probes(manifest):
        http = container.port("--http-port", 8000)
        path = "/" if probe.path is None else probe.path.text
        if http is None or container.number_of(probe.port) != http or "$" in path or _ANSWERED.fullmatch(path):
            continue
        yield _path_hit(manifest, container, probe, path)
    for container in served(manifest):
        for probe in container.probes:
            found = _URL_PATH.search(probe.asked) if probe.way is ProbeWay.EXEC else None
            path = "" if found is None else found[1] or "/"
            asks_triton = found is not None and f":{container.port('--http-port', 8000)}" in found[0]
            if asks_triton and "$" not in path and not _ANSWERED.fullmatch(path):
                yield _path_hit(manifest, container, probe, path)


def _path_hit(manifest: Manifest, container: Container, probe: Probe, path: str) -> Hit:
    meant = LIVE if probe.name == "liveness" else READY
    where = probe.path or probe.command
    return manifest.hit(
        container,
        f"can never pass its {called(probe)}: tritonserver answers {clip(path)} with 404",
        probe.span if where is None else where.span,
        fix=f"ask {meant}" + (" (without the slash at the end)" if path == meant + "/" else ""),
    )


def _wrong_port(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, probe in _http_probes(manifest):
        place = probe.span if probe.port is None else probe.port.span
        number = container.number_of(probe.port)
        http, grpc = container.port("--http-port", 8000), container.port("--grpc-port", 8001)
        metrics = container.port("--metrics-port", 8002)
        named = probe.port is not None and probe.port.number is None and "$" not in probe.port.text
        fix = f"port: {http or 8000}, where tritonserver answers HTTP"
        if number is None and named and probe.port is not None:
            message = f"has no port '{clip(probe.port.text)}', which its {probe.name} probe asks: it always fails"
            yield manifest.hit(container, message, place, fix=fix)
        elif number is not None and number == grpc != http:
            message = f"is asked over HTTP on its gRPC port {number}: the {probe.name} probe can never pass"
            yield manifest.hit(container, message, place, fix=fix, severity=Severity.ERROR)
        elif number is not None and number == metrics != http:
            message = (
                f"is asked on its metrics port {number}, which answers any path with 200: the {probe.name} probe "
                "passes as long as the process is there"
            )
            yield manifest.hit(container, message, place, fix=fix)
        elif number is not None and http not in {None, number} and container.server is not None and not _watched(probe):
            message = f"listens for HTTP on {http}, and its {probe.name} probe asks port {number}"
            yield manifest.hit(container, message, place, fix=fix, confidence=Confidence.MEDIUM)


def _watched(probe: Probe) -> bool:
    """Whether a sidecar is asked for its verdict on Triton, as `/-/serving` of triton-watch."""
    return probe.path is not None and probe.path.text.startswith("/-/")


def _http_off(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, probe in _http_probes(manifest):
        off = None if container.server is None else container.server.off("--allow-http")
        if off is not None:
            yield manifest.hit(
                container,
                f"has no HTTP port (--allow-http=false), which its {probe.name} probe asks: it can never pass",
                probe.span,
                fix="allow HTTP, or use a grpc probe on the gRPC port",
            )


def _restricted(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, probe in _http_probes(manifest):
        for flag in () if container.server is None else container.server.all("--http-restricted-api"):
            apis, header = _restriction(flag)
            if "health" in apis and header not in probe.headers:
                yield manifest.hit(
                    container,
                    f"restricts its health API, and its {probe.name} probe sends no header '{clip(header)}': Triton "
                    "answers 403, so it can never pass",
                    probe.span,
                    fix="leave health out of the restricted APIs, or add the header to httpHeaders",
                )


def _restriction(flag: Flag) -> tuple[list[str], str]:
    apis, _, header = (flag.value or "").partition(":")
    return apis.split(","), header.partition("=")[0].lower()


def _loopback(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container in served(manifest):
        flag = None if container.server is None else container.server.last("--http-address")
        if flag is not None and flag.value in _LOOPBACK:
            yield manifest.hit(
                container,
                f"listens on {flag.value} only: neither clients nor probes from outside of the pod reach it, and "
                "Prometheus neither, for --metrics-address follows --http-address",
                flag.span,
                fix="leave --http-address out (0.0.0.0), unless a proxy in the pod is what everybody asks",
            )


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW710",
        slug="probe-path-unknown",
        severity=Severity.ERROR,
        scope=Scope.MANIFEST,
        title="Probes ask paths that Triton answers",
        problem="tritonserver answers this path with 404: the probe never passes, and the server never serves.",
        bad=pod(HEALTH[0], HEALTH[1], "readinessProbe: {httpGet: {path: /health, port: 8000}}"),
        good=pod(*HEALTH),
        why="Health is at /v2/health/live, /v2/health/ready and /v2/models/MODEL/ready, exactly: a slash at the end or "
        "the old /api/health makes it a 404.",
        source="tritonserver 2.51.0 (measured)",
        check=_wrong_path,
        box=Box.HEALTH,
    ),
    Rule(
        id="TW711",
        slug="probe-port-wrong",
        severity=Severity.WARNING,
        scope=Scope.MANIFEST,
        title="Probes ask the HTTP port of tritonserver",
        problem="The probe asks another port: the gRPC port never answers it, the metrics port always does.",
        bad=pod(*HEALTH[:2], f"readinessProbe: {{httpGet: {{path: {READY}, port: 8002}}}}"),
        good=pod(*HEALTH),
        why="On the metrics port every path is answered with 200 and an empty body. A probe there passes whatever the "
        "models do.",
        source="tritonserver 2.51.0 (measured): 8000 HTTP, 8001 gRPC, 8002 metrics",
        check=_wrong_port,
        box=Box.HEALTH,
    ),
    Rule(
        id="TW712",
        slug="probe-of-http-switched-off",
        severity=Severity.ERROR,
        scope=Scope.MANIFEST,
        title="What probes ask is switched on",
        problem="--allow-http=false closes the port that the probe asks.",
        bad=pod(*HEALTH, args="--allow-http=false"),
        good=pod("livenessProbe: {grpc: {port: 8001}}", args="--allow-http=false"),
        why="The probe can never pass: Kubernetes restarts the container for ever, or never sends it a request.",
        source="tritonserver --help, 2.51.0",
        check=_http_off,
        box=Box.HEALTH,
    ),
    Rule(
        id="TW713",
        slug="probe-of-restricted-health",
        severity=Severity.ERROR,
        scope=Scope.MANIFEST,
        title="Probes may see the server's health",
        problem="--http-restricted-api covers the health API, and the probe does not send its header.",
        bad=pod(*HEALTH, args='"--http-restricted-api=health:k=v"'),
        good=pod(*HEALTH, args='"--http-restricted-api=model-repository:k=v"'),
        why="Without the header Triton answers 403, which a probe takes for a failure.",
        source="tritonserver 2.51.0 (measured)",
        check=_restricted,
        box=Box.HEALTH,
    ),
    Rule(
        id="TW714",
        slug="listens-on-loopback",
        severity=Severity.WARNING,
        scope=Scope.MANIFEST,
        title="Triton listens where it is asked",
        problem="--http-address names the loopback address.",
        bad=pod(*HEALTH, args="--http-address=127.0.0.1"),
        good=pod(*HEALTH),
        why="A container's loopback address is its own: Kubernetes' probes, Services and Prometheus come from outside.",
        source="tritonserver --help, 2.51.0: the metrics address follows the HTTP address",
        check=_loopback,
    ),
)
