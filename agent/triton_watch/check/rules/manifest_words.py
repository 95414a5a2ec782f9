"""Rules 752-754: the words of a container's command, which are texts, one by one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from triton_watch.check.rule import Hit, Rule, Scope
from triton_watch.check.rules.manifest_parts import ARGS, command_lines, pod
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.manifest.records import Manifest
    from triton_watch.check.options import Options

_TWO_FLAGS = re.compile(r"\s(--[a-z][a-z0-9-]+)(?:[=\s]|$)")
MOST_TOLD = 10


def _one_word(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        # An entry point of one's own, such as `sh -c` in the image, may split it.
        if server.one_word and (container.own_entry or (container.image is not None and container.image.is_official)):
            yield manifest.hit(
                container,
                "does not start: its whole command is one word of the list, and there is no program of that name "
                '("no such file or directory")',
                server.span,
                fix="write each word on its own: [tritonserver, --model-repository=/models], or [sh, -c, COMMAND]",
            )


def _two_flags(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container, server in command_lines(manifest):
        for flag in server.flags:
            second = _TWO_FLAGS.search(flag.value or "") if flag.known and not flag.unknown_value else None
            if second is not None:
                yield manifest.hit(
                    container,
                    f"has {clip(second[1])} in the value of {flag.name}: they are one word, so it is no flag of its "
                    "own",
                    flag.span,
                    fix=f"make {clip(second[1])} a word of its own in the list",
                )


def _not_texts(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container in manifest.containers:
        for name, value in container.not_texts[:MOST_TOLD]:
            kind = "truth value" if value.text[:1].isalpha() else "number"
            yield manifest.hit(
                container,
                f"is refused by Kubernetes: {clip(name)} has the {kind} {clip(value.text)}, and takes texts alone "
                '("cannot unmarshal … into Go struct field … of type string")',
                value.span,
                fix=f'"{clip(value.text)}"',
            )


_BASE = pod()

RULES: tuple[Rule, ...] = (
    Rule(
        id="TW752",
        slug="command-in-one-word",
        severity=Severity.ERROR,
        scope=Scope.MANIFEST,
        title="Each word of a command stands on its own in the list",
        problem="tritonserver and its flags are one element of `command` or `args`, and no shell splits it.",
        bad=_BASE.replace(f"[{ARGS}]", '["tritonserver --model-repository=/models"]'),
        good=_BASE,
        why="The container's program is looked for by the whole text, blanks and all. The entry point of NVIDIA's "
        "image runs its arguments as they are, so it finds none either.",
        source="Kubernetes: a command and arguments for a container; nvidia_entrypoint.sh of Triton's image",
        check=_one_word,
    ),
    Rule(
        id="TW753",
        slug="two-flags-in-one-word",
        severity=Severity.WARNING,
        scope=Scope.MANIFEST,
        title="Each flag is a word of its own",
        problem="One element of the list holds two flags.",
        bad=pod(args='"--http-port=8080 --grpc-port=8081"'),
        good=pod(args="--http-port=8080, --grpc-port=8081"),
        why="The second one becomes the end of the first one's value. For a port it is dropped without a word, other "
        "values become wrong.",
        source="tritonserver 2.51.0: numbers are read with C++'s stoi",
        check=_two_flags,
        confidence=Confidence.MEDIUM,
    ),
    Rule(
        id="TW754",
        slug="number-where-text-belongs",
        severity=Severity.ERROR,
        scope=Scope.MANIFEST,
        title="Arguments and environment variables are texts",
        problem="YAML takes an element of `command` or `args`, or the value of an environment variable, for a number "
        "or a truth value.",
        bad=pod(args="--http-port, 8080"),
        good=pod(args='--http-port, "8080"'),
        why="Kubernetes refuses the object as a whole: nothing is deployed.",
        source="Kubernetes' API: Container.command, .args and EnvVar.value are strings",
        check=_not_texts,
    ),
)
