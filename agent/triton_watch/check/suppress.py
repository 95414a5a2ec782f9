"""Comments in config.pbtxt that silence a rule: `# triton-watch: ignore=TW403 the clients send whole batches`.

Ids or slugs, separated by commas, then the reason. Where the comment stands decides what it silences:

- on a line of its own, outside of any block: the rule, for the whole model;
- at the end of a line of code: what is found on that line;
- on a line of its own inside a block: what is found in the field below it, to that field's end.

Findings without a line, and those about other files of the model, only heed comments for the whole model. The
rules about suppressions themselves (0xx) cannot be silenced this way.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from triton_watch.check.engine import finding_of
from triton_watch.check.pbtxt import Span
from triton_watch.check.rule import Hit, Rule, Scope
from triton_watch.check.rules import RULES
from triton_watch.check.rules.engine_rules import MALFORMED, NO_REASON, UNKNOWN_RULE, UNUSED
from triton_watch.check.rules.engine_rules import RULES as ENGINE_RULES
from triton_watch.wording.text import clip, listed, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from triton_watch.check.model import Model
    from triton_watch.check.pbtxt import Comment, ParsedConfig, Place
    from triton_watch.records import Finding

_IGNORE = re.compile(
    r"triton-watch\s*:\s*ignore\s*=\s*(?P<names>[\w-]+(?:\s*,(?:[\w-]+|\s*(?:TW\d+|\w+(?:-\w+)+)\b))*)"
    r"[\s,:;.\-\u2013\u2014]*(?P<reason>.*)",
    re.IGNORECASE | re.DOTALL,
)
"""Behind a comma and a blank stands a rule only if it looks like one: it may be the reason."""
_MEANT = re.compile(r"triton[-_ ]?watch\b\W*(?P<word>[a-z]+)", re.IGNORECASE)
_VERBS = ("ignore", "ignored", "disable", "noqa", "skip", "suppress", "silence")
_NESTING = re.compile(r""""(?:\\.|[^"\\])*(?:"|\\?\Z)|'(?:\\.|[^'\\])*(?:'|\\?\Z)|#[^\n]*|[\[{<]|[\]}>]""", re.DOTALL)
"""Brackets, and what may hold some that do not count. Unclosed quotes match to the end: no search twice."""
_COMMENTS = re.compile(r"#[^\n]*")
_MOST = 1_000
"""Suppressions of one file that are heeded."""
_FORM = "write `# triton-watch: ignore=TW403 the reason`, several rules with commas between them"
_ENGINE_IDS = frozenset(rule.id for rule in ENGINE_RULES)
_STEP = {**dict.fromkeys("[{<", 1), **dict.fromkeys("]}>", -1)}


@dataclass(frozen=True, slots=True)
class Suppression:
    """One comment; small, as it travels between processes.

    `names` are the rules as written, none for a comment that means to be a suppression and cannot be read.
    `lines` are the first and last line that it covers, None for the whole model. `source` is its line.
    `judged` is False where rules keep quiet for other reasons, so that nobody can say that it is not needed.
    """

    names: tuple[str, ...]
    reason: str
    place: Span
    source: str
    lines: tuple[int, int] | None = None
    judged: bool = True

    def silences(self, finding: Finding, config_path: str) -> bool:
        """Whether it covers a finding of its model."""
        if not {finding.rule.lower(), finding.slug.lower()} & {name.lower() for name in self.names}:
            return False
        if self.lines is None:
            return True
        return (
            finding.line is not None and finding.file == config_path and self.lines[0] <= finding.line <= self.lines[1]
        )


def suppressions(config: ParsedConfig, *, whole: bool = True) -> tuple[Suppression, ...]:
    """Return the suppressions of a configuration, in the order of the file.

    `whole` False says that there is no model's directory around it, so that some rules had nothing to look at.
    """
    wanted = [comment for comment in config.comments if _MEANT.match(comment.text)]
    if not wanted:
        return ()
    judged = whole and config.complete and not any(problem.refused for problem in config.problems)
    reach = _Reach(config)
    found = (_read(comment, reach, config.line_text(comment.line), judged=judged) for comment in wanted[:_MOST])
    return tuple(one for one in found if one is not None)


def _read(comment: Comment, reach: _Reach, source: str, *, judged: bool) -> Suppression | None:
    place = Span(comment.start, comment.end, comment.line, comment.column)
    match = _IGNORE.match(comment.text)
    if match is not None:
        names = tuple(dict.fromkeys(re.split(r"\s*,\s*", match["names"])))
        return Suppression(names, match["reason"].strip(), place, source, reach.of(comment), judged)
    meant = _MEANT.match(comment.text)
    return Suppression((), "", place, source) if meant and nearest(meant["word"], _VERBS) else None


