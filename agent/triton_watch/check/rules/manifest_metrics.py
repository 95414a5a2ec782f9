"""Rules 720-728: metrics are on, reachable, scraped, and what they are taken for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.manifest.flags import TRUTHS
from triton_watch.check.manifest.records import METRICS_PORT, Manifest, Platform
from triton_watch.check.options import Release
from triton_watch.check.rule import Box, Hit, Rule, Scope
from triton_watch.check.rules.manifest_parts import command_lines, in_kubernetes, pod, served
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from triton_watch.check.manifest.command import Flag
    from triton_watch.check.manifest.records import Container
    from triton_watch.check.options import Options

SETTINGS: Mapping[str, Release] = {
    "counter_latencies": Release(23, 4),
    "summary_latencies": Release(23, 4),
    "summary_quantiles": Release(23, 4),
    "histogram_latencies": Release(24, 11),
}
"""What --metrics-config may set, and since when. Anything else is stored and never looked at."""
MOST_TOLD = 10
_PORTS = "ports: [{containerPort: 8000}, {containerPort: 8001}, {containerPort: 8002, name: metrics}]"
_MONITORED = """\
---
apiVersion: v1
kind: Service
metadata: {{name: triton}}
spec: {{ports: [{{name: {}, port: 8002}}]}}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {{name: triton}}
spec: {{endpoints: [{{port: metrics}}]}}
"""
_ANNOTATED = "metadata: {name: triton, annotations: {prometheus.io/scrape: 'true', prometheus.io/port: '8002'}}"


def _off(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        flag = server.off("--allow-metrics")
        if flag is not None:
            yield manifest.hit(
                container,
                "serves no metrics at all: nobody sees its errors, its queues or its latency",
                flag.span,
                fix="leave --allow-metrics=false out, and keep the metrics port away from the outside by other means",
            )


def _gpu_off(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        flag = server.off("--allow-gpu-metrics")
        if flag is not None and container.gpus is not None and server.off("--allow-metrics") is None:
            yield manifest.hit(
                container,
                "has GPUs and hides their metrics: neither their use nor their memory is seen",
                flag.span,
                fix="leave --allow-gpu-metrics=false out, unless another exporter (DCGM) watches these GPUs",
                confidence=Confidence.MEDIUM,
            )


def _with_metrics(containers: Iterator[Container]) -> Iterator[tuple[Container, int]]:
    for container in containers:
        off = None if container.server is None else container.server.off("--allow-metrics")
        port = container.port("--metrics-port", METRICS_PORT)
        if off is None and port is not None:
            yield container, port


def _not_exposed(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, port in _with_metrics(served(manifest)):
        numbers = {one.number for one in container.ports}
        if port in numbers or None in numbers or str(port) in manifest.service_ports:
            continue
        if container.platform is Platform.COMPOSE:
            if not manifest.scraped:
                yield manifest.hit(
                    container,
                    f"does not publish its metrics port {port}, and nothing in this file scrapes it from inside",
                    fix=f'ports: ["{port}:{port}"], or a Prometheus in the same network',
                    severity=Severity.INFO,
                )
        elif not any(
            one.name and one.name in manifest.service_ports and "metric" in one.name for one in container.ports
        ):
            yield manifest.hit(
                container,
                f"does not expose its metrics port {port}: neither its ports nor a Service in this file have it",
                fix=f"add {{name: metrics, containerPort: {port}}} to its ports, and the port to its Service",
            )


def _wrong_port(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, port in _with_metrics(in_kubernetes(manifest)):
        told = container.annotations.get("prometheus.io/port", "")
        named = [one for one in container.ports if "metric" in one.name and one.number not in {None, port}]
        if named:
            message = f"calls port {named[0].number} '{clip(named[0].name)}', and serves its metrics on {port}"
            yield manifest.hit(container, message, named[0].span, fix=f"containerPort: {port}")
        elif told.isdecimal() and int(told) != port:
            message = f"tells Prometheus to scrape port {told} (prometheus.io/port), and serves its metrics on {port}"
            yield manifest.hit(container, message, fix=f"prometheus.io/port: '{port}'")


def _not_scraped(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    if manifest.scraped:
        return
    for container, port in _with_metrics(in_kubernetes(manifest)):
        yield manifest.hit(
            container,
            "has nothing in this file that makes Prometheus scrape it (a PodMonitor or an annotation)",
            fix=f"add a PodMonitor for port {port}, or the annotations prometheus.io/scrape: 'true' and "
            f"prometheus.io/port: '{port}'; ignore this when it is set up elsewhere",
        )


def _settings(manifest: Manifest) -> Iterator[tuple[Container, Flag, str, str]]:
    for container, server in command_lines(manifest):
        for flag in server.all("--metrics-config"):
            name, equals, value = (flag.value or "").partition("=")
            if equals and not flag.unknown_value:
                yield container, flag, name, value


def _summaries(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, flag, name, value in _settings(manifest):
        if name == "summary_latencies" and value == "true":
            yield manifest.hit(
                container,
                "computes quantiles of every latency, on each request: they cost time, and cannot be added up",
                flag.span,
                fix="leave it out where throughput matters; from 24.11 on histogram_latencies=true can be added up",
            )


def _counters_off(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, flag, name, value in _settings(manifest):
        if name == "counter_latencies" and value == "false":
            yield manifest.hit(
                container,
                "counts no requests: with counter_latencies=false success, failure and inference counters stay at 0, "
                "as if nothing was ever asked",
                flag.span,
                fix="leave counter_latencies=false out",
            )


def _unknown_setting(manifest: Manifest, options: Options) -> Iterator[Hit]:
    for container, flag, name, value in _settings(manifest):
        release = container.release or options.triton
        since = SETTINGS.get(name)
        if since is None:
            close = nearest(name, SETTINGS)
            fix = f"did you mean {close}?" if close else "leave it out"
            message = f"sets '{clip(name)}' for its metrics, which Triton takes without a word and never looks at"
            yield manifest.hit(container, message, flag.span, fix=fix, confidence=Confidence.MEDIUM)
        elif release is not None and release < since:
            message = f"sets {name}, which came with {since}: tritonserver {release} does nothing with it"
            yield manifest.hit(container, message, flag.span, fix=f"take an image from {since} on, or leave it out")
        elif name.endswith("_latencies") and value not in {"true", "false"}:
            meant = "true" if TRUTHS.get(value.lower(), True) else "false"
            message = f"sets {name} to '{clip(value)}', which Triton takes for false without a word"
            yield manifest.hit(container, message, flag.span, fix=f"{name}={meant}", confidence=Confidence.MEDIUM)


def _lost_port(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for port in manifest.lost_ports[:MOST_TOLD]:
        yield Hit(
            f"a ServiceMonitor scrapes the port '{clip(port.text)}', and no Service that it selects in this file has a "
            "port of that name",
            f"ports: [{{name: {clip(port.text)}, port: {METRICS_PORT}}}] in the Service, or the name of its port here",
            manifest.path,
            port.span,
            manifest.text,
        )


def _rule(number: int, slug: str, severity: Severity, title: str, examples: tuple[str, str], **more: object) -> Rule:
    texts = {name: str(more[name]) for name in ("problem", "why", "source")}
    check: Callable[[Manifest, Options], Iterator[Hit]] = more["check"]  # type: ignore[assignment]  # one of those above
    return Rule(
        f"TW{number}",
        slug,
        severity,
        Scope.MANIFEST,
        title,
        texts["problem"],
        *examples,
        texts["why"],
        texts["source"],
        check,
        box=Box.METRICS,
    )


RULES: tuple[Rule, ...] = (
    _rule(
        720,
        "metrics-switched-off",
        Severity.WARNING,
        "Triton serves metrics",
        (pod(args="--allow-metrics=false"), pod()),
        problem="--allow-metrics=false.",
        why="Most of what goes wrong in a Triton shows nowhere else: `ready` stays true while requests fail.",
        source="tritonserver --help, 2.51.0",
        check=_off,
    ),
    _rule(
        721,
        "gpu-metrics-switched-off",
        Severity.WARNING,
        "A server with GPUs shows their metrics",
        (
            pod("resources: {limits: {nvidia.com/gpu: 1}}", args="--allow-gpu-metrics=false"),
            pod("resources: {limits: {nvidia.com/gpu: 1}}"),
        ),
        problem="--allow-gpu-metrics=false, though the container gets GPUs.",
        why="Memory that fills up and GPUs that idle are seen in the GPU metrics only.",
        source="tritonserver --help, 2.51.0",
        check=_gpu_off,
    ),
    _rule(
        722,
        "metrics-port-not-exposed",
        Severity.WARNING,
        "The metrics port is exposed",
        (pod("ports: [{containerPort: 8000}, {containerPort: 8001}]"), pod(_PORTS)),
        problem="Neither the container's ports nor a Service in the file have the metrics port (8002).",
        why="PodMonitors and ServiceMonitors find ports by these lists; what is not in them is not scraped.",
        source="tritonserver --help, 2.51.0: --metrics-port, 8002",
        check=_not_exposed,
    ),
    _rule(
        723,
        "metrics-port-mismatch",
        Severity.WARNING,
        "Metrics are scraped where Triton serves them",
        (pod(_PORTS, args="--metrics-port=9090"), pod(_PORTS)),
        problem="The port that is named or annotated for metrics is not the one of --metrics-port.",
        why="Prometheus finds nothing there, or another page: Triton's HTTP port answers /metrics with 404.",
        source="tritonserver 2.51.0 (measured)",
        check=_wrong_port,
    ),
    _rule(
        724,
        "nothing-scrapes",
        Severity.INFO,
        "Something scrapes Triton's metrics",
        (pod(_PORTS), pod(_PORTS).replace("metadata: {name: triton}", _ANNOTATED)),
        problem="No PodMonitor, ServiceMonitor or prometheus.io annotation in the file.",
        why="Metrics that nobody keeps are of no use after an incident. They may be scraped by rules elsewhere: then "
        "ignore this.",
        source="Prometheus Operator; the annotations of the Prometheus community's charts",
        check=_not_scraped,
    ),
    _rule(
        725,
        "summary-latencies",
        Severity.INFO,
        "Quantiles are not computed in the server",
        (pod(args="--metrics-config=summary_latencies=true"), pod()),
        problem="--metrics-config=summary_latencies=true.",
        why="Each request updates several quantile sketches. And quantiles of several servers, or of several minutes, "
        "cannot be put together to one.",
        source="Triton's documentation of metrics: summaries, since 23.04",
        check=_summaries,
    ),
    _rule(
        726,
        "counters-switched-off",
        Severity.WARNING,
        "Requests are counted",
        (pod(args="--metrics-config=counter_latencies=false"), pod()),
        problem="--metrics-config=counter_latencies=false.",
        why="The name promises latencies; what stops with them are the counters of success, failure and inferences: "
        "they stay at 0, and every rate and error ratio with them.",
        source="tritonserver 2.51.0 (measured)",
        check=_counters_off,
    ),
    _rule(
        727,
        "metrics-setting-without-effect",
        Severity.WARNING,
        "Settings of --metrics-config are known to the server",
        (pod(args="--metrics-config=histogram_latencies=true"), pod()),
        problem="The setting is unknown, newer than the server, or its value is no truth value.",
        why="Triton keeps any setting without a word. histogram_latencies on a server before 24.11 does nothing.",
        source="tritonserver 2.51.0 (measured); Triton's release notes of 23.04 and 24.11",
        check=_unknown_setting,
    ),
    _rule(
        728,
        "monitored-port-missing",
        Severity.WARNING,
        "A ServiceMonitor names a port that its Service has",
        (pod(_PORTS) + _MONITORED.format("http"), pod(_PORTS) + _MONITORED.format("metrics")),
        problem="The name in `endpoints` is not among the port names of the Services that it selects in this file.",
        why="Prometheus' operator finds ports by the Service's names, not the container's, and scrapes nothing else: "
        "no target, no error.",
        source="Prometheus Operator: ServiceMonitor, endpoints",
        check=_lost_port,
    ),
)
