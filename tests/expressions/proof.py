"""A stage, and all that is found wrong with the expressions on it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import requests
import yaml

from expressions.asking import Prometheus
from expressions.collect import Expression, default_settings, everything, rule_files
from expressions.judge import Answer, Comparison, Span, answer, broken_rules, comparisons, unmatched
from expressions.repository import CONFIGS
from expressions.stage import Stage, staged
from expressions.tables import absences, agreements
from expressions.trickle import Seconds, measured
from support.debian import tool
from triton_watch.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SETTLE, WINDOW = 12, 45
"""Seconds of load before the one that is looked at, and its length."""
LOOKS, PAUSE = 3, 6
"""How often two that differ are compared, and seconds between: what a busy machine does to one window passes, what is
wrong with an expression stays."""
RULES_EACH = "2s"


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found on a stage."""

    answers: Sequence[Answer]
    compared: Sequence[Comparison]
    others: Sequence[str]
    """Problems of no one expression."""
    versions: str = ""

    @property
    def apart(self) -> list[Comparison]:
        """Expressions that say something else than the agent."""
        return [one for one in self.compared if not one.agrees]

    @property
    def problems(self) -> list[str]:
        """All that is wrong, a sentence each."""
        silent = [
            f"{place(one.expression)}: {one.problem}: {one.expression.expr}" for one in self.answers if one.problem
        ]
        return [*silent, *(f"{place(one.expression)}: {_words(one)}" for one in self.apart), *self.others]


def proven(folder: Path) -> Proof:
    """Set a stage up with the rules of the default configuration, let it run, and judge everything."""
    with staged(folder, [_often(text) for text in rule_files(default_settings(), CONFIGS).values()]) as stage:
        time.sleep(max(0.0, stage.began + SETTLE + WINDOW - time.time()))
        proof = judged(stage.prometheus.url, stage.began)
        for _ in range(1, LOOKS):
            if proof.apart:
                time.sleep(PAUSE)
                proof = _looked_again(proof, compared(stage.prometheus.url, stage.began))
        return replace(proof, versions=_versions(stage))


def judged(url: str, since: float) -> Proof:
    """Judge everything on a Prometheus that has seen a stage since this Unix time."""
    server, span = Prometheus(url), Span(since, time.time(), WINDOW)
    known, absent = everything(default_settings()), absences()
    return Proof(
        answers=[answer(server, one, span, absent) for one in known],
        compared=compared(url, since),
        others=[*broken_rules(server), *unmatched(known, absent, agreements())],
    )


def compared(url: str, since: float) -> list[Comparison]:
    """Compare all that must agree, over the window that ends now."""
    server, span, known = Prometheus(url), Span(since, time.time(), WINDOW), everything(default_settings())
    return [row for entry in agreements() for row in comparisons(server, entry, known, span)]


def _looked_again(proof: Proof, later: Sequence[Comparison]) -> Proof:
    pairs = zip(proof.compared, later, strict=True)
    return replace(proof, compared=[first if first.agrees else second for first, second in pairs])


def trickled(folder: Path) -> list[Seconds]:
    """The variants of the queue time at one request in ten seconds."""
    programs = tool("prometheus"), tool("promtool")
    assert programs[0] is not None, "no Prometheus: run `make debian`"
    assert programs[1] is not None, "no promtool: run `make debian`"
    return measured(programs[0], programs[1], folder)


def place(one: Expression) -> str:
    """Where an expression stands, in words."""
    return " / ".join((one.where, f"{one.title} {one.ref}"))


def _words(one: Comparison) -> str:
    what = f"{one.agreement.indicator} of {one.model}"
    if one.value is None or one.agents is None or one.difference is None:
        return f"{what}: {one.value} beside the agent's {one.agents}"
    return f"{what}: {one.value:.5g}, the agent says {one.agents:.5g}, {one.difference:+.2%} off"


def _often(rules: str) -> str:
    """A rule file whose groups are evaluated often, for the stage does not stand for long."""
    groups = yaml.safe_load(rules)["groups"]
    return yaml.safe_dump({"groups": [{**one, "interval": RULES_EACH} for one in groups]})


def _versions(stage: Stage) -> str:
    triton = requests.get(f"{stage.triton.http_url}/v2", timeout=10).json()["version"]
    prometheus = Prometheus(stage.prometheus.url).version()
    return f"tritonserver {triton} (the recorded one: 2.51.0), Prometheus {prometheus}, triton-watch {__version__}"
