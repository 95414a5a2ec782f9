"""Rules, findings and reports made by hand, for tests of what is made of them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from triton_watch.check.output import write
from triton_watch.check.report import make_report
from triton_watch.check.rule import Box, RedLine, Rule, Scope, Stage, found_by_engine
from triton_watch.check.rules.engine_rules import RULES as ENGINE_RULES
from triton_watch.records import Confidence, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triton_watch.check.report import Report


def rule(number: str, slug: str, severity: Severity = Severity.WARNING, **fields: Any) -> Rule:
    """A rule that finds nothing itself."""
    texts: dict[str, Any] = {
        "title": "Models that batch have a dynamic batcher",
        "problem": "`max_batch_size` is above 1, and nothing forms batches of <several> requests.",
        "bad": "max_batch_size: 8\n",
        "good": "max_batch_size: 8\ndynamic_batching { }\n",
        "why": "Each request runs alone, however many wait.",
        "source": "tritonserver 2.51.0 (measured)",
    }
    made = {"scope": Scope.MODEL, "check": found_by_engine, **texts, **fields}
    return Rule(id=number, slug=slug, severity=severity, **made)


NO_CONFIG = rule("TW101", "no-config", red_line=RedLine.NO_CONFIG, box=Box.STRUCTURE)
BAD_DIM = rule("TW304", "bad-dimension", Severity.ERROR, stage=Stage.CORE, box=Box.SHAPES)
NO_BATCHING = rule("TW402", "no-dynamic-batching", red_line=RedLine.NO_DYNAMIC_BATCHING, box=Box.BATCHING)
NO_WARM_UP = rule("TW450", "no-warm-up", Severity.INFO, confidence=Confidence.LOW, box=Box.BATCHING)
NO_GROUPS = rule("TW601", "no-instance-group", box=Box.INSTANCES)
NO_PROBE = rule("TW701", "no-probe", scope=Scope.MANIFEST, box=Box.HEALTH)
RULES = (*ENGINE_RULES, NO_CONFIG, BAD_DIM, NO_BATCHING, NO_WARM_UP, NO_GROUPS, NO_PROBE)


def finding(of: Rule, model: str | None = "ranker", **fields: Any) -> Finding:
    """A finding of a rule, about a model's configuration unless said otherwise."""
    made: dict[str, Any] = {
        "message": "something is wrong",
        "model": model,
        "file": f"models/{model}/config.pbtxt" if model else None,
        "red_line": of.red_line is not None,
        **fields,
    }
    return Finding(of.id, of.slug, of.severity, of.confidence, **made)


BATCHING = finding(
    NO_BATCHING,
    line=3,
    column=1,
    message="max_batch_size is 64, but there is no dynamic_batching: the requests of several clients are never put "
    "together, and each of them runs alone",
    fix="add `dynamic_batching { }`",
    source="max_batch_size: 64",
    width=14,
)
DIM = finding(
    BAD_DIM,
    line=12,
    column=11,
    message='input "ids" has a dimension of 0. Triton: "dimension must be integer >= 1, or -1"',
    fix="write -1 for a dimension that varies",
    source="\t\tdims: [ 0 ]",
)
CONFIG = finding(NO_CONFIG, "classifier", file="models/classifier", message="there is no config.pbtxt")
PROBE = finding(NO_PROBE, None, file="deploy.yaml", line=14, column=5, message="the container has no probes")
FINDINGS = (BATCHING, DIM, CONFIG, PROBE)


def report(findings: Iterable[Finding] = FINDINGS, **fields: Any) -> Report:
    """A report about three models and a manifest."""
    made: dict[str, Any] = {
        "models": 3,
        "repositories": 1,
        "manifests": 1,
        "live": 0,
        "roots": ("models", "deploy.yaml"),
        "checked": {"models": ["classifier", "encoder", "ranker"], "deploy.yaml": ["deploy.yaml"]},
        "rules": RULES,
        **fields,
    }
    return make_report(findings, **made)


def written(format_name: str, of: Report | None = None) -> str:
    """What a format writes to a stream."""
    stream = io.StringIO()
    write(of or report(), format_name, stream)
    return stream.getvalue()


TEXTS = st.text(st.characters(), max_size=40) | st.sampled_from(
    [
        "\x1b[31mred",
        "a\udcffb",
        "]]>",
        "</failure>",
        "a|b`c",
        "::error::x",
        "\r\n::stop-commands::x",
        "%0A",
        "\u202eabc",
    ]
)
"""Any text, lone surrogates among it, and some that means something in one of the formats."""
HOSTILE = st.builds(
    finding,
    st.sampled_from(RULES),
    st.none() | TEXTS,
    message=TEXTS,
    file=st.none() | TEXTS,
    line=st.none() | st.integers(1, 10**6),
    column=st.none() | st.integers(1, 400),
    fix=st.none() | TEXTS,
    source=st.none() | TEXTS,
    width=st.integers(1, 500),
)
"""Findings with whatever a repository of an attacker may put into them."""
