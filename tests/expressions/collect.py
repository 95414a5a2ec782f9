"""Every expression that the generated boards and rule files have, each with the place where it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import yaml

from expressions.repository import CONFIGS
from triton_watch.config import from_flags
from triton_watch.generate.dashboards import Context, dashboards
from triton_watch.generate.rules.agent import agent_yaml
from triton_watch.generate.rules.options import RuleOptions
from triton_watch.generate.rules.triton import triton_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from triton_watch.records import ModelConfig, Settings

ALL: Final = ".+"
"""What Grafana puts in for 'All'."""
_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)|\[\[(\w+)\]\]")
_QUERY_RESULT: Final = re.compile(r"query_result\((.+)\)", re.DOTALL)
_LABEL_VALUES: Final = re.compile(r"label_values\((.+), *(\w+)\)")
_AGENTS: Final = re.compile(r"\btriton_watch_\w+")
_OTHERS: Final = re.compile(r"\b(?:nv_|DCGM_|vllm:|up\b|model:|gpu:)")
LIVE: Final = ", of a live server"


@dataclass(frozen=True, slots=True)
class Expression:
    """One of them. `where` is a board or a rule file, `title` the panel or the rule, `ref` the query of a panel.

    `kind` is instant, range, variable, annotation, record or alert; `expr` is as it stands there, with variables;
    `choices` are what is chosen of the board's variables when it opens.
    """

    where: str
    title: str
    ref: str
    kind: str
    expr: str
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def is_agents_own(self) -> bool:
        """Whether it is made of the agent's metrics alone."""
        return bool(_AGENTS.search(self.expr)) and not _OTHERS.search(self.expr)

    @property
    def place(self) -> tuple[str, str, str]:
        """Where it stands; one place for each."""
        return self.where, self.title, self.ref

    def filled(self, rate_interval: str, whole: str = "5m", **chosen: str) -> str:
        """As Prometheus gets it: `chosen` are values of variables. What is no variable stays, as in Grafana."""
        values = {"__rate_interval": rate_interval, "__interval": "1s", "__range": whole, **dict(self.choices)}
        values |= {name: value for name, value in chosen.items() if name in values}
        return _VARIABLE.sub(lambda found: values.get(next(filter(None, found.groups())), found[0]), self.expr)


def default_settings() -> Settings:
    """The settings of an agent that was told nothing but its target."""
    return from_flags(["http://localhost:8000"])


def rule_files(settings: Settings, models: tuple[ModelConfig, ...] | None = None) -> Mapping[str, str]:
    """The generated rule files as text, by name; `models` are those of a live server, None = none was asked."""
    options = RuleOptions(models=models)
    return {"rules.yaml": agent_yaml(settings, options), "triton.yaml": triton_yaml(settings, options)}


def everything(settings: Settings) -> list[Expression]:
    """All expressions of the boards and the rule files, and what they have besides when a live server is asked."""
    usual = _of_all(settings, ())
    known = {(one.where, one.expr) for one in usual}
    asked = (one for one in _of_all(settings, CONFIGS) if (one.where, one.expr) not in known)
    return [*usual, *(replace(one, where=f"{one.where}{LIVE}") for one in asked)]


def _of_all(settings: Settings, models: tuple[ModelConfig, ...]) -> list[Expression]:
    boards = dashboards(Context(settings, models)).items()
    found = [one for name, board in boards for one in of_board(name, board)]
    found += [one for name, text in rule_files(settings, models or None).items() for one in of_rules(name, text)]
    return list(_apart(found))


def _apart(expressions: Iterable[Expression]) -> Iterator[Expression]:
    """Give panels of one title in one board numbers, so that a place is one expression's."""
    seen: dict[tuple[str, str, str], int] = {}
    for one in expressions:
        seen[one.place] = number = seen.get(one.place, 0) + 1
        yield one if number == 1 else replace(one, title=f"{one.title} ({number})")


def of_board(name: str, board: Mapping[str, Any]) -> Iterator[Expression]:
    """The expressions of a board's variables, annotations and panels, those in closed rows too."""
    variables = board["templating"]["list"]
    choices = tuple((one["name"], ALL if one["includeAll"] else _first(one)) for one in variables)
    for one in variables:
        if one["type"] == "query":
            expr = _QUERY_RESULT.sub(r"\1", _LABEL_VALUES.sub(r"count by (\2) (\1)", one["query"]["query"]))
            yield Expression(name, f"Variable: {one['name']}", "-", "variable", expr, choices)
    for one in board["annotations"]["list"]:
        yield Expression(name, f"Annotation: {one['name']}", "-", "annotation", one["expr"], choices)
    for panel in _panels(board["panels"]):
        for target in panel.get("targets", ()):
            kind = "instant" if target["instant"] else "range"
            yield Expression(name, panel["title"], target["refId"], kind, target["expr"], choices)


def of_rules(name: str, text: str) -> Iterator[Expression]:
    """The expressions of a rule file."""
    for group in yaml.safe_load(text)["groups"]:
        for rule in group["rules"]:
            kind = "record" if "record" in rule else "alert"
            yield Expression(name, rule[kind], kind, kind, rule["expr"])


def _panels(panels: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in panels:
        yield one
        yield from _panels(one.get("panels", []))


def _first(variable: Mapping[str, Any]) -> str:
    """What a variable without 'All' is when the board opens."""
    current = variable.get("current", {}).get("value")
    given = variable["query"] if isinstance(variable["query"], str) else ALL
    first: str = current if isinstance(current, str) else given.split(",")[0].split(" : ")[-1].strip()
    return first
