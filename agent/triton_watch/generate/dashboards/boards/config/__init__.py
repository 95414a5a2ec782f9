"""The board Config findings: what is wrong in the configurations that are live, and what is not loaded."""

from __future__ import annotations

from typing import Final

from triton_watch.conventions.dashboards import CONFIG, MODEL
from triton_watch.generate.dashboards.board import Board, Context, Row
from triton_watch.generate.dashboards.boards.config.models import FACTS, LOADED, MODEL_LINKS
from triton_watch.generate.dashboards.links import of_series
from triton_watch.generate.dashboards.panels import Panel, Query, bars, graph, stat
from triton_watch.generate.dashboards.scales import GREEN, YELLOW, Scale, Step, bad_above
from triton_watch.generate.dashboards.tables import Column, table
from triton_watch.generate.dashboards.variables import (
    AGENT_BOARD,
    AGENT_MODELS,
    AGENT_TARGETS,
)
from triton_watch.generate.queries import RANGE, Scope, how_many_are

_CHOSEN: Final = 'job=~"$job", instance=~"$instance", target=~"$target", model=~"$model|"'
"""`model` is empty where the server itself is meant."""
_FINDINGS: Final = Scope(_CHOSEN, RANGE, ("target", "model", "rule", "severity", "red_line"))
_ALERTS: Final = Scope(_CHOSEN, RANGE, ("alertname", "target", "model", "alert_state", "severity"))
_KNOWN: Final = f"0 * count({AGENT_TARGETS.series('triton_watch_target_up')})"

_EXPLAIN: Final = "`triton-watch rules explain RULE` says what a rule means and what to write instead."
_ERROR, _RED, _NO_ADVICE, _OF_MODEL = 'severity="error"', 'red_line="true"', 'severity!="info"', 'model!=""'
_NO_AGENT: Final = "No agent"
_NONE_FOUND: Final = "None found, or nothing checked"
_WARN: Final = Scale(GREEN, (Step(1, YELLOW),))


def config(context: Context) -> Board:
    """Return the board."""
    del context
    rows = (
        Row("What is wrong now", (*_ANSWERS, *_TABLES)),
        Row("By rule and model, and since when", _COURSE),
        Row("What is not loaded", LOADED),
        Row("Facts", FACTS),
    )
    return Board(CONFIG, AGENT_BOARD, rows)


def _found(*matchers: str) -> str:
    """Findings, each once where two agents watch one server."""
    return _FINDINGS.highest("triton_watch_config_findings", *matchers)


def _sum(*matchers: str) -> str:
    """Findings, and 0 where there are none and an agent is there."""
    return f"sum({_found(*matchers)}) or {_KNOWN}"


def _firing(alert: str) -> str:
    alerts = _ALERTS.highest("triton_watch_alert_state", f'alertname="{alert}"', 'alert_state="firing"')
    return f"count({alerts}) or {_KNOWN}"


def _findings_table(title: str, description: str, expr: str) -> Panel:
    return table(
        title,
        f"{description} {_EXPLAIN}",
        Column("findings", expr),
        keys=("severity", "red_line", "rule", "target", "model"),
        key_links=MODEL_LINKS,
        sort_by="rule",
        is_descending=False,
        no_value=_NONE_FOUND,
    )


_ANSWERS: Final = (
    stat(
        "Errors",
        "Findings that Triton refuses or cannot serve. Mend them before the next restart: the server may not come "
        "back. 0 is shown too while alerts.config_check is off.",
        Query(_sum(_ERROR)),
        scale=bad_above(1),
        no_value=_NO_AGENT,
    ),
    stat(
        "Red lines crossed",
        "Findings that never go to production, such as no dynamic batching. Mend them, or silence one with its reason "
        "in config.pbtxt.",
        Query(_sum(_RED)),
        scale=bad_above(1),
        no_value=_NO_AGENT,
    ),
    stat(
        "Warnings",
        "Findings that Triton accepts and production should not. Look at those of your busiest models first.",
        Query(_sum('severity="warning"')),
        scale=_WARN,
        no_value=_NO_AGENT,
    ),
    stat(
        "Models with findings",
        "Models with an error or a warning. Start with the bars below: most findings first.",
        Query(f"count(count by (target, model) ({_found(_NO_ADVICE, _OF_MODEL)})) or {_KNOWN}"),
        scale=_WARN,
        no_value=_NO_AGENT,
    ),
    stat(
        "Drift",
        "Servers and models for which TritonConfigDrift fires: what is served differs from what is on disk, and the "
        "next restart changes it. Load the model again, or put back on disk what is served.",
        Query(_firing("TritonConfigDrift")),
        scale=bad_above(1),
        no_value=_NO_AGENT,
    ),
    stat(
        "Models unavailable",
        "Model versions that failed to load, and expected models that are not there. See the table of states below for "
        "which, and Triton's log for why.",
        Query(how_many_are(AGENT_MODELS, "triton_watch_model_state", 'state=~"UNAVAILABLE|MISSING"')),
        scale=bad_above(1),
        no_value="No index was read",
    ),
)

_TABLES: Final = (
    _findings_table(
        "Errors and crossed red lines",
        "Mend these first. `model` is empty where the server itself is meant.",
        f"{_found(_ERROR)} or {_found(_RED)}",
    ),
    _findings_table(
        "Warnings and advice",
        "What works and could be better. Silence what you have decided on, with its reason, in config.pbtxt.",
        _found('severity!="error"', 'red_line="false"'),
    ),
    table(
        "Alerts about configurations",
        "TritonConfigErrors and TritonConfigDrift as the agents see them. `triton-watch alerts explain ALERT` prints "
        "what to do.",
        Column("active", _ALERTS.highest("triton_watch_alert_state", 'alertname=~"TritonConfig(Errors|Drift)"')),
        keys=("alertname", "severity", "alert_state", "target", "model"),
        hidden=("Value",),
        key_links=MODEL_LINKS,
        sort_by="alertname",
        is_descending=False,
        no_value="None is active",
        height=6,
    ),
)

_COURSE: Final = (
    graph(
        "Findings over time",
        "Findings by severity. A step up is a deployment that brought them: see the mark of the loaded model, and "
        "what was deployed then.",
        Query(f"sum by (severity) ({_found()})", "{{severity}}"),
        unit="short",
        is_stacked=True,
        no_value=_NONE_FOUND,
        width=24,
    ),
    bars(
        "Rules that most models break (20)",
        f"How many models and servers a rule found something in. One mended template may mend them all. {_EXPLAIN}",
        Query(f"topk(20, count by (rule, severity) (count by (rule, severity, target, model) ({_found()})))",
              "{{rule}} ({{severity}})"),
        no_value=_NONE_FOUND,
        height=10,
    ),
    bars(
        "Models with most findings (20)",
        "Findings of all severities. Without a model they are about the server itself. Click a bar to see how the "
        "model does.",
        Query(f"topk(20, sum by (target, model) ({_found()}))", "{{model}} on {{target}}"),
        no_value=_NONE_FOUND,
        links=[of_series(MODEL)],
        height=10,
    ),
)  # fmt: skip
