"""What people choose at the top of a board, and the scopes that follow their choice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, TypeAlias

from grafanalib import core

from triton_watch.generate.dashboards.gpus import EVERY_GPU
from triton_watch.generate.dashboards.panels import DATASOURCE
from triton_watch.generate.queries import RANGE, Scope

Variable: TypeAlias = Any
"""grafanalib's Template, which has no types."""


def _of_labels(name: str, label: str, query: str, *, has_all: bool = True, regex: str | None = None) -> Variable:
    """Any number of what the query gives; of a `query_result` the regular expression takes the label's value."""
    return core.Template(
        name=name, label=label, query=query, regex=regex, dataSource=DATASOURCE, multi=True, includeAll=has_all
    )


SOURCE: Final = core.Template(name="datasource", label="Data source", type="datasource", query="prometheus")

TRITON_JOB: Final = _of_labels("job", "Job of Triton", "label_values(nv_inference_request_success, job)")
TRITON_INSTANCE: Final = _of_labels(
    "instance", "Triton", 'label_values(nv_inference_request_success{job=~"$job"}, instance)'
)
TRITON_MODEL: Final = _of_labels(
    "model", "Model", 'label_values(nv_inference_request_success{job=~"$job", instance=~"$instance"}, model)'
)

AGENT_JOB: Final = _of_labels("job", "Job of the agents", "label_values(triton_watch_build_info, job)")
AGENT_INSTANCE: Final = _of_labels("instance", "Agent", 'label_values(triton_watch_build_info{job=~"$job"}, instance)')
AGENT_TARGET: Final = _of_labels(
    "target", "Target", 'label_values(triton_watch_target_up{job=~"$job", instance=~"$instance"}, target)'
)
AGENT_MODEL: Final = _of_labels(
    "model",
    "Model",
    'label_values(triton_watch_model_ready{job=~"$job", instance=~"$instance", target=~"$target"}, model)',
)
"""Models that are not loaded, too, which have no `triton_watch_model_info`: links lead to them, and what is not among
the choices Grafana replaces by the first that is."""
WATCHED_TARGET: Final = _of_labels(
    "target", "Target of the agents", 'label_values(triton_watch_model_ready{model=~"$model"}, target)'
)
"""On a board about Triton's own page: which of the agents' targets its other panels are about."""

GPU_UUID: Final = _of_labels("gpu", "GPU", f"query_result({EVERY_GPU})", regex='/gpu_uuid="([^"]+)"/')
"""The GPUs that a board is about, whoever reports them; choosing job and instance narrows it."""

AGENT_SLO: Final = _of_labels(
    "slo", "Objective", 'label_values(triton_watch_slo_info{job=~"$job", instance=~"$instance"}, slo)'
)

ONE_MODEL: Final = _of_labels(
    "model",
    "Model",
    'query_result(group by (model) (nv_inference_request_success{job=~"$job", instance=~"$instance"})'
    " or group by (model) (triton_watch_model_ready unless on (model) nv_inference_request_success))",
    regex='/model="([^"]+)"/',
    has_all=False,
)
"""On a board about one model, or some: a thousand at once would be too much for a browser. What agents know and no
Triton serves is among them, too: models that are missing or failed to load."""
MODEL_BOARD: Final = (SOURCE, TRITON_JOB, TRITON_INSTANCE, ONE_MODEL, WATCHED_TARGET)
ONE_ENSEMBLE: Final = _of_labels(
    "model", "Ensemble", "label_values(triton_watch_ensemble_step_info, model)", has_all=False
)
ENSEMBLE_BOARD: Final = (SOURCE, TRITON_JOB, TRITON_INSTANCE, ONE_ENSEMBLE, WATCHED_TARGET)
TRITON_BOARD: Final = (SOURCE, TRITON_JOB, TRITON_INSTANCE, TRITON_MODEL, WATCHED_TARGET)
"""Boards whose job and instance are those of Triton's own page."""
AGENT_BOARD: Final = (SOURCE, AGENT_JOB, AGENT_INSTANCE, AGENT_TARGET, AGENT_MODEL)
"""Boards whose job and instance are those of the agents."""

BY_MODEL: Final = ("instance", "model", "version")
TRITON: Final = Scope('job=~"$job", instance=~"$instance", model=~"$model"', RANGE, BY_MODEL)
"""Triton's series of the chosen models, on a `TRITON_BOARD`."""
OVER_REPLICAS: Final = replace(TRITON, by=("model", "version"))
"""The same, added up over all Tritons that serve the model."""
OVER_VERSIONS: Final = replace(TRITON, by=("model",))
"""The same, added up over versions too."""
TOGETHER: Final = replace(TRITON, by=())
"""The same, added up over all chosen models and Tritons."""
TRITON_SERVER: Final = Scope('job=~"$job", instance=~"$instance"', RANGE, ("instance",))
"""Triton's series that are about no model: its caches, its memory."""

BY_TARGET: Final = ("target", "model", "version")
WATCHED: Final = Scope('target=~"$target", model=~"$model"', RANGE, BY_TARGET)
"""The agents' series of the chosen models, on either board."""
WATCHED_OVER_TARGETS: Final = replace(WATCHED, by=("model", "version"))
"""The same, over all targets that serve the model."""
WATCHED_TARGETS: Final = Scope('target=~"$target"', RANGE, ("target",))
"""The agents' series that are about a target."""
AGENT_WATCHED: Final = Scope(
    'job=~"$job", instance=~"$instance", target=~"$target", model=~"$model"', RANGE, ("instance", *BY_TARGET)
)
"""The chosen agents' series of the chosen models, on an `AGENT_BOARD`: a series for each agent."""
AGENT_MODELS: Final = replace(AGENT_WATCHED, by=BY_TARGET)
"""The same with one series where several agents watch a target: take the worst, and count each once."""
AGENT_TARGETS: Final = Scope('job=~"$job", instance=~"$instance", target=~"$target"', RANGE, ("instance", "target"))
"""The chosen agents' series that are about a target, on an `AGENT_BOARD`: a series for each agent."""
AGENT_SERVERS: Final = replace(AGENT_TARGETS, by=("target",))
"""The same with one series where several agents watch a target: take the worst, and count each once."""
AGENT_OBJECTIVES: Final = replace(
    AGENT_WATCHED, matchers=f'{AGENT_WATCHED.matchers}, slo=~"$slo"', by=("slo", *AGENT_WATCHED.by)
)
"""The chosen agents' series of the chosen objectives and models, where the board offers `AGENT_SLO`."""
AGENTS: Final = Scope('job=~"$job", instance=~"$instance"', RANGE, ("instance",))
"""The agents' series about themselves, on an `AGENT_BOARD`."""
AGENTS_UP: Final = (
    f"({AGENTS.series('up')} and on (job, instance) last_over_time({AGENTS.series('triton_watch_build_info')}[1d]))"
)
"""`up` of those that were agents in the last day: all of `up` is more than agents."""
