"""How polls and probes go, as a row of the board Agent."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from triton_watch.conventions.dashboards import FLEET
from triton_watch.generate.dashboards.links import of_row, of_target_series
from triton_watch.generate.dashboards.panels import Query, graph
from triton_watch.generate.dashboards.scales import bad_above
from triton_watch.generate.dashboards.tables import Column, table
from triton_watch.generate.dashboards.variables import AGENT_TARGETS
from triton_watch.generate.queries import worst

_PROBES: Final = replace(AGENT_TARGETS, by=("probe",))
_OUTCOMES: Final = replace(AGENT_TARGETS, by=("probe", "outcome"))
_FAILING: Final = replace(AGENT_TARGETS, by=("instance", "target", "probe", "outcome"))
_OF_TARGETS: Final = replace(AGENT_TARGETS, by=("target", "probe"))
_SLIS: Final = replace(AGENT_TARGETS, by=("target", "sli"))
_TARGET, _NO_POLLS = "{{target}}, {{instance}}", "No polls"
_DURATION: Final = AGENT_TARGETS.series("triton_watch_last_cycle_duration_seconds")
_INTERVAL: Final = AGENT_TARGETS.series("triton_watch_sli_interval_seconds")
_AGE: Final = f"time() - {AGENT_TARGETS.series('triton_watch_last_cycle_timestamp_seconds')}"
_PAGE, _SKIPPED = "triton_watch_metrics_page_bytes", "triton_watch_cycles_skipped_total"

POLLS: Final = (
    table(
        "Probes that fail now",
        "What each failing probe of a target ended with. `refused` or a timeout: see to the server and the way to it; "
        "`unauthorized` or `restricted`: see to the credentials in the configuration.",
        Column("is", _FAILING.highest("triton_watch_probe_outcome", 'outcome!="ok"')),
        keys=("target", "probe", "outcome", "instance"),
        hidden=("Value",),
        key_links={"target": of_row(FLEET, "target")},
        sort_by="target",
        is_descending=False,
        no_value="None fails, or no polls",
        width=12,
        height=8,
    ),
    graph(
        "Targets on which a probe fails",
        "How many targets the probe fails on. All probes at once: the server or the network; only `metrics`: the "
        "metrics port.",
        Query(f"sum by (probe) (1 - {_OF_TARGETS.lowest('triton_watch_probe_success')})", "{{probe}}"),
        unit="short",
        no_value=_NO_POLLS,
    ),
    graph(
        "Probe failures by outcome",
        "Failures a second, by probe and outcome. A few timeouts under load are normal; if they stay, raise "
        "timeouts.total or poll less often.",
        Query(_OUTCOMES.rate("triton_watch_probe_failures_total"), "{{probe}}: {{outcome}}"),
        unit="cps",
        no_value="None has failed, or no polls",
    ),
    graph(
        "Longest probe",
        "Time of each probe on the target where it takes longest. Near timeouts.total probes begin to fail: see what "
        "slows the server down.",
        Query(_PROBES.highest("triton_watch_probe_duration_seconds"), "{{probe}}"),
        unit="s",
        no_value=_NO_POLLS,
    ),
    graph(
        "Cycle duration, of the interval (20)",
        "Time that a poll cycle takes, divided by the time between two. From 100 % on cycles are skipped: raise the "
        "interval of this target, or give the agent more CPU. The 20 highest.",
        Query(f"topk(20, {_DURATION} / ({_INTERVAL} > 0))", _TARGET),
        unit="percentunit",
        scale=bad_above(1),
        no_value=_NO_POLLS,
        links=[of_target_series(FLEET)],
        width=8,
    ),
    graph(
        "Cycles skipped (20)",
        "Cycles a second that did not start because the one before was still running. More than 0: the server is slow "
        "or the agent has too little CPU; raise the interval. The 20 highest.",
        Query(worst(AGENT_TARGETS.rate(_SKIPPED), AGENT_TARGETS.by, AGENT_TARGETS.gained(_SKIPPED)), _TARGET),
        unit="cps",
        no_value=_NO_POLLS,
        links=[of_target_series(FLEET)],
        width=8,
    ),
    graph(
        "Age of the last cycle (20)",
        "Time since the last poll cycle ended. It should stay below two intervals; if it grows nobody watches this "
        "target: see the agent's log. The 20 highest.",
        Query(f"topk(20, {_AGE})", _TARGET),
        unit="s",
        no_value=_NO_POLLS,
        links=[of_target_series(FLEET)],
        width=8,
    ),
    graph(
        "Metrics pages (20)",
        "Size of the metrics page that a target serves, the 20 largest. Large pages cost time on both sides: switch "
        "off summaries or histograms that nobody reads.",
        Query(worst(AGENT_TARGETS.highest(_PAGE), AGENT_TARGETS.by, AGENT_TARGETS.ever(_PAGE)), _TARGET),
        unit="bytes",
        no_value="No page was read",
        links=[of_target_series(FLEET)],
    ),
    graph(
        "Models with data, by indicator",
        "Models for which an indicator has a value. It falls to 0 while there is traffic: the server's flags changed, "
        "or its metrics page broke.",
        Query(f"sum by (sli) ({_SLIS.highest('triton_watch_sli_models_with_data')})", "{{sli}}"),
        unit="short",
        no_value="No page was read",
    ),
)
