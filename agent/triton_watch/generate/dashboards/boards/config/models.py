"""Rows of the board Config findings: models by state, and the facts of those that are loaded."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from triton_watch.conventions import MODEL_INFO
from triton_watch.conventions.dashboards import MODEL
from triton_watch.generate.dashboards.links import of_row
from triton_watch.generate.dashboards.panels import Query, graph
from triton_watch.generate.dashboards.tables import Column, table
from triton_watch.generate.dashboards.variables import AGENT_MODELS, BY_TARGET

MODEL_LINKS: Final = {"model": of_row(MODEL, "target", "model")}
_STATE: Final = replace(AGENT_MODELS, by=(*BY_TARGET, "state"))
_INFO: Final = replace(AGENT_MODELS, by=MODEL_INFO.labels)

LOADED: Final = (
    graph(
        "Models by state",
        "Model versions by their state in the repository index. UNAVAILABLE failed to load; NOT_LOADED was never "
        "loaded or refused when the repository was read; MISSING is expected and not there.",
        Query(f"count by (state) ({_STATE.highest('triton_watch_model_state')})", "{{state}}"),
        unit="short",
        is_stacked=True,
        no_value="No index was read",
        width=8,
        height=9,
    ),
    table(
        "Models that are not ready",
        "Each model version that does not serve, and its state. For UNAVAILABLE the reason is in Triton's log and in "
        "`triton-watch status`; a model that you unloaded is UNLOADED.",
        Column("is", _STATE.highest("triton_watch_model_state", 'state!="READY"')),
        keys=("state", "target", "model", "version"),
        hidden=("Value",),
        key_links=MODEL_LINKS,
        sort_by="state",
        is_descending=False,
        no_value="None, or no index was read",
        width=16,
    ),
)

FACTS: Final = (
    table(
        "Models as they are configured",
        "The completed configuration of each loaded model. Look for max_batch_size 0 and dynamic_batching false where "
        "there is much traffic: the board Batching says what it costs.",
        Column("is", _INFO.highest(MODEL_INFO.name)),
        keys=_INFO.by,
        hidden=("Value",),
        key_links=MODEL_LINKS,
        sort_by="model",
        is_descending=False,
        no_value="No configuration was read",
        height=12,
    ),
)
