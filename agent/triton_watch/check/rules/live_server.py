"""Rules 801-808 and 840-844: a live server's health endpoints, metrics, GPUs and release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.pbtxt.messages import ModelInstanceGroup
from triton_watch.check.rule import Box, Hit, RedLine, Rule, Scope
from triton_watch.records import Confidence, ModelStatus, Severity
from triton_watch.wording.text import clip, listed, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.live import LiveServer
    from triton_watch.check.options import Options

_SUMMARY = "_summary_us"


def _not_live(server: LiveServer, _options: Options) -> Iterator[Hit]:
    if server.live is False:
        yield server.hit(
            "the server says that it is not live: it is ending, or broken inside",
            fix="see the end of its log, and restart it",
        )


def _not_ready(server: LiveServer, _options: Options) -> Iterator[Hit]:
    if server.ready is not False or server.live is False:
        return
    bad = [one for one in server.states if one.status in {ModelStatus.UNAVAILABLE, ModelStatus.LOADING}]
    bad += [one for one in server.states if one.status is ModelStatus.UNLOADING]
    if bad:
        names = listed(dict.fromkeys(one.key.name for one in bad))
        message, fix = f"the server is not ready because of {names}", "mend, load or unload what is named"
    else:
        message = "the server is not ready, and its index has no model that would explain it: one without any version?"
        fix = "look for 'at least one version must be available' and 'failed to load' in its log"
    yield server.hit(message, fix=fix)


def _ready_anyway(server: LiveServer, _options: Options) -> Iterator[Hit]:
    states = {ModelStatus.UNAVAILABLE, ModelStatus.UNKNOWN, ModelStatus.NOT_LOADED}
    names = [one.key.name for one in server.states if one.status in states]
    failed = [one.key.name for one in server.states if one.status is ModelStatus.UNAVAILABLE]
    if not server.ready or not failed:
        return
    yield server.hit(
        f"the server says that it is ready, though {listed(dict.fromkeys(names))} {'is' if len(names) == 1 else 'are'} "
        "not: whoever probes /v2/health/ready sends requests that fail",
        fix="start it without --strict-readiness=false, or probe /v2/models/MODEL/ready for the models that matter",
    )


def _not_told(server: LiveServer, _options: Options) -> Iterator[Hit]:
    for problem in server.problems:
        if problem.restricted:
            yield server.hit(
                f"{problem.endpoint} is restricted (403): what it would tell is not judged",
                fix="give the header of --http-restricted-api: --header 'NAME: VALUE'",
                severity=Severity.INFO,
                red_line=False,
            )
        else:
            yield server.hit(
                f"{problem.endpoint} did not answer: {clip(problem.message, 300)}",
                fix="try it with curl; what it would tell is not judged",
            )


def _no_health(server: LiveServer, _options: Options) -> Iterator[Hit]:
    asked = [problem for problem in server.problems if "/health/" in problem.endpoint and not problem.restricted]
    if asked:
        yield server.hit(
            f"the server's health cannot be asked: {listed(one.endpoint for one in asked)} did not answer",
            fix="let /v2/health/live and /v2/health/ready through, in proxies too",
        )


def _no_metrics(server: LiveServer, _options: Options) -> Iterator[Hit]:
    facts = server.metrics
    if facts is not None and facts.problem:
        yield server.hit(
            f"there is no metrics page: {clip(facts.problem, 300)}",
            fix="start it without --allow-metrics=false; if the page is elsewhere, say so: --metrics-url URL",
        )
    elif facts is not None and (facts.empty or not any(name.startswith("nv_") for name in facts.families)):
        yield server.hit(
            "the metrics page has no metrics of Triton's: its port answers any path, with an empty page",
            fix="the path is /metrics; if the page is elsewhere, say so: --metrics-url URL",
        )


def _no_gpu_metrics(server: LiveServer, _options: Options) -> Iterator[Hit]:
    facts = server.metrics
    if facts is None or not facts.answered or facts.gpus or any("nv_gpu_" in name for name in facts.families):
        return
    users = sorted(name for name, _ in _gpu_groups(server))
    if users:
        yield server.hit(
            f"no GPU metrics, while {listed(dict.fromkeys(users), 3)} run on GPUs: nobody sees how full they are",
            fix="start it without --allow-gpu-metrics=false, in an image with DCGM; MIG devices have none",
        )


def _gpu_groups(server: LiveServer) -> Iterator[tuple[str, ModelInstanceGroup]]:
    for name, config in server.configs.items():
        for group in config.instance_group:
            if group.kind == ModelInstanceGroup.KIND_GPU:
                yield name, group


def _gpu_lacking(server: LiveServer, _options: Options) -> Iterator[Hit]:
    count = 0 if server.metrics is None else len(server.metrics.gpus)
    if not count:
        return
    for name, model in server.on_disk.items():
        for number, group in enumerate(model.message.instance_group):
            beyond = sorted({gpu for gpu in group.gpus if gpu >= count})
            if beyond:
                yield model.hit(
                    f"'{clip(name)}' asks for GPU {listed(map(str, beyond))}, and {server.url} has "
                    f"{plural(count, 'GPU')}, numbered from 0: it does not load there",
                    "instance_group",
                    number,
                    "gpus",
                    fix="name GPUs that the server has",
                )


def _summaries(server: LiveServer, _options: Options) -> Iterator[Hit]:
    if server.metrics is not None and any(name.endswith(_SUMMARY) for name in server.metrics.families):
        yield server.hit(
            "the server computes quantiles of its latencies (summary_latencies=true): each request pays for them",
            fix="leave --metrics-config=summary_latencies=true out where throughput matters",
        )


def _other_release(server: LiveServer, options: Options) -> Iterator[Hit]:
    release = server.release
    if release is not None and options.triton is not None and release != options.triton:
        yield server.hit(
            f"the server is {release} ({server.version}), and this check was for {options.triton}",
            fix=f"check for the release that serves: {release}",
        )


def _rule(number: int, slug: str, severity: Severity, title: str, **more: object) -> Rule:
    fields = {"scope": Scope.LIVE, "source": "tritonserver 2.51.0 (measured)", **more}
    return Rule(id=f"TW{number}", slug=slug, severity=severity, title=title, **fields)  # type: ignore[arg-type]


RULES_OF_HEALTH: tuple[Rule, ...] = (
    _rule(
        801,
        "server-not-live",
        Severity.ERROR,
        "The server is live",
        problem="/v2/health/live says no.",
        bad="GET /v2/health/live answers 400.",
        good="GET /v2/health/live answers 200.",
        why="Nothing is served, or not for long.",
        check=_not_live,
        box=Box.HEALTH,
    ),
    _rule(
        802,
        "server-not-ready",
        Severity.ERROR,
        "The server is ready",
        problem="/v2/health/ready says no.",
        bad="GET /v2/health/ready answers 400.",
        good="GET /v2/health/ready answers 200.",
        why="Load balancers and Kubernetes take it out of service, with all its models.",
        check=_not_ready,
        box=Box.HEALTH,
    ),
    _rule(
        803,
        "ready-though-models-failed",
        Severity.WARNING,
        "Ready means that the models are",
        problem="/v2/health/ready says yes while models are UNAVAILABLE.",
        bad="GET /v2/health/ready answers 200, and the index has a model that is UNAVAILABLE.",
        good="GET /v2/health/ready answers 200, and all models of the index are READY.",
        why="With --strict-readiness=false, and for models that are in several repositories, `ready` counts nothing.",
        check=_ready_anyway,
        box=Box.HEALTH,
    ),
    _rule(
        804,
        "health-endpoints-missing",
        Severity.WARNING,
        "The server's health can be asked",
        problem="A health endpoint does not answer.",
        bad="GET /v2/health/ready answers 404, from a proxy.",
        good="GET /v2/health/live and /v2/health/ready answer 200.",
        why="What nobody can ask nobody watches.",
        check=_no_health,
        red_line=RedLine.NO_HEALTH_CHECK,
        box=Box.HEALTH,
    ),
    _rule(
        805,
        "endpoint-not-judged",
        Severity.WARNING,
        "The server answers what this check asks",
        problem="An endpoint is restricted, or answers with an error.",
        bad="POST /v2/repository/index answers 403.",
        good="POST /v2/repository/index answers 200.",
        why="Rules about what it would tell find nothing, which is not the same as nothing being wrong.",
        check=_not_told,
    ),
)
RULES_OF_METRICS: tuple[Rule, ...] = (
    _rule(
        840,
        "live-metrics-missing",
        Severity.WARNING,
        "The server has a metrics page",
        problem="The metrics page does not answer, or is empty.",
        bad="GET :8002/metrics is refused.",
        good="GET :8002/metrics has nv_inference_request_success and others.",
        why="Failures, queues and latency of a Triton show there and nowhere else.",
        check=_no_metrics,
        box=Box.METRICS,
    ),
    _rule(
        841,
        "live-gpu-metrics-missing",
        Severity.WARNING,
        "A server with GPUs has GPU metrics",
        problem="Models run on GPUs, and the page has no nv_gpu_ metrics.",
        bad="The page has no nv_gpu_utilization, and a completed configuration has KIND_GPU.",
        good="The page has nv_gpu_utilization for each GPU.",
        why="Triton leaves these families out without a word when DCGM does not start.",
        check=_no_gpu_metrics,
        box=Box.METRICS,
        confidence=Confidence.MEDIUM,
    ),
    _rule(
        842,
        "live-gpu-beyond",
        Severity.WARNING,
        "Configurations on disk name GPUs that the server has",
        problem="gpus names an id that is not below the number of GPUs on the metrics page.",
        bad="A model on disk has gpus: [2], and the metrics page has two GPUs.",
        good="A model on disk has gpus: [1], and the metrics page has two GPUs.",
        why="Triton refuses the model when it is loaded.",
        check=_gpu_lacking,
        box=Box.INSTANCES,
    ),
    _rule(
        843,
        "live-summaries",
        Severity.INFO,
        "Quantiles are not computed in the server",
        problem="The metrics page has summaries.",
        bad="The page has nv_inference_request_summary_us.",
        good="The page has counters only.",
        why="Each request updates several sketches, and quantiles of several servers cannot be put together.",
        check=_summaries,
    ),
    _rule(
        844,
        "live-release-differs",
        Severity.WARNING,
        "The check is for the release that serves",
        problem="The release that was given for this check is not the server's.",
        bad="`--triton 24.01`, and the server says 2.51.0, which is 24.10.",
        good="`--triton 24.10`, and the server says 2.51.0.",
        why="What a release accepts changes: fields, flags, backends.",
        check=_other_release,
    ),
)
