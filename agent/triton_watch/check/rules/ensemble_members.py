"""52x: the models of an ensemble: that they are there, load, and have the version that a step asks for."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from triton_watch.check.engine import run_rules
from triton_watch.check.graph import graph_of
from triton_watch.check.members import Fault, nesting
from triton_watch.check.repository import Repository
from triton_watch.check.rule import Rule, Scope, Stage
from triton_watch.check.rules.ensemble import said
from triton_watch.check.rules.ensemble_examples import GOOD, ensemble_text, model_text, repository_text, step_text
from triton_watch.check.served import served_versions
from triton_watch.records import Severity
from triton_watch.wording.text import clip, listed, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triton_watch.check.graph import Step
    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit
    from triton_watch.check.summary import ModelSummary, Summaries

_ANY_VERSION = -1
_MISSING, _CIRCLE = "TW520", "TW522"
_MOST_TYPOS, _MOST_COMPARED, _MOST_ADVISED = 4, 5_000, 20
_SOURCE = "tritonserver 2.51.0 (measured); ModelRepositoryManager, src/model_repository_manager."


def members(model: Model) -> Iterator[tuple[Step, Model]]:
    """Yield the steps of an ensemble whose model is there, with it; nothing of a configuration that was given alone."""
    if model.is_ensemble and not model.detached:
        for step in graph_of(model).steps:
            member = model.repository.model(step.model) if step.model else None
            if member is not None:
                yield step, member


def _missing(collection: Sequence[Summaries], _options: Options) -> Iterator[Hit]:
    whole = [one for one in collection if one.whole]  # parts of them may be anything
    counts = Counter(name for one in whole if one.together for name in one.models)
    for own in collection:
        folder = Repository(own.path)
        others = [Repository(one.path) for one in whole if own.whole and one is not own]
        for ensemble in own.models.values():
            if ensemble.path == own.path:
                continue  # a configuration that was given alone
            for name in dict.fromkeys(ensemble.members):
                twice = own.whole and own.together and counts[name] > 1
                if name and (twice or (name not in own.models and folder.model(name) is None)):
                    yield from _missing_of(ensemble, folder, others, together=own.together)
                    break


def _missing_of(ensemble: ModelSummary, own: Repository, others: list[Repository], *, together: bool) -> Iterator[Hit]:
    """Read an ensemble again, for its places, and yield what is wrong with each model that it calls."""
    model = Repository(own.path, only=frozenset({ensemble.name}), given=ensemble.path).model(ensemble.name)
    told: set[str] = set()
    for step in graph_of(model).steps if model is not None and model.is_ensemble else ():
        if model is None or not step.model or step.model in told:
            continue
        told.add(step.model)
        other = next((one for one in others if one.model(step.model) is not None), None)
        if own.model(step.model) is None:
            yield _elsewhere(model, step, other) if other is not None else _nowhere(model, step, own, len(told))
        elif other is not None and together:
            yield _ambiguous(model, step, other)


def _elsewhere(model: Model, step: Step, other: Repository) -> Hit:
    return model.hit(
        f"the model {clip(step.model)} is in another repository, {clip(str(other.path))}: the ensemble loads only on "
        "servers that are given both",
        *(*step.path, "model_name"),
        value=True,
        fix="start tritonserver with both --model-repository, or keep the models of an ensemble together",
        severity=Severity.INFO,
    )


def _nowhere(model: Model, step: Step, own: Repository, number: int) -> Hit:
    name = clip(step.model)
    meant = nearest(step.model, _similar(step.model, own)) if number <= _MOST_ADVISED else None
    return model.hit(
        f'there is no model {name} in the repository; Triton: "ensemble {clip(model.name)} contains models that are '
        "not "
        f'available or ambiguous: {name}"',
        *(*step.path, "model_name"),
        value=True,
        fix=f'write model_name: "{clip(meant)}"' if meant else f"add the model as {name}/config.pbtxt",
    )


def _ambiguous(model: Model, step: Step, other: Repository) -> Hit:
    name = clip(step.model)
    return model.hit(
        f'the model {name} is in {clip(str(other.path))} as well; Triton: "ensemble {clip(model.name)} contains models '
        f'that are not available or ambiguous: {name}"',
        *(*step.path, "model_name"),
        value=True,
        fix="rename or remove one of the two",
    )


def _similar(name: str, repository: Repository) -> list[str]:
    """Return the models whose names are about as long: a repository may have very many."""
    names = (entry.name for entry in repository.folder.entries if entry.is_dir)
    return [other for other in names if abs(len(other) - len(name)) <= _MOST_TYPOS][:_MOST_COMPARED]


def _refused(model: Model, options: Options) -> Iterator[Hit]:
    for step, member, fault in _broken(model, options):
        if fault.stage is Stage.CORE and fault.rule != _CIRCLE:  # a circle is told as one
            yield model.hit(
                f"Triton refuses {clip(step.model)} ({fault.rule} there), and so the ensemble too: its model is "
                '"not available" or "has no loaded version"',
                *step.path,
                "model_name",
                value=True,
                fix=_mend_first(member, fault),
            )


def _unserved(model: Model, options: Options) -> Iterator[Hit]:
    for step, member, fault in _broken(model, options):
        if fault.stage is Stage.BACKEND:
            yield model.hit(
                f"the backend cannot serve {clip(step.model)} ({fault.rule} there), so the ensemble does not load: "
                'Triton says that it "has no loaded version"',
                *step.path,
                "model_name",
                value=True,
                fix=_mend_first(member, fault),
            )


def _mend_first(member: Model, fault: Fault) -> str:
    """Name what is wrong with a member and where: a missing directory is not mended in config.pbtxt."""
    return (
        f"mend {fault.rule} of {clip(member.name)} first, in {clip(fault.file or str(member.path), 120)}: "
        f"`triton-watch rules explain {fault.rule}` says what it is"
    )


def _broken(model: Model, options: Options) -> Iterator[tuple[Step, Model, Fault]]:
    """Yield the first step of each member that does not load."""
    if not model.is_ensemble or model.detached:
        return
    _judge_below(model, options)
    known = nesting(model.repository).faults
    told: set[str] = set()
    for step, member in members(model):
        fault = known.get(step.model)
        if fault is not None and step.model not in told:
            told.add(step.model)
            yield step, member, fault


def _judge_below(model: Model, options: Options) -> None:
    """Find the first error of every model below an ensemble, the lowest first."""
    known = nesting(model.repository)
    for name in known.unjudged(model.name):
        known.faults[name] = None
        below = model.repository.model(name)
        if below is not None:
            known.faults[name] = _fault(below, options)


def _fault(model: Model, options: Options) -> Fault | None:
    from triton_watch.check.rules import RULES  # noqa: PLC0415  # the list of rules has this one in it

    for stage in (Stage.CORE, Stage.BACKEND):
        rules = [rule for rule in RULES if rule.stage is stage and rule.severity is Severity.ERROR]
        for found in run_rules(rules, Scope.MODEL, model, options):
            if found.severity is Severity.ERROR:
                return Fault(found.rule, stage, found.file or "")
        if model.is_ensemble and any(True for _ in _absent(model)):
            return Fault(_MISSING, Stage.CORE, str(model.config_path))
    return None


def _absent(model: Model) -> Iterator[str]:
    for step in graph_of(model).steps:
        if step.model and model.repository.model(step.model) is None:
            yield step.model


def _circular(model: Model, _options: Options) -> Iterator[Hit]:
    if not model.is_ensemble or model.detached:
        return
    known = nesting(model.repository)
    known.explore(model.name)
    circle = known.circle.get(model.name)
    if circle is None:
        return
    inside = model.name in circle
    start = circle.index(model.name) if inside else 0
    turned = [*circle[start:], *circle[: start + 1]]
    shown = " -> ".join(clip(name) for name in (turned if len(turned) <= 8 else [*turned[:6], "…", turned[-1]]))
    yield model.hit(
        f'ensembles call each other in a circle, {shown}; Triton: "circular dependency between ensembles"'
        if inside
        else f"the ensemble depends on ensembles that call each other in a circle, {shown}: 2.51.0 ends on it when "
        "it is "
        "asked to load this one",
        *_step_to(model, turned[1] if inside else None, known.circle),
        fix="take one of the steps out; loops need a Python model that calls the others (BLS)",
    )


def _step_to(model: Model, name: str | None, circles: dict[str, tuple[str, ...] | None]) -> tuple[str | int, ...]:
    for step in graph_of(model).steps:
        if step.model == name or (name is None and circles.get(step.model)):
            return (*step.path, "model_name")
    return ("ensemble_scheduling",)


def _version(model: Model, _options: Options) -> Iterator[Hit]:
    for step, member in members(model):
        loaded = {version.number for version in served_versions(member)}
        if step.version == _ANY_VERSION or step.version in loaded or not loaded:
            continue
        if not model.has(*step.path, "model_version"):
            if model.readable:
                yield model.hit(
                    f'{said(step)} has no model_version, and what is left out is 0; Triton: "ensemble '
                    f"'{clip(model.name)}' depends on '{clip(step.model)}' whose required version 0 is not loaded.\"",
                    *step.path,
                    fix="write model_version: -1 for the newest version",
                )
            continue
        there = {version.number for version in member.versions}
        policy = " (it is there, but version_policy leaves it out)" if step.version in there else ""
        yield model.hit(
            f"version {step.version} of {clip(step.model)} is not loaded{policy}, only "
            f"{listed(str(number) for number in sorted(loaded))}; Triton: \"ensemble '{clip(model.name)}' depends on "
            f"'{clip(step.model)}' whose required version {step.version} is not loaded.\"",
            *(*step.path, "model_version"),
            value=True,
            fix="write model_version: -1 for the newest version"
            + (f", or have version_policy load {step.version}" if policy else ""),
        )


_RESIZE = model_text()
_PINNED = ensemble_text(step_text("resize", "A:IN", "B:OUT", "model_version: 7"))
_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345"
_CALLS = ensemble_text(step_text("other", "IN:IN", "OUT:OUT"))
_CALLED = ensemble_text(step_text("pipeline", "IN:IN", "OUT:OUT"))

RULES: tuple[Rule, ...] = (
    Rule(
        id="TW520",
        slug="ensemble-member-missing",
        severity=Severity.ERROR,
        scope=Scope.COLLECTION,
        stage=Stage.CORE,
        title="The models of an ensemble are there, and once",
        problem="A step's `model_name` is no directory of the repository, or several repositories of the server have "
        "one. "
        "Information only, when just another repository of the same run has it.",
        bad=repository_text(GOOD, resise=_RESIZE),
        good=repository_text(GOOD, resize=_RESIZE),
        why="Triton loads an ensemble when all its models are there; the reason is only in the log.",
        source=_SOURCE,
        check=_missing,
    ),
    Rule(
        id="TW521",
        slug="ensemble-member-broken",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="Triton takes the models of an ensemble",
        problem="Triton refuses a model that a step calls.",
        bad=repository_text(GOOD, resize=_RESIZE.replace("8", "-8")),
        good=repository_text(GOOD, resize=_RESIZE),
        why="An ensemble loads only after all its models did.",
        source=_SOURCE,
        check=_refused,
    ),
    Rule(
        id="TW522",
        slug="ensemble-circle",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="Ensembles do not call each other in a circle",
        problem="An ensemble has itself as a member, directly or through other ensembles, or leads to such a circle.",
        bad=repository_text(_CALLS, other=_CALLED),
        good=repository_text(_CALLS, other=GOOD, resize=_RESIZE),
        why="None of them can be the first to load.",
        source=_SOURCE,
        check=_circular,
    ),
    Rule(
        id="TW523",
        slug="ensemble-version-not-loaded",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="The versions that steps ask for are loaded",
        problem="A step's `model_version` is a version that is not there or not chosen by the member's version policy. "
        "Left out it is 0, not the newest one.",
        bad=repository_text(_PINNED, resize=_RESIZE),
        good=repository_text(GOOD, resize=_RESIZE),
        why="Only -1 is the newest version, whichever it is.",
        source=_SOURCE,
        check=_version,
        fixable=True,
    ),
    Rule(
        id="TW524",
        slug="ensemble-member-unserved",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.BACKEND,
        title="The backends serve the models of an ensemble",
        problem="The backend of a model that a step calls cannot serve it.",
        bad=repository_text(GOOD, resize=_RESIZE).replace("a model", _POINTER),
        good=repository_text(GOOD, resize=_RESIZE),
        why="An ensemble loads only after all its models did.",
        source=_SOURCE,
        check=_unserved,
    ),
)
