"""The board Agent: whether triton-watch itself is well, and whom it tells."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.alerting.definitions.agent import WATCH_DOWN
from triton_watch.conventions.dashboards import AGENT
from triton_watch.generate.dashboards.board import Board, Row
from triton_watch.generate.dashboards.boards.agent.cost import COST, of_process, per_second, python_versions
from triton_watch.generate.dashboards.boards.agent.polls import POLLS
from triton_watch.generate.dashboards.boards.agent.tells import STORE, TELLS
from triton_watch.generate.dashboards.panels import Query, stat
from triton_watch.generate.dashboards.scales import GREEN, RED, Named, bad_above
from triton_watch.generate.dashboards.tables import Column, table
from triton_watch.generate.dashboards.variables import AGENT_BOARD, AGENT_SERVERS, AGENT_TARGETS, AGENTS, AGENTS_UP
from triton_watch.generate.queries import how_many

if TYPE_CHECKING:
    from triton_watch.generate.dashboards.board import Context

_BUILD: Final = AGENTS.series("triton_watch_build_info")
_PEERS: Final = replace(AGENTS, by=("alertmanager",))
_YES_NO: Final = (Named("1", "yes", GREEN), Named("0", "no", RED))


def agent(context: Context) -> Board:
    """Return the board."""
    del context
    rows = (
        Row("Is it well?", (*_ANSWERS, *_TABLES)),
        Row("Whom it tells", TELLS),
        Row("Polls and probes", POLLS),
        Row("Budgets: store and history", STORE),
        Row("What it costs", COST),
    )
    return Board(AGENT, AGENT_BOARD, rows)


def _latest(expr: str) -> str:
    return f"max by (job, instance) ({expr})"


_ANSWERS: Final = (
    stat(
        "Agents down",
        "Agents of the last day that Prometheus cannot scrape now. Start them again, and see in their logs why they "
        "ended: nobody watches their targets.",
        Query(how_many(AGENTS_UP, "== 0")),
        scale=bad_above(1),
        no_value="No agent",
    ),
    stat(
        "Oldest heartbeat",
        "Time since the agents last evaluated their alerts, of the one that is longest ago. Normally below twice the "
        "scrape interval; if it grows the agent hangs: restart it.",
        Query(f"max(time() - {AGENTS.series('triton_watch_heartbeat_timestamp_seconds')})"),
        unit="s",
        scale=bad_above(WATCH_DOWN.hold),
        no_value="No agent",
    ),
    stat(
        "Reloads failed",
        "Agents whose last attempt to load their configuration failed: they go on with the one before. Run "
        "`triton-watch config check` on the file.",
        Query(how_many(AGENTS.series("triton_watch_config_last_reload_success"), "== 0")),
        scale=bad_above(1),
        no_value="No agent",
    ),
    stat(
        "Targets not heard",
        "Targets of which nothing answered as Triton in the last cycle. See whether the server or the way to it is "
        "down: the board Fleet shows which.",
        Query(how_many(AGENT_SERVERS.lowest("triton_watch_target_heard"), "== 0")),
        scale=bad_above(1),
        no_value="No targets",
    ),
    stat(
        "Alertmanagers that do not answer",
        "Alertmanagers that did not take the last alerts. Nobody is told of new alerts through these: see that they "
        "run, and that their URLs are right.",
        Query(how_many(_PEERS.lowest("triton_watch_alertmanager_up"), "== 0")),
        scale=bad_above(1),
        no_value="None was told anything",
    ),
    stat(
        "Stores that do not write",
        "Agents that cannot write their error budgets to disk and keep them in memory. See below what is wrong, and "
        "free or mend the disk before the next restart.",
        Query(how_many(AGENTS.series("triton_watch_slo_store_up"), "== 0")),
        scale=bad_above(1),
        no_value="No store is configured",
    ),
)

_TABLES: Final = (
    table(
        "Agents",
        "Each agent that runs. One that runs for seconds only ends again and again: see its log. Different versions: "
        "finish the roll-out.",
        Column("Version", f"max by (job, instance, version) ({_BUILD})", label="version"),
        Column("Python", python_versions(), label="python"),
        Column("Runs for", _latest(f"time() - {of_process('process_start_time_seconds')}"), "s"),
        Column("Heartbeat", _latest(f"time() - {AGENTS.series('triton_watch_heartbeat_timestamp_seconds')}"), "s"),
        Column(
            "Configuration loaded",
            _latest(AGENTS.series("triton_watch_config_last_reload_success")),
            names=_YES_NO,
        ),
        Column(
            "Loaded since",
            _latest(f"time() - {AGENTS.series('triton_watch_config_last_reload_success_timestamp_seconds')}"),
            "s",
        ),
        Column("Targets", f"count by (job, instance) ({AGENT_TARGETS.series('triton_watch_target_up')})"),
        Column("CPUs", _latest(per_second("process_cpu_seconds_total")), decimals=3),
        Column("Memory", _latest(of_process("process_resident_memory_bytes")), "bytes"),
        keys=("job", "instance"),
        sort_by="Heartbeat",
        no_value="Unknown",
        height=7,
    ),
)
