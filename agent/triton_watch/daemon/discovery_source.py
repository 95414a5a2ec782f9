"""One source of targets as the daemon knows it: what it said last, how it fares, and the log's lines on that."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from triton_watch.conventions.sentences import joined
from triton_watch.discovery.files import Files
from triton_watch.records import DnsSource, FileSource, SourceStatus

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Mapping, Sequence

    from triton_watch.records import DiscoverySettings, Target

_NAMES: Final = 10
"""Names on one line of the log."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one look at a source gave. `targets` None: it does not know, and what it said last counts.

    `problem` is a sentence, "" = none; `failures` counts what failed this time; `refused` has a sentence for each
    address that cannot be a target, and for what else is doubtful; `nothing` says why there is no target.
    """

    targets: Sequence[Target] | None
    problem: str = ""
    failures: int = 0
    refused: Sequence[str] = ()
    nothing: str = ""


@dataclass(slots=True, eq=False)
class Source:
    """One source; `asked` says that a look has ended, `heard` that one succeeded. `job` is the id of its look-ups.

    `doubted`: its last answer took all targets away, and is not believed until it comes again.
    """

    of: DnsSource | FileSource
    files: Files | None = None
    job: str = ""
    targets: tuple[Target, ...] = ()
    status: SourceStatus = field(default_factory=lambda: SourceStatus(""))
    doubted: bool = False
    asked: bool = False
    heard: bool = False
    _refused: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """What it is called."""
        return self.of.label

    def doubts(self, targets: Sequence[Target]) -> bool:
        """Whether an answer takes all targets away for the first time."""
        self.doubted = bool(self.targets) and not targets and not self.doubted
        return self.doubted

    def take(self, answer: Answer, now: float, log: logging.Logger) -> bool:
        """Take an answer in, and log what is new; whether targets came or went, or it was heard for the first time.

        `now` is in Unix seconds.
        """
        before, was_heard, problem = self.targets, self.heard, answer.problem
        if answer.targets is not None:
            self.targets = tuple(answer.targets)
        self._tell_refused(answer.refused, log)
        self._tell_problem(problem, log)
        self.status = replace(
            self.status,
            targets=len(self.targets),
            last_success=self.status.last_success if problem else now,
            failures=self.status.failures + answer.failures,
            problem=problem,
        )
        self.asked, self.heard = True, was_heard or not problem
        if self.targets == before and self.heard is was_heard:
            return False
        self._tell_found(before, answer.nothing, log)
        return True

    def _tell_refused(self, refused: Sequence[str], log: logging.Logger) -> None:
        for sentence in refused[:_NAMES]:
            if sentence not in self._refused:
                log.warning("%s", sentence, extra={"facts": {"source": self.label}})
        self._refused = frozenset(refused)

    def _tell_problem(self, problem: str, log: logging.Logger) -> None:
        facts = {"source": self.label}
        if problem and problem != self.status.problem:
            told = joined([problem, "what it had before stays"]) if self.targets else problem.rstrip(".")
            log.warning("targets could not be looked for: %s", told, extra={"facts": facts})
        elif self.status.problem and not problem:
            log.info("targets can be looked for again", extra={"facts": facts})

    def _tell_found(self, before: Sequence[Target], nothing: str, log: logging.Logger) -> None:
        old, new = {target.name for target in before}, {target.name for target in self.targets}
        facts = {"source": self.label, "targets": len(self.targets)}
        for what, names in (("found", new - old), ("gone", old - new)):
            if names:
                tell = log.info if new else log.warning
                why = f"; {nothing}" if nothing and what == "gone" else ""
                tell("targets %s: %s%s", what, _listed(names), why, extra={"facts": facts})
        if self.heard and not new and not old:
            log.warning("no targets were found yet%s", f": {nothing}" if nothing else "", extra={"facts": facts})


def sources_of(settings: DiscoverySettings, before: Mapping[str, Source]) -> dict[str, Source]:
    """Make the sources; one that did not change is the one that was, a changed one begins with what that knew."""
    wanted: tuple[DnsSource | FileSource, ...] = (*settings.dns, *settings.files)
    sources = {}
    for one in wanted:
        old = before.get(one.label)
        sources[one.label] = old if old is not None and old.of == one else _fresh(one, old)
    return sources


def _fresh(of: DnsSource | FileSource, old: Source | None) -> Source:
    files = None if isinstance(of, DnsSource) else Files(of, None if old is None else old.files)
    if old is None:
        return Source(of, files, status=SourceStatus(of.label))
    return Source(of, files, targets=old.targets, status=old.status)


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = len(ordered) - _NAMES
    return ", ".join(ordered[:_NAMES]) + (f" and {more} more" if more > 0 else "")
