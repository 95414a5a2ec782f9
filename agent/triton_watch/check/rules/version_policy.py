"""Rules 124-125: which versions the version policy selects."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from triton_watch.check.rule import Box, Hit, Rule, Scope, Stage
from triton_watch.check.rules.without_config import judged
from triton_watch.records import Severity
from triton_watch.wording.text import clip, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options

_CONFIG = 'backend: "onnxruntime"\n'


def loaded_versions(model: Model) -> frozenset[int]:
    """Return the numbers of the versions that Triton loads: its own choice, oddities included.

    A missing version that `specific` names twice counts as there, and an empty `version_policy {}` as `all`
    (seen on 2.51.0; VersionsToLoad in core/src/model_lifecycle.cc).
    """
    there = {version.number for version in model.versions}
    policy = model.message.version_policy
    choice = policy.WhichOneof("policy_choice")
    if choice == "specific":
        wanted = Counter(policy.specific.versions)
        return frozenset(number for number, times in wanted.items() if number in there or times > 1)
    if choice == "all" or (choice is None and model.message.HasField("version_policy")):
        return frozenset(there)
    count = policy.latest.num_versions if choice == "latest" else 1
    return frozenset(sorted(there, reverse=True)[:count])


def _selects_none(model: Model, _options: Options) -> Iterator[Hit]:
    if not judged(model) or not model.versions or not model.readable or loaded_versions(model):
        return
    there = listed(str(version.number) for version in model.versions)
    latest = model.message.version_policy.WhichOneof("policy_choice") == "latest"
    what = (
        "latest with num_versions 0 selects none" if latest else "none of the versions that `specific` names is there"
    )
    yield model.hit(
        f'{what}: there is {there} (Triton: "at least one version must be available under the version policy")',
        "version_policy",
        *(("latest", "num_versions") if latest else ("specific", "versions")),
        fix="write num_versions: 1" if latest else f"write versions: [{model.versions[-1].number}]",
    )


def _partly_missing(model: Model, _options: Options) -> Iterator[Hit]:
    policy = model.message.version_policy
    if not judged(model) or not policy.HasField("specific") or not loaded_versions(model):
        return
    there = {version.number for version in model.versions}
    numbers = list(policy.specific.versions)
    places = {number: index for index, number in reversed(list(enumerate(numbers))) if number not in there}
    for number, index in places.items():
        twice = numbers.count(number) > 1 if len(places) < 100 else False
        yield model.hit(
            f"version {number} is asked for and there is no directory {number}: "
            + ("named twice, Triton takes it for one that is there" if twice else "Triton only logs that"),
            *("version_policy", "specific", "versions", index),
            fix=f"add {clip(model.name)}/{number}/ or remove {number} from the list",
        )


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW124",
        slug="version-policy-selects-none",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="version_policy selects a version that is there",
        problem="`latest` has num_versions 0 or none written, or `specific` names only versions that are not there.",
        bad=f"{_CONFIG}version_policy {{ specific {{ versions: [2] }} }}\n",
        good=f"{_CONFIG}version_policy {{ specific {{ versions: [1] }} }}\n",
        why="Triton refuses a model of which no version is left.",
        source="tritonserver 2.51.0 (measured)",
        check=_selects_none,
        stage=Stage.CORE,
        box=Box.STRUCTURE,
    ),
    Rule(
        id="TW125",
        slug="version-policy-partly-missing",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="Every version that version_policy names is there",
        problem="`specific` names a version without a directory, beside others that are there.",
        bad=f"{_CONFIG}version_policy {{ specific {{ versions: [1, 2] }} }}\n",
        good=f"{_CONFIG}version_policy {{ specific {{ versions: [1] }} }}\n",
        why="Triton starts without it. Clients that ask for that version get errors.",
        source="tritonserver 2.51.0 (measured)",
        check=_partly_missing,
        box=Box.STRUCTURE,
    ),
)