class _Reach:
    """Finds the lines that a comment covers."""

    def __init__(self, config: ParsedConfig) -> None:
        self._config = config
        self._fields: list[tuple[int, int, int]] | None = None
        depth, self._marks = 0, [(0, 0)]
        for match in _NESTING.finditer(config.text):
            step = _STEP.get(match.group(), 0)
            if step:
                depth = max(0, depth + step)
                self._marks.append((match.start(), depth))

    def of(self, comment: Comment) -> tuple[int, int] | None:
        if not comment.alone:
            return comment.line, comment.line
        if self._marks[bisect_left(self._marks, (comment.start, 0)) - 1][1] == 0:
            return None
        start, first, last = self._field_below(comment.end)
        between = _COMMENTS.sub("", self._config.text[comment.end : start])
        return (comment.line, comment.line) if between.strip(" \t\r\n,;") else (first, last)

    def _field_below(self, offset: int) -> tuple[int, int, int]:
        """Return where the first field behind an offset begins, and its first and last line."""
        text = self._config.text
        if self._fields is None:
            self._fields = sorted(map(self._lines, self._config.places.values()))
        at = bisect_left(self._fields, (offset, 0, 0))
        return self._fields[at] if at < len(self._fields) else (len(text), 0, 0)

    def _lines(self, place: Place) -> tuple[int, int, int]:
        start, end = place.value.start, place.value.end
        return place.name.start, place.name.line, place.value.line + self._config.text.count("\n", start, end)


def drop(
    findings: Iterable[Finding], found: Sequence[Suppression], config_path: str
) -> tuple[list[Finding], list[Finding]]:
    """Split the findings of one model into those that none of its suppressions silences, and those that one does."""
    kept: list[Finding] = []
    silenced: list[Finding] = []
    for finding in findings:
        quiet = finding.rule not in _ENGINE_IDS and any(one.silences(finding, config_path) for one in found)
        (silenced if quiet else kept).append(finding)
    return kept, silenced


def apply(findings: Iterable[Finding], model: Model, rules: Sequence[Rule]) -> tuple[list[Finding], int]:
    """Return one model's findings without those that its comments silence, and how many were silenced.

    What is wrong with the comments themselves is added. `rules` are the rules that ran. A comment for a rule that
    did not run, or that looks at whole repositories (of which this run may see a part), is never called unused.
    """
    everything = list(findings)
    found = suppressions(model.config, whole=not model.detached) if model.config is not None else ()
    if not found:
        return everything, 0
    kept, silenced = drop(everything, found, str(model.config_path))
    judge = _Judge(model, rules, everything)
    return [*kept, *(fault for one in found for fault in judge.faults(one))], len(silenced)


class _Judge:
    """Finds what is wrong with the suppressions of one model."""

    def __init__(self, model: Model, rules: Sequence[Rule], findings: Sequence[Finding]) -> None:
        self._model = model
        self._config_path = str(model.config_path)
        self._known = {
            name: rule for rule in (*RULES, *rules, *ENGINE_RULES) for name in (rule.id.lower(), rule.slug.lower())
        }
        self._ran = {rule.id for rule in rules if rule.scope is Scope.MODEL}
        self._by_rule: dict[str, list[Finding]] = defaultdict(list)
        for finding in findings:
            self._by_rule[finding.rule].append(finding)

    def faults(self, one: Suppression) -> Iterator[Finding]:
        """Yield the findings about one suppression."""
        for rule, message, fix in self._about(one):
            finding = finding_of(rule, Hit(message, fix, self._config_path, model=self._model.name))
            width = one.place.end - one.place.start
            yield replace(finding, line=one.place.line, column=one.place.column, source=one.source, width=width)

    def _about(self, one: Suppression) -> Iterator[tuple[Rule, str, str]]:
        if not one.names:
            yield MALFORMED, "this comment looks like a suppression, but it is none: nothing is silenced", _FORM
        for name in one.names:
            rule = self._known.get(name.lower())
            if rule is None:
                yield self._unknown(name)
            elif rule.id in _ENGINE_IDS:
                yield UNUSED, f"{rule.id} is about the check itself: no comment silences it", f"remove {clip(name)}"
            elif one.judged and rule.id in self._ran and not self._used(rule, one):
                yield self._unused(rule, one)
        if one.names and not one.reason:
            fix = f"write it behind the rule: `# triton-watch: ignore={','.join(one.names[:3])} because …`"
            yield NO_REASON, "this suppression gives no reason", clip(fix, 160)

    def _used(self, rule: Rule, one: Suppression) -> bool:
        return any(one.silences(finding, self._config_path) for finding in self._by_rule[rule.id])

    def _unknown(self, name: str) -> tuple[Rule, str, str]:
        near = nearest(name, self._known)
        hint = f"write {self._known[near].id}" if near else "`triton-watch rules` lists all rules"
        return UNKNOWN_RULE, f"there is no rule {clip(name, 40)}", hint

    def _unused(self, rule: Rule, one: Suppression) -> tuple[Rule, str, str]:
        elsewhere = self._by_rule[rule.id]
        if not elsewhere:
            return (
                UNUSED,
                f"{rule.id} ({rule.slug}) finds nothing here: the suppression is not needed",
                f"remove {rule.id}",
            )
        first, last = one.lines or (0, 0)
        lines = f"line {first}" if first == last else f"lines {first} to {last}"
        where = sorted({finding.line for finding in elsewhere if finding.line})
        found = f"in line {listed(map(str, where))}" if where else "outside this file"
        return (
            UNUSED,
            f"{rule.id} ({rule.slug}) finds nothing in {lines}, which this comment is about, but {found}",
            "put the comment on a line of its own outside of any block: there it counts for the whole model",
        )
