"""Rules 730-738: command lines that tritonserver refuses to start with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from triton_watch.check.manifest.flags import ABSENT_UNTIL, FLAGS, MEASURED, TRUTHS, FlagKind, candidates, known_with
from triton_watch.check.options import Release
from triton_watch.check.rule import Hit, Rule, Scope, Stage
from triton_watch.check.rules.manifest_parts import command_lines, pod
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip, listed, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from triton_watch.check.manifest.command import CommandLine, Flag
    from triton_watch.check.manifest.records import Container, Manifest
    from triton_watch.check.options import Options

OLDEST = Release(22, 12)
"""Between this release and 24.10 no flag of tritonserver went away."""
_CHOICES: Mapping[str, frozenset[str]] = {
    "--model-control-mode": frozenset({"none", "poll", "explicit"}),
    "--rate-limit": frozenset({"execution_count", "off"}),
}
_SETTING = re.compile(r"[^=]*=.*", re.DOTALL)
_CACHE_SETTING = re.compile(r"[^,]+,[^=]+=.*", re.DOTALL)
_FORMATS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "--metrics-config": (_SETTING, "SETTING=VALUE"),
    "--cache-config": (_CACHE_SETTING, "CACHE,SETTING=VALUE, such as local,size=1048576"),
    "--http-restricted-api": (re.compile(r"[^:]+:[^=]+=.*", re.DOTALL), "APIS:HEADER=VALUE"),
}
_INTEGER = re.compile(r"\s*[+-]?\d|true$|false$", re.IGNORECASE)
"""What C++'s stoi reads a beginning of; `--log-verbose` takes a truth value too."""


def _release(container: Container, options: Options) -> Release | None:
    return container.release or options.triton


