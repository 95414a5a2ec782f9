"""Rules 741-751: how tritonserver is told to serve, and whether its container lets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.manifest.flags import REPLACED
from triton_watch.check.manifest.records import Manifest, Platform
from triton_watch.check.rule import Box, Hit, Rule, Scope
from triton_watch.check.rules.manifest_parts import command_lines, pod, served, service
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.manifest.command import CommandLine
    from triton_watch.check.manifest.records import Container
    from triton_watch.check.options import Options

EXIT_SECONDS = 30
"""Default of --exit-timeout-secs."""
COMPOSE_GRACE, KUBERNETES_GRACE = 10, 30


def _mode(server: CommandLine) -> str:
    flag = server.last("--model-control-mode")
    return "none" if flag is None else (flag.value or "").lower()


def _no_command(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container in served(manifest):
        image = container.image
        if container.server is not None or image is None or not image.is_official:
            continue
        if not container.starts_with:
            message = "says nothing about what to start: NVIDIA's image runs no tritonserver by itself"
            yield manifest.hit(container, message, image.span, fix=_START)
        elif container.starts_with.startswith("-"):
            message = "starts with a flag: NVIDIA's image runs its arguments as a command, and there is none"
            yield manifest.hit(container, message, container.command, fix=_START)


_START = "args: [tritonserver, --model-repository=/models]"


def _explicit(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        if _mode(server) == "explicit" and not server.all("--load-model") and server.whole:
            yield manifest.hit(
                container,
                "serves nothing after a start: in the explicit mode only models of --load-model are loaded, and ready "
                "is 200 meanwhile",
                (server.last("--model-control-mode") or server).span,
                fix="--load-model=MODEL for each one (or --load-model=*), unless a client loads them over the API",
            )


def _poll(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        flag = server.last("--model-control-mode")
        if flag is not None and _mode(server) == "poll":
            yield manifest.hit(
                container,
                "reloads models whenever their files change: one that is half copied is loaded half, and a bad edit is "
                "only in the log",
                flag.span,
                fix="--model-control-mode=none and a new rollout for each change, or explicit and the load API",
            )


def _poll_seconds(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        flag, mode = server.last("--repository-poll-secs"), server.last("--model-control-mode")
        if flag is not None and _mode(server) != "poll" and not (mode is not None and mode.unknown_value):
            yield manifest.hit(
                container,
                "never polls its repository: --repository-poll-secs does nothing without --model-control-mode=poll",
                flag.span,
                fix="leave it out",
            )


def _limits_unused(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        flag, rate = server.last("--rate-limit-resource"), server.last("--rate-limit")
        if flag is not None and (rate is None or (rate.value or "").lower() == "off"):
            yield manifest.hit(
                container,
                "limits nothing: --rate-limit-resource does nothing without --rate-limit=execution_count",
                flag.span,
                fix="add --rate-limit=execution_count",
            )


def _exit_on_error(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        given = server.last("--exit-on-error") or server.last("--load-model")
        if given is None and server.whole and _mode(server) == "none" and container.serves and not container.managed:
            yield manifest.hit(
                container,
                "ends when one of its models fails to load at the start (--exit-on-error is true by default): all "
                "others are down with it",
                server.span,
                fix="say which you want: --exit-on-error=true keeps a bad rollout from replacing a good one, "
                "--exit-on-error=false serves the models that work",
            )


def _not_strict(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        flag = server.off("--strict-readiness")
        if flag is not None:
            yield manifest.hit(
                container,
                "is ready whatever its models do: with --strict-readiness=false /v2/health/ready is 200 as soon as "
                "the server answers",
                flag.span,
                fix="leave it out, or probe the models that matter: /v2/models/MODEL/ready",
            )


def _verbose(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        flag = server.last("--log-verbose")
        if flag is not None and ((flag.number or 0) > 0 or flag.truth):
            yield manifest.hit(
                container,
                f"logs every step of every request (--log-verbose={clip(flag.value or '')}): slow, and it fills disks",
                flag.span,
                fix="--log-verbose=0; POST /v2/logging changes it while the server runs",
            )


def _deprecated(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        for flag in server.flags:
            new = REPLACED.get(flag.name)
            if new is None:
                continue
            if flag.name == "--strict-model-config" and flag.truth is False:
                fix = "leave it out: configurations are completed unless --disable-auto-complete-config is given"
            else:
                fix = f"write {new}"
            yield manifest.hit(container, f"uses {flag.name}, which is deprecated", flag.span, fix=fix)


def _not_mounted(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        # Images that are built on NVIDIA's may have the models in them.
        if container.managed or container.image is None or not container.image.is_official:
            continue
        for flag in (*server.all("--model-repository"), *server.all("--model-store")):
            path = (flag.value or "").rstrip("/")
            if flag.unknown_value or not path.startswith("/") or _mounted(container, path):
                continue
            yield manifest.hit(
                container,
                f"has no volume at {clip(path)}, its model repository: NVIDIA's image has no models",
                flag.span,
                fix=f"mount the models at {clip(path)}",
            )


def _mounted(container: Container, path: str) -> bool:
    spots = (mount.path for mount in container.mounts if not mount.memory or mount.path != "/dev/shm")  # noqa: S108
    return any("$" in spot or f"{path}/".startswith(f"{spot}/") or spot.startswith(f"{path}/") for spot in spots)


def _short_grace(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container in served(manifest):
        flag = None if container.server is None else container.server.last("--exit-timeout-secs")
        wanted = EXIT_SECONDS if flag is None else flag.number
        compose = container.platform is Platform.COMPOSE
        default = COMPOSE_GRACE if compose else KUBERNETES_GRACE
        grace = default if container.grace is None else container.grace.number
        if wanted is None or grace is None or grace >= wanted:
            continue
        name = "stop_grace_period" if compose else "terminationGracePeriodSeconds"
        yield manifest.hit(
            container,
            f"is killed {grace:g} s after it was told to stop, and lets requests finish for {wanted} s: the last ones "
            "are cut off",
            container.span if container.grace is None else container.grace.span,
            fix=f"{name}: {wanted + 10}{'s' if compose else ''}",
            severity=Severity.INFO if compose and container.grace is None else None,
        )


def _more(number: int, slug: str, title: str, bad: str, good: str, **more: object) -> Rule:
    fields = {"severity": Severity.WARNING, "source": "tritonserver --help, 2.51.0", "scope": Scope.MANIFEST, **more}
    return Rule(id=f"TW{number}", slug=slug, title=title, bad=bad, good=good, **fields)  # type: ignore[arg-type]


_MOUNT = "volumeMounts: [{name: models, mountPath: /models}]"

RULES: tuple[Rule, ...] = (
    _more(
        741,
        "no-server-command",
        "The container starts tritonserver",
        service().replace("    command: tritonserver --model-repository=/models\n", ""),
        service(),
        problem="NVIDIA's image is run without a command, or with flags alone.",
        why="The entry point of nvcr.io/nvidia/tritonserver prints a banner and runs the command it is given: without "
        "one it ends.",
        source="nvidia_entrypoint.sh of Triton's image",
        check=_no_command,
        confidence=Confidence.MEDIUM,
    ),
    _more(
        742,
        "explicit-without-models",
        "The explicit mode is told what to load",
        pod(args="--model-control-mode=explicit"),
        pod(args="--model-control-mode=explicit, --load-model=ranker"),
        severity=Severity.INFO,
        problem="--model-control-mode=explicit without --load-model.",
        why="After each restart the server is empty and ready, until a client loads its models again.",
        source="tritonserver 2.51.0 (measured)",
        check=_explicit,
    ),
    _more(
        743,
        "poll-mode",
        "Models are not polled in production",
        pod(args="--model-control-mode=poll"),
        pod(),
        problem="--model-control-mode=poll.",
        why="Triton may read a model while it is being written, and its documentation advises against that in "
        "production. A bad edit keeps the old model, and is seen in the log only.",
        source="Triton's documentation of model management; tritonserver 2.51.0 (measured)",
        check=_poll,
    ),
    _more(
        744,
        "poll-seconds-without-poll",
        "--repository-poll-secs comes with the poll mode",
        pod(args="--repository-poll-secs=30"),
        pod(),
        problem="The interval is set, and nothing polls.",
        why="Whoever wrote it expects new models to be picked up.",
        check=_poll_seconds,
    ),
    _more(
        745,
        "rate-limit-resource-without-effect",
        "--rate-limit-resource comes with --rate-limit=execution_count",
        pod(args='"--rate-limit-resource=R1:4:0"'),
        pod(args='"--rate-limit-resource=R1:4:0", --rate-limit=execution_count'),
        problem="Resources are set, and the rate limiter is off.",
        why="Off is the default: then nothing is limited, and nobody says so.",
        check=_limits_unused,
    ),
    _more(
        746,
        "exit-on-error-not-considered",
        "What happens when a model fails at the start is a decision",
        pod(),
        pod(args="--exit-on-error=false"),
        severity=Severity.INFO,
        problem="Neither --exit-on-error nor --load-model is there.",
        why="By default one broken model keeps a server of a hundred from starting. That may be right (a bad rollout "
        "stops) or very wrong (a restart takes everything down).",
        check=_exit_on_error,
    ),
    _more(
        747,
        "readiness-not-strict",
        "Ready means that the models are",
        pod(args="--strict-readiness=false"),
        pod(),
        problem="--strict-readiness=false.",
        why="The readiness probe then passes while models are UNAVAILABLE, and their requests fail.",
        source="tritonserver 2.51.0 (measured)",
        check=_not_strict,
        box=Box.HEALTH,
    ),
    _more(
        748,
        "verbose-log",
        "The log is not verbose in production",
        pod(args="--log-verbose=1"),
        pod(),
        severity=Severity.INFO,
        problem="--log-verbose is above 0.",
        why="Several lines a request are written under a lock.",
        check=_verbose,
    ),
    _more(
        749,
        "deprecated-flag",
        "Flags are not deprecated",
        pod(args="--strict-model-config=false"),
        pod(),
        severity=Severity.INFO,
        problem="tritonserver warns of this flag at each start.",
        why="Deprecated flags go away, and a server refuses flags that it does not know.",
        check=_deprecated,
    ),
    _more(
        750,
        "repository-not-mounted",
        "The model repository is mounted",
        pod(),
        pod(_MOUNT),
        problem="--model-repository is a local path at which nothing is mounted, in NVIDIA's own image.",
        why="tritonserver ends at once when the directory is not there.",
        source='tritonserver 2.51.0 (measured): "failed to stat file"',
        check=_not_mounted,
        confidence=Confidence.MEDIUM,
    ),
    _more(
        751,
        "grace-period-too-short",
        "The server may finish its requests",
        service("stop_grace_period: 5s"),
        service("stop_grace_period: 40s"),
        problem="It is killed before --exit-timeout-secs (30 s by default) is over.",
        why="tritonserver refuses new requests and waits for those in flight. SIGKILL ends them.",
        check=_short_grace,
    ),
)
