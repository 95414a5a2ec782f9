"""Documents that others wrote: what their queries on Triton's own metrics come to as an objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from triton_watch.config.openslo import promql
from triton_watch.config.units import format_duration

if TYPE_CHECKING:
    from triton_watch.config.openslo.node import Node

Json = dict[str, Any]

SUCCESS: Final = "nv_inference_request_success"
_FAILURE: Final = "nv_inference_request_failure"
_BATCHES: Final = frozenset({"nv_inference_count", "nv_inference_exec_count"})
_FIRST: Final = "nv_inference_first_response_histogram_ms"
_QUANTILES: Final = {
    frozenset({"nv_inference_queue_summary_us"}): "queue_time",
    frozenset({"nv_inference_request_summary_us"}): "request_time",
}
_MEANS: Final = {
    frozenset({"nv_inference_queue_duration_us", SUCCESS}): "queue_time",
    frozenset({"nv_inference_request_duration_us", SUCCESS}): "request_time",
}
_ALONE: Final = frozenset({"nv_inference_queue_duration_us", "nv_inference_request_duration_us"})
_MEANT: Final = frozenset({"model", "quantile", "le"})
"""Labels that an objective can keep, where they are understood."""
_CHANGES: Final = frozenset({"version", "reason", "gpu_uuid", *_MEANT})
"""Labels that change what is measured: what is not kept of them must be refused."""


@dataclass(frozen=True, slots=True)
class Understood:
    """Settings of an objective, and labels that were left out: they select servers, which `targets` does here."""

    settings: Json
    left_out: tuple[str, ...]


def understood(indicator: Node, entry: Node) -> Understood:
    """Read the indicator of an SLO with one entry of its objectives. Raises `RefusalError`."""
    spec = indicator.at("spec")
    if spec.at("ratioMetric").value is not None:
        return _ratio(spec.at("ratioMetric"))
    if spec.at("thresholdMetric").value is not None:
        return _threshold(spec.at("thresholdMetric"), entry)
    raise spec.refused("has neither ratioMetric nor thresholdMetric")


def _ratio(metric: Node) -> Understood:
    good = metric.at("good")
    if good.value is None:
        raise good.refused("is missing, and a raw ratio or bad events alone cannot be taken apart")
    other = metric.at("bad") if metric.at("total").value is None else metric.at("total")
    (good_node, mine), (other_node, others) = _query(good), _query(other)
    if _BATCHES & (mine.metrics | others.metrics):
        raise good_node.refused(
            "is about batch sizes, while batch_efficiency also weighs the traffic: write that objective by hand"
        )
    if mine.metrics == {f"{_FIRST}_bucket"} and others.metrics == {f"{_FIRST}_count"}:
        return _first_response(good_node, mine)
    all_of_them = {SUCCESS, _FAILURE} if other.path.endswith("total") else {_FAILURE}
    if mine.metrics != {SUCCESS}:
        raise good_node.refused(f"is not about {SUCCESS}, nor anything else that an objective here counts")
    if others.metrics != all_of_them:
        raise other_node.refused(f"is not {' + '.join(sorted(all_of_them, reverse=True))}")
    return _settings({"sli": "availability"}, good_node, mine, other_node, others)


def _first_response(node: Node, query: promql.Query) -> Understood:
    bounds = [value for label, operator, value in query.labels if (label, operator) == ("le", "=")]
    try:
        (bound,) = bounds
        milliseconds = float(bound)
    except ValueError:
        raise node.refused('has no le="…" with the bound that is good') from None
    return _settings({"sli": "ttft", "threshold": _duration(node, milliseconds / 1000)}, node, query)


def _threshold(metric: Node, entry: Node) -> Understood:
    node, query = _query(metric)
    operator = entry.at("op").text()
    if operator not in ("lt", "lte"):
        raise entry.at("op").refused(f"is {operator}, and times are good below a value: lt or lte")
    if query.metrics & _BATCHES:
        raise node.refused(
            "is about batch sizes, while batch_efficiency also weighs the traffic: write that objective by hand"
        )
    if query.metrics and query.metrics <= _ALONE:
        raise node.refused(f"is not divided by {SUCCESS}, so it is no time of a request")
    if query.factor is None:
        raise node.refused("has numbers whose meaning cannot be told, so neither can the unit of value")
    threshold = _duration(entry.at("value"), entry.at("value").number() * 1e-6 * query.factor)
    if query.metrics in _MEANS:
        return _settings({"sli": _MEANS[query.metrics], "threshold": threshold}, node, query)
    if query.metrics not in _QUANTILES:
        raise node.refused("names no metric of Triton that an objective here is about")
    quantiles = [value for label, operator, value in query.labels if (label, operator) == ("quantile", "=")]
    if len(quantiles) != 1:
        raise node.refused('has no quantile="…", and a summary is of no use without')
    settings = {"sli": _QUANTILES[query.metrics], "threshold": threshold, "quantile": quantiles[0]}
    return _settings(settings, node, query)


def _query(metric: Node) -> tuple[Node, promql.Query]:
    node = metric.at("metricSource", "spec", "query")
    return node, promql.read(node.text())


def _duration(node: Node, seconds: float) -> str:
    if not 0.0005 <= seconds < 1e6:
        raise node.refused(f"comes to {seconds:g} s, and a threshold is from 1ms up")
    return format_duration(seconds)


def _settings(
    settings: Json, node: Node, query: promql.Query, other_node: Node | None = None, other: promql.Query | None = None
) -> Understood:
    """Add the models, which all selectors have to agree on, and see to the labels that are left."""
    models = {label for label in query.labels if label[0] == "model"}
    if other is not None and other_node is not None and {one for one in other.labels if one[0] == "model"} != models:
        raise other_node.refused("is not about the same models as the good events")
    labels = query.labels | (other.labels if other else frozenset())
    kept = (
        {"model"}
        | ({"quantile"} if "quantile" in settings else set())
        | ({"le"} if settings["sli"] == "ttft" else set())
    )
    for label, operator, value in sorted(labels):
        if label in _CHANGES - kept:
            raise node.refused(f'selects {label}{operator}"{value}", which an objective cannot')
    if models:
        settings = {**settings, "models": list(_globs(node, models))}
    return Understood(settings, tuple(sorted({label for label, _, _ in labels} - _CHANGES)))


def _globs(node: Node, models: set[tuple[str, str, str]]) -> tuple[str, ...]:
    if len(models) > 1:
        raise node.refused("selects models in more than one way")
    _, operator, value = next(iter(models))
    found = promql.globs(operator, value)
    if found is None:
        raise node.refused(f'selects model{operator}"{value}", which no glob can say')
    return found
