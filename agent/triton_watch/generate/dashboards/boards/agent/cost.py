"""What triton-watch costs, as the last row of the board Agent: CPU, memory, files, and its canaries."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from triton_watch.conventions.dashboards import CANARY
from triton_watch.generate.dashboards.links import of_series
from triton_watch.generate.dashboards.panels import Query, graph
from triton_watch.generate.dashboards.scales import bad_above
from triton_watch.generate.dashboards.variables import AGENT_MODELS, AGENTS
from triton_watch.generate.queries import RANGE, worst

_AGENT, _NO_PROCESS = "{{instance}}", "Not known: only Linux says it"
_CPU, _REQUESTS = "triton_watch_canary_cpu_seconds_total", "triton_watch_canary_requests_total"
_BY_SERVER: Final = replace(AGENT_MODELS, by=("target",))
_OURS: Final = f"on (job, instance) {AGENTS.series('triton_watch_build_info')}"
"""`process_...` and `python_...` are what many programs export: keep the agents'."""


def of_process(metric: str) -> str:
    """A gauge of the agents' own processes."""
    return f"({AGENTS.series(metric)} and {_OURS})"


def per_second(metric: str) -> str:
    """What a counter of the agents' own processes gains in a second."""
    return f"(rate({AGENTS.series(metric)}[{RANGE}]) and {_OURS})"


def python_versions() -> str:
    """A series for each agent, with the version of its Python as label `python`."""
    info = f'label_replace({of_process("python_info")}, "python", "$1", "version", "(.+)")'
    return f"max by (job, instance, python) ({info})"


COST: Final = (
    graph(
        "CPU",
        "CPUs that each agent uses. It grows with targets, models and canaries: poll less often, or split the targets "
        "over several agents.",
        Query(per_second("process_cpu_seconds_total"), _AGENT),
        unit="short",
        no_value=_NO_PROCESS,
        width=8,
    ),
    graph(
        "Memory",
        "Resident memory of each agent. It levels off with the number of models; if it grows for days, restart the "
        "agent and report it with the number of targets and models.",
        Query(of_process("process_resident_memory_bytes"), _AGENT),
        unit="bytes",
        no_value=_NO_PROCESS,
        width=8,
    ),
    graph(
        "Open files",
        "Open files and connections of the limit. At 100 % polls fail: raise the limit (ulimit -n, LimitNOFILE).",
        Query(f"{of_process('process_open_fds')} / ({of_process('process_max_fds')} > 0)", _AGENT),
        unit="percentunit",
        highest=1,
        scale=bad_above(1),
        no_value=_NO_PROCESS,
        width=8,
    ),
    graph(
        "Garbage collection",
        "Collections a second by generation. Many of generation 2 with a high CPU: the agent has more models than it "
        "was measured with; split the targets.",
        Query(
            f"sum by (instance, generation) {per_second('python_gc_collections_total')}",
            "generation {{generation}}, {{instance}}",
        ),
        unit="cps",
        no_value="No agent",
        width=8,
    ),
    graph(
        "CPU of canaries, by model (20)",
        "CPUs that the agent spends on canaries of a model, the 20 highest. Large tensors cost most: lengthen "
        "canary.interval for this model, or give it a smaller input.",
        Query(
            worst(AGENT_MODELS.rate(_CPU), AGENT_MODELS.by, AGENT_MODELS.gained(_CPU)),
            "{{model}} {{version}} on {{target}}",
        ),
        unit="short",
        no_value="No canary has run",
        links=[of_series(CANARY)],
        width=8,
    ),
    graph(
        "Requests of canaries",
        "Inference requests a second that canaries send to a target. They take time from your clients: lengthen "
        "canary.interval if a busy server feels them.",
        Query(worst(_BY_SERVER.rate(_REQUESTS), _BY_SERVER.by, _BY_SERVER.gained(_REQUESTS)), "{{target}}"),
        unit="reqps",
        no_value="No canary has run",
        width=8,
    ),
)
