"""Rules 605-609: GPUs listed twice, profiles, counts and passive instances."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from triton_watch.check.rule import Box, Hit, Rule, Scope, Stage
from triton_watch.check.rules.instances import groups
from triton_watch.check.served import resolved
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options

_BASE = 'backend: "onnxruntime"\n'


_MANY = 100


def _listed_twice(model: Model, _options: Options) -> Iterator[Hit]:
    for index, group in groups(model):
        if len(set(group.gpus)) == len(group.gpus):
            continue
        seen: set[int] = set()
        for place, gpu in enumerate(group.gpus):
            if gpu in seen:
                yield model.hit(
                    f"GPU {gpu} is listed twice in one group: say with count how many instances each GPU shall have",
                    *("instance_group", index, "gpus", place),
                    fix=f"write gpus: [ {', '.join(map(str, list(dict.fromkeys(group.gpus))[:16]))} ]",
                )
            seen.add(gpu)


def _profile(model: Model, _options: Options) -> Iterator[Hit]:
    for index, group in groups(model):
        if not group.profile or not model.backend:
            continue
        if resolved(model).platform != "tensorrt_plan":
            yield model.hit(
                f'profile is for TensorRT, and the backend is {clip(model.backend)} (Triton: "specifies profile field '
                'which is only supported for TensorRT models")',
                *("instance_group", index, "profile"),
                fix="remove profile",
            )
            continue
        for place, profile in enumerate(group.profile):
            if reason := _bad_profile(profile):
                yield model.hit(
                    f"profile {clip(profile)!r} is no number of an optimization profile (Triton: {reason})",
                    *("instance_group", index, "profile", place),
                    fix='write the number of a profile of the engine, from "0" on',
                )


def _bad_profile(profile: str) -> str | None:
    """Say why Triton refuses it; it reads the beginning as a number, as `stoi` does."""
    match = re.match(r"[ \t\n\v\f\r]*([+-]?[0-9]+)", profile)
    if match is None:
        return f"\"unable to parse '{clip(profile)}'\""
    number = int(match[1][:20])
    if not -(2**31) <= number < 2**31:
        return "it ends with a crash (std::out_of_range)"
    return '"specifies invalid profile"' if number < 0 else None


def _count(model: Model, _options: Options) -> Iterator[Hit]:
    for index, group in groups(model):
        if model.has("instance_group", index, "count") and group.count < 1:
            yield model.hit(
                f"count {group.count} is taken as not given: the backend's default is used, 1 for most",
                *("instance_group", index, "count"),
                value=True,
                fix="write count: 1, or remove the group",
            )
        elif group.count >= _MANY:
            yield model.hit(
                f"{group.count:,} instances: each takes memory and time to make, and the server is not live before "
                "all are",
                *("instance_group", index, "count"),
                value=True,
                fix="begin with 1 or 2 and measure",
            )


def _passive(model: Model, _options: Options) -> Iterator[Hit]:
    if model.message.instance_group and all(group.passive for _, group in groups(model)) and not model.is_ensemble:
        yield model.hit(
            "every instance is passive: none takes requests, so they wait without end",
            *("instance_group", 0, "passive"),
            fix="remove passive from one group",
        )


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW605",
        slug="gpu-listed-twice",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="A group names each GPU once",
        problem="A GPU is in the list of one group more than once.",
        bad=f"{_BASE}instance_group [ {{ kind: KIND_GPU gpus: [ 0, 0 ] }} ]\n",
        good=f"{_BASE}instance_group [ {{ count: 2 kind: KIND_GPU gpus: [ 0 ] }} ]\n",
        why="Most often another GPU was meant, which then stays idle. Otherwise count says it better.",
        source="ValidateInstanceGroup in core/src/model_config_utils.cc does not look for it",
        check=_listed_twice,
        box=Box.INSTANCES,
    ),
    Rule(
        id="TW606",
        slug="instance-profile",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="profile is a number, and for TensorRT only",
        problem="A group has a profile and the backend is not TensorRT, or the profile is no number from 0 on.",
        bad=f'{_BASE}instance_group [ {{ kind: KIND_CPU profile: [ "0" ] }} ]\n',
        good='backend: "tensorrt"\ninstance_group [ { kind: KIND_GPU profile: [ "0" ] } ]\n',
        why="Triton refuses the model.",
        source="tritonserver 2.51.0 (measured)",
        check=_profile,
        stage=Stage.CORE,
        box=Box.INSTANCES,
    ),
    Rule(
        id="TW607",
        slug="instance-count",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="The number of instances is sensible",
        problem="count is 0 or negative, or in the hundreds.",
        bad=f"{_BASE}instance_group [ {{ count: 0 kind: KIND_CPU }} ]\n",
        good=f"{_BASE}instance_group [ {{ count: 2 kind: KIND_CPU }} ]\n",
        why=(
            "Triton takes 0 as not given: the model still has instances. 2,000 instances kept the server from starting."
        ),
        source="tritonserver 2.51.0 (measured)",
        check=_count,
        box=Box.INSTANCES,
    ),
    Rule(
        id="TW609",
        slug="passive-instances",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="Some instance takes requests",
        problem="All groups are passive.",
        bad=f"{_BASE}instance_group [ {{ kind: KIND_CPU passive: true }} ]\n",
        good=f"{_BASE}instance_group [ {{ kind: KIND_CPU }} ]\n",
        why="Triton gives no requests to passive instances and accepts a model that has no others.",
        source="tritonserver 2.51.0 (measured: it becomes READY)",
        check=_passive,
        confidence=Confidence.MEDIUM,
        box=Box.INSTANCES,
    ),
)
