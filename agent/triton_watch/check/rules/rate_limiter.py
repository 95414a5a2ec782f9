"""Rules 614-616: the rate limiter in instance groups."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from triton_watch.check.rule import Box, Hit, Rule, Scope, Stage
from triton_watch.check.rules.instances import groups
from triton_watch.records import Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options

_ONNX = 'backend: "onnxruntime"\n'
_RATE = "--rate-limit=execution_count"
_LIMITED = _ONNX + "instance_group [ {{ kind: KIND_CPU rate_limiter {{ {} }} }} ]\n"


def _limiter_off(model: Model, options: Options) -> Iterator[Hit]:
    for index, group in groups(model):
        if group.HasField("rate_limiter") and not options.rate_limit:
            unknown = options.rate_limit is None
            yield model.hit(
                f"rate_limiter acts only where tritonserver runs with {_RATE}"
                + ("" if unknown else ", and it does not"),
                *("instance_group", index, "rate_limiter"),
                fix=f"start the server with {_RATE}, or remove the block",
                severity=Severity.INFO if unknown else Severity.WARNING,
            )
            return


def _limiter_scopes(model: Model, options: Options) -> Iterator[Hit]:
    scopes: dict[str, set[bool]] = defaultdict(set)
    for index, group in groups(model):
        for place, resource in enumerate(group.rate_limiter.resources):
            scopes[resource.name].add(getattr(resource, "global"))
            if len(scopes[resource.name]) < 2:
                continue
            name = clip(resource.name)
            yield model.hit(
                f"the resource {name!r} is global in one place and of each device in another (Triton, with {_RATE}: "
                f'"Resource "{name}" is present as both global and device-specific resource")',
                *("instance_group", index, "rate_limiter", "resources", place),
                fix="write global: true everywhere or nowhere, or give one of them another name",
                severity=Severity.ERROR if options.rate_limit else Severity.WARNING,
            )
            return


def _limiter_counts(model: Model, _options: Options) -> Iterator[Hit]:
    for index, group in groups(model):
        names = set()
        for place, resource in enumerate(group.rate_limiter.resources):
            path = ("instance_group", index, "rate_limiter", "resources", place)
            if not resource.count:
                yield model.hit(
                    f"the resource {clip(resource.name)!r} has count 0, so it limits nothing",
                    *path,
                    fix="write count: 1",
                )
            if resource.name in names:
                yield model.hit(
                    f"the resource {clip(resource.name)!r} is listed twice in one group",
                    *path,
                    fix="write it once, with the count that an instance needs",
                )
            names.add(resource.name)


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW614",
        slug="rate-limiter-off",
        severity=Severity.INFO,
        scope=Scope.MODEL,
        title="rate_limiter is used by a server that limits rates",
        problem=f"A group has a rate_limiter, and it is not known, or not so, that the server runs with {_RATE}.",
        bad=_LIMITED.format('resources { name: "R" count: 1 }'),
        good=f"{_ONNX}instance_group [ {{ kind: KIND_CPU }} ]\n",
        why="By default the rate limiter is off, and the block without effect.",
        source="docs/user_guide/rate_limiter.md",
        check=_limiter_off,
        box=Box.INSTANCES,
    ),
    Rule(
        id="TW615",
        slug="rate-limiter-scope",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="A resource of the rate limiter is global or of a device",
        problem=(
            "A model uses one name for a global resource and for one of each device. An error where the limiter is on."
        ),
        bad=_LIMITED.format('resources { name: "R" count: 1 global: true } resources { name: "R" count: 1 }'),
        good=_LIMITED.format('resources { name: "R" count: 1 global: true }'),
        why=f"Triton refuses the model when it runs with {_RATE}.",
        source="tritonserver 2.51.0 (measured)",
        check=_limiter_scopes,
        stage=Stage.CORE,
        box=Box.INSTANCES,
    ),
    Rule(
        id="TW616",
        slug="rate-limiter-resources",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="Resources of the rate limiter have a count, once",
        problem="A resource has count 0, or is listed twice in one group.",
        bad=_LIMITED.format('resources { name: "R" }'),
        good=_LIMITED.format('resources { name: "R" count: 1 }'),
        why="Triton accepts both, and the limit is not the one that was meant.",
        source="tritonserver 2.51.0 (measured)",
        check=_limiter_counts,
        box=Box.INSTANCES,
    ),
)
