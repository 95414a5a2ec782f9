"""The two tables beside this file: what may give no series and why, and what must agree with the agent."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from expressions.collect import Expression

_HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Match:
    """Which expressions are meant: patterns as of file names for place and title, a text that the expression has."""

    where: str = "*"
    title: str = "*"
    ref: str = "*"
    has: str = ""

    def fits(self, one: Expression) -> bool:
        """Whether it is meant."""
        pairs = zip(one.place, (self.where, self.title, self.ref), strict=True)
        return self.has in one.expr and all(fnmatchcase(text, pattern) for text, pattern in pairs)


@dataclass(frozen=True, slots=True)
class Absent:
    """Expressions that give no series on the stage, and the reason."""

    match: Match
    reason: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """An indicator of the agent, and the expressions that must say the same.

    `agent` is PromQL over the agent's own metrics. $model is replaced by each of `models`, $window by the time over
    which both look. Both must give one series, which has the labels `only` (patterns).
    """

    indicator: str
    agent: str
    expressions: tuple[Match, ...]
    models: tuple[str, ...] = (".+",)
    only: tuple[tuple[str, str], ...] = ()
    tolerance: float = 0.02
    """Share of the agent's value by which the others may be off."""

    def agent_for(self, model: str, window: int) -> str:
        """The agent's side for one model."""
        return self.agent.replace("$model", model).replace("$window", f"{window}s")


def absences() -> list[Absent]:
    """What absent.yaml says."""
    return [Absent(Match(**{k: v for k, v in one.items() if k != "reason"}), one["reason"]) for one in _read("absent")]


def agreements() -> list[Agreement]:
    """What agreements.yaml says."""
    return [_agreement(one) for one in _read("agreements")]


def reason_of(one: Expression, table: Iterable[Absent]) -> str:
    """Why this expression may be without series, "" when it may not."""
    return next((entry.reason for entry in table if entry.match.fits(one)), "")


def _agreement(given: Mapping[str, Any]) -> Agreement:
    fields = dict(given)
    fields["expressions"] = tuple(Match(**one) for one in given["expressions"])
    fields["models"] = tuple(given.get("models", [".+"]))
    fields["only"] = tuple(sorted(given.get("only", {}).items()))
    return Agreement(**fields)


def _read(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((_HERE / f"{name}.yaml").read_text()) or []
    return found
