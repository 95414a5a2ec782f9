"""What a whole check comes to: its findings, the production-readiness checklist, counts, and whether it failed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from triton_watch.check.engine import ordered
from triton_watch.check.options import Profile
from triton_watch.check.rule import Box
from triton_watch.check.rules import RULES
from triton_watch.records import Severity
from triton_watch.wording.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from triton_watch.check.rule import Rule
    from triton_watch.records import Finding

OK, FAILED, NOT_CHECKED = "ok", "failed", "not checked"

_ABOUT_MODELS = frozenset({Box.STRUCTURE, Box.BATCHING, Box.INSTANCES, Box.SHAPES})
_NO_MODELS = "no model was given"
_NO_DEPLOYMENT = "no manifest and no live server was given"
_UNREADABLE = "no configuration could be read"
_NO_RULES = "none of its rules ran"


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One box of the checklist.

    `rules` are the ids of the rules that failed it; `note` says where, or why it was not checked.
    """

    item: str
    state: str
    rules: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """One run. `findings` are ordered, after suppression, selection and baseline; the numbers say what was looked at.

    `roots` are the repositories and manifests, as the user wrote them. `checked` names the models of each root,
    for formats that list what is good too. `rules` are those that ran. `seconds` is only printed on a terminal:
    what other formats write is the same for the same input.
    """

    findings: tuple[Finding, ...]
    checklist: tuple[CheckItem, ...]
    models: int
    repositories: int
    manifests: int
    live: int
    suppressed: int = 0
    baselined: int = 0
    seconds: float | None = None
    roots: tuple[str, ...] = ()
    checked: Mapping[str, Sequence[str]] = field(default_factory=lambda: MappingProxyType({}))
    rules: tuple[Rule, ...] = field(default=RULES, repr=False)

    def summary(self) -> dict[str, int]:
        """Return the counts of the JSON contract, in its order."""
        counts = dict.fromkeys(Severity, 0)
        for finding in self.findings:
            counts[finding.severity] += 1
        return {
            "errors": counts[Severity.ERROR],
            "warnings": counts[Severity.WARNING],
            "infos": counts[Severity.INFO],
            "red_lines": sum(finding.red_line for finding in self.findings),
            "models": self.models,
            "repositories": self.repositories,
            "manifests": self.manifests,
            "live": self.live,
            "suppressed": self.suppressed,
            "baselined": self.baselined,
        }


def make_report(  # noqa: PLR0913  # the numbers of a run, each by its name
    findings: Iterable[Finding],
    *,
    models: int,
    repositories: int,
    manifests: int,
    live: int,
    suppressed: int = 0,
    baselined: int = 0,
    roots: Sequence[str] = (),
    seconds: float | None = None,
    checked: Mapping[str, Sequence[str]] | None = None,
    rules: Sequence[Rule] = RULES,
    before_baseline: Iterable[Finding] | None = None,
    readable: int | None = None,
    deployments: int | None = None,
) -> Report:
    """Order the findings, tick the boxes, count. `rules` are those that ran: a box without any is not checked.

    `readable` are the models whose configuration could be read, `deployments` the manifests that could be and the
    live servers (None: all of them): a box about what nobody read is not checked either.

    `before_baseline` are all findings where `findings` are the new ones: what a baseline knows is not reported
    again, but no box gets ticked by that.
    """
    found = tuple(ordered(findings))
    everything = found if before_baseline is None else before_baseline
    return Report(
        findings=found,
        checklist=checklist(
            everything,
            rules,
            models=models,
            readable=models if readable is None else readable,
            deployments=manifests + live if deployments is None else deployments,
        ),
        models=models,
        repositories=repositories,
        manifests=manifests,
        live=live,
        suppressed=suppressed,
        baselined=baselined,
        seconds=seconds,
        roots=tuple(roots),
        checked=checked or MappingProxyType({}),
        rules=tuple(rules),
    )


def failed(report: Report, *, fail_on: Severity | None, profile: Profile) -> bool:
    """Whether the check fails (exit status 1).

    By default (`fail_on` None) any error fails it, and with the production profile a crossed red line, too. With
    `fail_on` any finding of that severity or a heavier one does, whatever the profile. Whoever wants it never to
    fail does not ask.
    """
    if fail_on is not None:
        return any(finding.severity.rank <= fail_on.rank for finding in report.findings)
    red_lines = profile is Profile.PRODUCTION
    return any(one.severity is Severity.ERROR or (red_lines and one.red_line) for one in report.findings)


def checklist(
    findings: Iterable[Finding], rules: Iterable[Rule], *, models: int, readable: int, deployments: int
) -> tuple[CheckItem, ...]:
    """Return the six boxes. Advice (an info without a red line) fails none."""
    boxes = {rule.id: rule.box for rule in rules if rule.box is not None}
    against: dict[Box, list[Finding]] = {box: [] for box in Box}
    for finding in findings:
        box = boxes.get(finding.rule)
        if box is not None and (finding.red_line or finding.severity is not Severity.INFO):
            against[box].append(finding)
    return tuple(_item(box, against[box], _reason(box, boxes.values(), models, readable, deployments)) for box in Box)


def _reason(box: Box, ran: Iterable[Box], models: int, readable: int, deployments: int) -> str:
    """Return why a box could not be checked, or empty."""
    if box in _ABOUT_MODELS and not models:
        return _NO_MODELS
    if box in _ABOUT_MODELS and box is not Box.STRUCTURE and not readable:
        return _UNREADABLE
    if box not in _ABOUT_MODELS and not deployments:
        return _NO_DEPLOYMENT
    return "" if box in ran else _NO_RULES


def _item(box: Box, against: list[Finding], reason: str) -> CheckItem:
    if not against:
        return CheckItem(box.value, NOT_CHECKED, note=reason) if reason else CheckItem(box.value, OK)
    places: dict[str, set[str]] = defaultdict(set)
    for finding in against:
        places["model" if finding.model else "place"].add(finding.model or finding.file or "")
    note = "in " + " and ".join(plural(len(places[kind]), kind) for kind in sorted(places))
    return CheckItem(box.value, FAILED, tuple(sorted({finding.rule for finding in against})), note)
