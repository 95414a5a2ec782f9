"""Rules 715-719: how probes and health checks ask: over TCP, by a command, with which patience."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from triton_watch.check.manifest.records import Manifest, Probe, ProbeWay
from triton_watch.check.rule import Box, Hit, Rule, Scope
from triton_watch.check.rules.manifest_parts import HEALTH, LIVE, READY, in_kubernetes, pod, served, service
from triton_watch.records import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.manifest.records import Container
    from triton_watch.check.options import Options
    from triton_watch.check.pbtxt import Span

_CURL = re.compile(r"\bcurl\b")
_FAILS = re.compile(r"(^|\s)(-[a-zA-Z]*f[a-zA-Z]*|--fail(-with-body|-early)?)(\s|$)|http_code|grep|jq|\btest\b|\[")
_HEAD = re.compile(r"\bcurl\b.*\s(-[a-zA-Z]*I[a-zA-Z]*|--head)(\s|$)|\bwget\b.*\s--spider(\s|$)")
_WGET = 'healthcheck: {test: ["CMD", "curl", "-f", "http://localhost:8000/v2/health/ready"]}'


def called(probe: Probe) -> str:
    """Return what a probe is called in a sentence."""
    return "health check" if probe.name == "healthcheck" else f"{probe.name} probe"


def _http_probes(manifest: Manifest) -> Iterator[tuple[Container, Probe]]:
    for container in in_kubernetes(manifest):
        for probe in container.probes:
            if probe.way is ProbeWay.HTTP:
                yield container, probe


def _tcp_only(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container in in_kubernetes(manifest):
        for probe in container.probes:
            if probe.way is ProbeWay.TCP:
                asked = LIVE if probe.name == "liveness" else READY
                yield manifest.hit(
                    container,
                    f"is only asked whether a port is open: its {probe.name} probe (tcpSocket) passes while models "
                    "fail and while the server hangs",
                    probe.span,
                    fix=f"httpGet: {{path: {asked}, port: {container.port('--http-port', 8000) or 8000}}}",
                )


def _blind_command(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container in served(manifest):
        for probe in container.probes:
            command = "" if probe.off or probe.command is None else probe.command.text
            if _CURL.search(command) and not _FAILS.search(command):
                yield manifest.hit(
                    container,
                    f"passes its {called(probe)} whatever Triton answers: curl without -f succeeds for 400 too",
                    _command_span(probe),
                    fix="curl -f",
                )


def _head_request(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container in served(manifest):
        for probe in container.probes:
            if probe.command is not None and not probe.off and _HEAD.search(probe.command.text):
                yield manifest.hit(
                    container,
                    f"is asked with HEAD by its {called(probe)}, which tritonserver answers with 405",
                    _command_span(probe),
                    fix="curl -f http://localhost:8000/v2/health/ready (a GET)",
                )


def _command_span(probe: Probe) -> Span:
    return probe.span if probe.command is None else probe.command.span


def _executed(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container in in_kubernetes(manifest):
        for probe in container.probes:
            if probe.way is ProbeWay.EXEC and _CURL.search(probe.asked):
                yield manifest.hit(
                    container,
                    f"starts curl for each {probe.name} probe: a process in the serving container, which is late when "
                    "its CPUs are busy",
                    probe.span,
                    fix="httpGet: Kubernetes asks itself, and counts any status from 400 on as a failure",
                )


def _short_timeout(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, probe in _http_probes(manifest):
        if probe.name == "liveness" and (probe.timeout is None or (probe.timeout.number or 1) <= 1):
            yield manifest.hit(
                container,
                "is restarted when it takes more than 1 s to answer its liveness probe three times (timeoutSeconds: 1, "
                "the default): a busy server may",
                probe.span if probe.timeout is None else probe.timeout.span,
                fix="timeoutSeconds: 5",
            )


def _live(more: str) -> str:
    return f"livenessProbe: {{{more}}}"


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW715",
        slug="tcp-probe",
        severity=Severity.WARNING,
        scope=Scope.MANIFEST,
        title="Probes ask Triton, not the kernel",
        problem="A tcpSocket probe only sees that somebody listens.",
        bad=pod(HEALTH[0], _live("tcpSocket: {port: 8000}"), HEALTH[2]),
        good=pod(*HEALTH),
        why="The kernel accepts connections for a server that hangs, and for one whose models have all failed.",
        source="Kubernetes: container probes",
        check=_tcp_only,
        box=Box.HEALTH,
    ),
    Rule(
        id="TW716",
        slug="health-check-ignores-status",
        severity=Severity.WARNING,
        scope=Scope.MANIFEST,
        title="A health check fails when Triton says no",
        problem="curl without -f succeeds whatever status comes back.",
        bad=service('healthcheck: {test: ["CMD", "curl", "http://localhost:8000/v2/health/ready"]}'),
        good=service(_WGET),
        why="Triton says `not ready` with status 400 and an empty body; curl calls that a success.",
        source="tritonserver 2.51.0 (measured); curl's manual, --fail",
        check=_blind_command,
        box=Box.HEALTH,
    ),
    Rule(
        id="TW717",
        slug="health-check-with-head",
        severity=Severity.WARNING,
        scope=Scope.MANIFEST,
        title="A health check is a GET",
        problem="The command sends a HEAD request (curl -I, wget --spider).",
        bad=service('healthcheck: {test: ["CMD", "curl", "-fI", "http://localhost:8000/v2/health/ready"]}'),
        good=service(_WGET),
        why="tritonserver answers HEAD on its health endpoints with 405: the check fails while all is well.",
        source="tritonserver 2.51.0 (measured)",
        check=_head_request,
        box=Box.HEALTH,
    ),
    Rule(
        id="TW718",
        slug="exec-probe",
        severity=Severity.INFO,
        scope=Scope.MANIFEST,
        title="Probes are httpGet rather than a command",
        problem="The probe starts a process in the container to ask over HTTP.",
        bad=pod(HEALTH[0], _live('exec: {command: ["curl", "-f", "http://localhost:8000/v2/health/live"]}'), HEALTH[2]),
        good=pod(*HEALTH),
        why="Kubernetes can ask itself. A process costs CPU in the container that serves, and needs curl in the image.",
        source="Kubernetes: container probes",
        check=_executed,
    ),
    Rule(
        id="TW719",
        slug="liveness-timeout-of-one-second",
        severity=Severity.INFO,
        scope=Scope.MANIFEST,
        title="A liveness probe gives a busy server time to answer",
        problem="timeoutSeconds is 1, the default.",
        bad=pod(*HEALTH),
        good=pod(HEALTH[0], _live(f"httpGet: {{path: {LIVE}, port: 8000}}, timeoutSeconds: 5"), HEALTH[2]),
        why="Triton's HTTP threads serve requests too. Three late answers in a row restart a server that only has much "
        "to do, and make its neighbours busier.",
        source="Kubernetes: container probes (defaults)",
        check=_short_timeout,
    ),
)