def _unknown(manifest: Manifest, options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        release = _release(container, options)
        for flag in server.flags:
            if flag.known or len(candidates(flag.written)) > 1 or "$" in flag.written:
                continue
            sure = release is not None and OLDEST <= release <= MEASURED
            close = nearest(flag.written, FLAGS)
            single = flag.written[1:2] != "-"
            close = f"-{flag.written}" if single and f"-{flag.written}" in FLAGS else close
            yield manifest.hit(
                container,
                f"does not start: {clip(flag.written)} is no flag of tritonserver, which refuses unknown ones"
                if sure
                else f"may not start: {clip(flag.written)} is no flag of tritonserver {MEASURED}; it refuses those",
                flag.span,
                fix=f"did you mean {close}?" if close else "leave it out; `tritonserver --help` lists the flags",
                severity=None if sure else Severity.WARNING,
                confidence=None if sure else Confidence.MEDIUM,
            )


def _too_new(manifest: Manifest, options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        release = _release(container, options)
        for flag in server.flags:
            last = ABSENT_UNTIL.get(flag.name)
            if last is not None and release is not None and release <= last:
                yield manifest.hit(
                    container,
                    f"does not start: tritonserver {release} has no {flag.name} yet, and refuses unknown flags",
                    flag.span,
                    fix=f"leave it out, or take an image from {known_with(flag.name)} on, which is known to have it",
                )


def _ambiguous(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        for flag in server.flags:
            meant = () if flag.known else candidates(flag.written)
            if len(meant) > 1:
                yield manifest.hit(
                    container,
                    f'does not start: {clip(flag.written)} may stand for {listed(meant)} (Triton: "option '
                    f"'{clip(flag.written)}' is ambiguous\")",
                    flag.span,
                    fix="write the flag's whole name",
                )


def _bad_value(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        for flag in server.flags:
            fault = _fault(flag) if flag.known and not flag.unknown_value else None
            if fault is not None:
                yield manifest.hit(container, f"does not start: {flag.name} {fault[0]}", flag.span, fix=fault[1])


def _fault(flag: Flag) -> tuple[str, str] | None:
    """Return what is wrong with a flag's value, and what to write."""
    if FLAGS[flag.name] is FlagKind.NONE:
        return None if flag.value is None else ('takes no value (Triton: "doesn\'t allow an argument")', flag.name)
    if flag.value is None:
        return 'needs a value (Triton: "requires an argument")', f"{flag.name}=VALUE"
    return _wrong_kind(flag.name, flag.value) or _wrong_form(flag.name, flag.value)


def _wrong_kind(name: str, value: str) -> tuple[str, str] | None:
    kind, shown = FLAGS[name], clip(value)
    if kind is FlagKind.BOOL and value.lower() not in TRUTHS:
        return f"takes true or false, not '{shown}' (Triton: \"invalid value for bool option\")", f"{name}=true"
    if kind in {FlagKind.INT, FlagKind.FLOAT} and not _INTEGER.match(value) and not value.lstrip().startswith("."):
        return f"takes a number, not '{shown}' (Triton: \"Bad option\")", f"{name}=NUMBER"
    return None


def _wrong_form(name: str, value: str) -> tuple[str, str] | None:
    choices, form = _CHOICES.get(name), _FORMATS.get(name)
    if choices is not None and value.lower() not in choices:
        return f"takes {listed(sorted(choices))}, not '{clip(value)}'", f"{name}={nearest(value, choices) or 'VALUE'}"
    if form is not None and not form[0].fullmatch(value):
        return f"has the form {form[1]}, not '{clip(value)}'", f"{name}={form[1].partition(', such')[0]}"
    return None


def _stray(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        for word in server.strays if server.whole else ():
            yield manifest.hit(
                container,
                f"does not start: '{clip(word.text)}' is no flag (Triton: \"Unexpected argument\")",
                word.span,
                fix=f"--model-repository={clip(word.text)}" if "/" in word.text else "leave it out",
            )


def _no_repository(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        given = server.all("--model-repository") or server.all("--model-store")
        elsewhere = {"AIP_MODE", "AIP_STORAGE_URI", "SAGEMAKER_TRITON_DEFAULT_MODEL_NAME"} & set(container.env)
        if not given and server.whole and not elsewhere and server.last("--help") is None and not container.managed:
            yield manifest.hit(
                container,
                'does not start: nothing names a model repository (Triton: "--model-repository must be specified")',
                server.span,
                fix="--model-repository=/models, and mount it there",
            )


def _load_model(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        loads = server.all("--load-model")
        mode = server.last("--model-control-mode")
        if not loads or (mode is not None and (mode.unknown_value or (mode.value or "").lower() == "explicit")):
            continue
        if server.whole or mode is not None:
            yield manifest.hit(
                container,
                "does not start: --load-model is for the explicit mode only (Triton: \"Use of '--load-model' requires "
                "setting '--model-control-mode=explicit' as well.\")",
                loads[0].span,
                fix="add --model-control-mode=explicit, or leave --load-model out: without it all models are loaded",
            )


def _load_all(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        loads = server.all("--load-model")
        stars = [flag for flag in loads if flag.value == "*"]
        if stars and len({flag.value for flag in loads}) > 1:
            yield manifest.hit(
                container,
                "does not start: --load-model=* is given beside others (Triton: \"Wildcard model name '*' must be the "
                'ONLY startup model")',
                stars[0].span,
                fix="keep --load-model=*, or name the models one by one",
            )


def _clash(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        ports: dict[int, str] = {}
        for name, number in _open_ports(server):
            other = ports.setdefault(number, name)
            if other != name:
                flag = server.last(f"--{name}-port") or server.last(f"--{other}-port")
                yield manifest.hit(
                    container,
                    f'does not start: it shall listen for {other} and {name} on port {number} (Triton: "cannot listen '
                    'to … requests at the same address and port")',
                    server.span if flag is None else flag.span,
                    fix="give each a port of its own: 8000 HTTP, 8001 gRPC, 8002 metrics",
                )


def _open_ports(server: CommandLine) -> Iterator[tuple[str, int]]:
    if any(server.all(f"--{name}-address") for name in ("http", "grpc", "metrics")):
        return
    for name, default in (("http", 8000), ("grpc", 8001), ("metrics", 8002)):
        switch = "--allow-metrics" if name == "metrics" else f"--allow-{name}"
        number = server.port(f"--{name}-port", default)
        if number is not None and server.off(switch) is None:
            yield name, number


def _rule(number: int, slug: str, title: str, problem: str, args: str, good: str, why: str, check: object) -> Rule:
    return Rule(
        id=f"TW{number}",
        slug=slug,
        severity=Severity.ERROR,
        scope=Scope.MANIFEST,
        title=title,
        problem=problem,
        bad=args if args.startswith("---") else pod(args=args),
        good=pod(args=good),
        why=why,
        source="tritonserver 2.51.0 (measured)",
        check=check,  # type: ignore[arg-type]  # always one of the functions above
        stage=Stage.CORE,
    )


_EXITS = "tritonserver prints its usage and exits with 1: the container restarts for ever."
_NO_REPOSITORY = pod().replace(", --model-repository=/models", "")

RULES: tuple[Rule, ...] = (
    _rule(
        730,
        "unknown-flag",
        "Flags of tritonserver exist",
        "The command line has a flag that tritonserver does not know.",
        "--strict-readyness=true",
        "--strict-readiness=true",
        f"{_EXITS} From 22.12 to 24.10 no flag went away, so what 24.10 does not know, those releases refuse too; of "
        "other releases it is only likely.",
        _unknown,
    ),
    _rule(
        731,
        "flag-newer-than-image",
        "Flags are as old as the image",
        "The flag came with a later release than the image's.",
        pod(args='"--cache-config=local,size=1048576"', image="nvcr.io/nvidia/tritonserver:22.12-py3"),
        '"--cache-config=local,size=1048576"',
        f"{_EXITS} Which release lacks which flag is known from the servers in older wheels of nvidia-pytriton.",
        _too_new,
    ),
    _rule(
        732,
        "flag-ambiguous",
        "Flags are written out",
        "A shortened flag may stand for several.",
        "--allow-g=true",
        "--allow-grpc=true",
        f"The name may be shortened as long as only one flag begins so. Otherwise: {_EXITS}",
        _ambiguous,
    ),
    _rule(
        733,
        "flag-value-refused",
        "Values of flags are what tritonserver reads",
        "The value has the wrong form: no truth value, no number, none of the choices.",
        '"--allow-metrics=yes"',
        '"--allow-metrics=true"',
        f"true, false, 1 and 0 are truth values, whatever their case; yes and on are not. {_EXITS}",
        _bad_value,
    ),
    _rule(
        734,
        "stray-argument",
        "Everything on the command line belongs to a flag",
        "A word that is no flag, and no flag's value.",
        "/models",
        "--model-repository=/more",
        _EXITS,
        _stray,
    ),
    _rule(
        735,
        "no-model-repository",
        "Triton is told where its models are",
        "Neither --model-repository nor --model-store is there.",
        _NO_REPOSITORY,
        "",
        "Without a repository the server ends at once.",
        _no_repository,
    ),
    _rule(
        736,
        "load-model-without-explicit",
        "--load-model comes with --model-control-mode=explicit",
        "Models to load are named in a mode that loads all of them.",
        "--load-model=ranker",
        "--load-model=ranker, --model-control-mode=explicit",
        "tritonserver refuses to start rather than to ignore it.",
        _load_model,
    ),
    _rule(
        737,
        "load-all-and-more",
        "--load-model=* stands alone",
        "The star is given beside names.",
        '--model-control-mode=explicit, "--load-model=*", --load-model=ranker',
        '--model-control-mode=explicit, "--load-model=*"',
        "The star already means every model; tritonserver refuses to guess.",
        _load_all,
    ),
    _rule(
        738,
        "ports-clash",
        "HTTP, gRPC and metrics have ports of their own",
        "Two of tritonserver's listeners get the same port.",
        "--http-port=8002",
        "--http-port=8080",
        "tritonserver refuses to start.",
        _clash,
    ),
)
