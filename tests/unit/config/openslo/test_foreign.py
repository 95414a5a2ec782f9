"""OpenSLO documents that others wrote: understood where they are about Triton, else refused with field and reason."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from triton_watch.config import ConfigError, ConfigUnreadableError
from triton_watch.config.openslo.read import Imported, objectives_of, read_documents
from triton_watch.config.show_objective import objective_settings

SUCCESS, FAILURE = "nv_inference_request_success", "nv_inference_request_failure"
QUEUE, REQUEST = "nv_inference_queue_duration_us", "nv_inference_request_duration_us"
FIRST = "nv_inference_first_response_histogram_ms"
MEAN = f"sum(rate({QUEUE}[5m])) / sum(rate({SUCCESS}[5m]))"
P99 = 'max(nv_inference_queue_summary_us{quantile="0.99"})'


def source(query: object) -> dict[str, Any]:
    return {"metricSource": {"type": "Prometheus", "spec": {"query": query}}}


def ratio(good: str, total: str, key: str = "total") -> dict[str, Any]:
    return {"ratioMetric": {"counter": True, "good": source(good), key: source(total)}}


def threshold(query: str) -> dict[str, Any]:
    return {"thresholdMetric": source(query)}


def slo(sli: object, **changed: Any) -> dict[str, Any]:
    spec = {
        "service": "search",
        "indicator": {"metadata": {"name": "sli"}, "spec": sli},
        "timeWindow": [{"duration": "4w", "isRolling": True}],
        "budgetingMethod": "Occurrences",
        "objectives": [{"target": 0.99, "op": "lte", "value": 50_000}],
        **changed,
    }
    return {"apiVersion": "openslo/v1", "kind": "SLO", "metadata": {"name": "checkout"}, "spec": spec}


AVAILABILITY = ratio(f"sum(rate({SUCCESS}[5m]))", f"sum(rate({SUCCESS}[5m])) + sum(rate({FAILURE}[5m]))")


def imported(folder: Path, *values: object) -> Imported:
    path = folder / "openslo.yaml"
    path.write_text(yaml.safe_dump_all(values))
    return objectives_of(read_documents([path]))


def settings(folder: Path, *values: object) -> list[dict[str, Any]]:
    return [objective_settings(objective) for objective in imported(folder, *values).objectives]


def refusal(folder: Path, *values: object) -> str:
    with pytest.raises(ConfigError) as caught:
        imported(folder, *values)
    assert not isinstance(caught.value, ConfigUnreadableError)
    return str(caught.value).removeprefix(f"{folder}/")


@pytest.mark.parametrize(
    ("indicator", "expected"),
    [
        (AVAILABILITY, {"sli": "availability"}),
        (ratio(SUCCESS, FAILURE, "bad"), {"sli": "availability"}),
        (
            ratio(f'{SUCCESS}{{model="ranker"}}', f'{FAILURE}{{model="ranker"}}', "bad"),
            {"sli": "availability", "models": ["ranker"]},
        ),
        (threshold(MEAN), {"sli": "queue_time", "threshold": "50ms"}),
        (threshold(MEAN.replace(QUEUE, REQUEST)), {"sli": "request_time", "threshold": "50ms"}),
        (threshold(f"{MEAN} / 1e3"), {"sli": "queue_time", "threshold": "50s"}),
        (threshold(f"({MEAN}) * 0.001"), {"sli": "queue_time", "threshold": "50s"}),
        (threshold(P99), {"sli": "queue_time", "threshold": "50ms", "quantile": "0.99"}),
        (
            threshold("nv_inference_request_summary_us{quantile='0.5', model=~'text_.*|ranker'}"),
            {"sli": "request_time", "threshold": "50ms", "quantile": "0.5", "models": ["text_*", "ranker"]},
        ),
        (ratio(f'{FIRST}_bucket{{le="500"}}', f"{FIRST}_count"), {"sli": "ttft", "threshold": "500ms"}),
    ],
)
def test_queries_on_tritons_metrics_are_understood(
    indicator: dict[str, Any], expected: dict[str, Any], tmp_path: Path
) -> None:
    """Success and failure, mean times with their unit, served quantiles, the first-response histogram."""
    (found,) = settings(tmp_path, slo(indicator))
    everything = {"name": "checkout", "objective": "99%", "period": "28d", "models": ["*"], **expected}
    assert {key: found[key] for key in everything} == everything
    assert set(found) <= {*everything, "targets", "min_events", "alerts"}


def test_an_indicator_of_its_own_is_found_in_any_document(tmp_path: Path) -> None:
    """By indicatorRef, before or after; an SLI that nobody refers to is no objective."""
    sli = {"apiVersion": "openslo/v1", "kind": "SLI", "metadata": {"name": "mean"}, "spec": threshold(MEAN)}
    (found,) = settings(tmp_path, slo(None, indicator=None, indicatorRef="mean"), sli)
    assert found["sli"] == "queue_time"


def test_each_of_several_objectives_is_one_of_ours(tmp_path: Path) -> None:
    """Numbered, with its own target and value."""
    entries = [{"target": 0.9, "op": "lt", "value": 20_000}, {"targetPercent": 99.9, "op": "lt", "value": 1_000_000}]
    found = settings(tmp_path, slo(threshold(MEAN), objectives=entries))
    assert [(one["name"], one["objective"], one["threshold"]) for one in found] == [
        ("checkout-1", "90%", "20ms"),
        ("checkout-2", "99.9%", "1s"),
    ]


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    """Other kinds, alert policies, and labels that choose servers."""
    source = {"apiVersion": "openslo/v1", "kind": "DataSource", "metadata": {"name": "prom"}, "spec": {}}
    query = ratio(f'{SUCCESS}{{job="triton"}}', f'{FAILURE}{{job="triton"}}', "bad")
    found = imported(tmp_path, source, slo(query, alertPolicies=["fast"]))
    path = tmp_path / "openslo.yaml"
    assert found.ignored == [
        f"{path}: DataSource prom is not read: only SLO and SLI are.",
        f"{path}: SLO checkout: spec.alertPolicies are not read: see alerts instead.",
        f"{path}: SLO checkout: the labels job are left out: targets say which servers.",
    ]
    assert len(found.objectives) == 1


GOOD_QUERY = "spec.ratioMetric.good.metricSource.spec.query"
QUERY = "spec.thresholdMetric.metricSource.spec.query"
BATCHES = "is about batch sizes, while batch_efficiency also weighs the traffic: write that objective by hand."


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (slo({}), "spec.indicator.spec: has neither ratioMetric nor thresholdMetric."),
        (slo(None), "spec.indicator.spec: has neither ratioMetric nor thresholdMetric."),
        (slo(AVAILABILITY, indicator=None), "spec.indicatorRef: is missing."),
        (
            slo(None, indicator=None, indicatorRef="x"),
            "spec.indicatorRef: names the SLI x, which is in none of the files.",
        ),
        (
            slo(AVAILABILITY, budgetingMethod="Timeslices"),
            "spec.budgetingMethod: is Timeslices, and budgets here count events: Occurrences.",
        ),
        (slo(AVAILABILITY, timeWindow=[]), "spec.timeWindow: must have exactly one entry."),
        (
            slo(AVAILABILITY, timeWindow=[{"duration": "1M", "isRolling": True}]),
            "spec.timeWindow[0].duration: is 1M: give minutes, hours, days or weeks, such as 30d.",
        ),
        (
            slo(AVAILABILITY, timeWindow=[{"duration": "1d", "isRolling": False}]),
            "spec.timeWindow[0]: is not rolling, and a period here always ends now: set isRolling to true.",
        ),
        (slo(AVAILABILITY, timeWindow=[{"duration": "1m", "isRolling": True}]), "period: 1m is out of range: choose"),
        (slo(AVAILABILITY, objectives=[]), "spec.objectives: is missing or empty."),
        (slo(AVAILABILITY, objectives=[{"target": "x"}]), "spec.objectives[0].target: is no number."),
        (
            slo(AVAILABILITY, objectives=[{"target": 1.0}]),
            "spec.objectives[0].target: is out of range: a target is above 0 and below 1 (100 percent).",
        ),
        (slo(AVAILABILITY, objectives="x"), "spec.objectives: is no list."),
        (slo("x"), "spec.indicator.spec: is no mapping."),
        (slo({"ratioMetric": {"raw": source("x")}}), "spec.ratioMetric.good: is missing, and a raw ratio"),
        (slo(ratio("http_requests_ok", "http_requests")), f"{GOOD_QUERY}: is not about {SUCCESS}, nor anything else"),
        (slo(ratio(SUCCESS, SUCCESS)), f"total.metricSource.spec.query: is not {SUCCESS} + {FAILURE}."),
        (slo(ratio(SUCCESS, SUCCESS, "bad")), f"bad.metricSource.spec.query: is not {FAILURE}."),
        (slo(ratio("nv_inference_count", "nv_inference_exec_count")), f"{GOOD_QUERY}: {BATCHES}"),
        (slo(threshold("nv_inference_count / nv_inference_exec_count")), f"{QUERY}: {BATCHES}"),
        (
            slo(ratio(f'{SUCCESS}{{model="a"}}', f'{FAILURE}{{model="b"}}', "bad")),
            "bad.metricSource.spec.query: is not about the same models as the good events.",
        ),
        (
            slo(ratio(f'{SUCCESS}{{version="1"}}', FAILURE, "bad")),
            f'{GOOD_QUERY}: selects version="1", which an objective cannot.',
        ),
        (
            slo(ratio(f'{SUCCESS}{{model=~"[a-c]x"}}', f'{FAILURE}{{model=~"[a-c]x"}}', "bad")),
            f'{GOOD_QUERY}: selects model=~"[a-c]x", which no glob can say.',
        ),
        (slo(threshold(QUEUE)), f"{QUERY}: is not divided by {SUCCESS}, so it is no time of a request."),
        (slo(threshold(f"{MEAN} + 5")), f"{QUERY}: has numbers whose meaning cannot be told"),
        (
            slo(threshold(f"1000 * {MEAN}")),
            "spec.objectives[0].value: comes to 5e-05 s, and a threshold is from 1ms up.",
        ),
        (slo(threshold("up")), f"{QUERY}: names no metric of Triton that an objective here is about."),
        (slo(threshold("nv_inference_queue_summary_us")), f'{QUERY}: has no quantile="…"'),
        (
            slo(threshold(MEAN), objectives=[{"target": 0.9, "op": "gt", "value": 1}]),
            "spec.objectives[0].op: is gt, and times are good below a value: lt or lte.",
        ),
        (slo(threshold(MEAN), objectives=[{"target": 0.9, "op": "lt"}]), "spec.objectives[0].value: is missing."),
        (slo(ratio(f"{FIRST}_bucket", f"{FIRST}_count")), f'{GOOD_QUERY}: has no le="…" with the bound that is good.'),
    ],
)
def test_what_is_not_understood_is_refused_with_document_field_and_reason(
    document: dict[str, Any], text: str, tmp_path: Path
) -> None:
    """One sentence: never a guess."""
    said = refusal(tmp_path, document)
    assert said.startswith("openslo.yaml: SLO checkout: ")
    assert text in said
    assert said.endswith(".")


def test_a_name_that_is_none_here_is_refused_like_that_of_a_configuration(tmp_path: Path) -> None:
    """The document is named in place of an entry of a list that nobody wrote."""
    document = {**slo(AVAILABILITY), "metadata": {"name": "1st.checkout"}}
    assert refusal(tmp_path, document).startswith(
        'openslo.yaml: SLO 1st.checkout: name: "1st.checkout" is not a name for an objective: '
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "openslo.yaml: is empty: give a file with OpenSLO documents."),
        ("[", "openslo.yaml:1: is not valid YAML: look at the indentation, quotes and colons here"),
        ("just text", "openslo.yaml: document 1: is no mapping."),
        ("kind: SLO", "openslo.yaml: document 1: apiVersion: is missing."),
        (
            "apiVersion: openslo/v2alpha\nkind: SLO",
            "openslo.yaml: document 1: apiVersion: is not openslo/v1, the only version that is understood.",
        ),
        ("apiVersion: openslo/v1\nkind: [SLO]", "openslo.yaml: document 1: kind: is no text."),
    ],
)
def test_what_is_no_openslo_is_refused(text: str, message: str, tmp_path: Path) -> None:
    """With the number of the document, as it has no name."""
    path = tmp_path / "openslo.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_documents([path])
    assert str(caught.value).startswith(f"{tmp_path}/{message}")


def test_a_file_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    """Told apart from one that is wrong."""
    with pytest.raises(ConfigUnreadableError):
        read_documents([tmp_path / "absent.yaml"])


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        ({"triton-watch.io/threshold": "soon"}, 'threshold: "soon" is not a duration'),
        ({"triton-watch.io/models": "7"}, "models: is a number where a list belongs"),
        ({"triton-watch.io/period": "x"}, 'metadata.annotations.triton-watch.io/period: "x" is not a duration'),
        ({"triton-watch.io/min-events": 20}, "metadata.annotations.triton-watch.io/min-events: is no text."),
    ],
)
def test_our_own_annotations_are_checked_too(annotation: dict[str, Any], text: str, tmp_path: Path) -> None:
    """Somebody may have edited them."""
    own = {"triton-watch.io/sli": "queue_time", "triton-watch.io/threshold": "50ms", **annotation}
    document = {**slo(AVAILABILITY), "metadata": {"name": "checkout", "annotations": own}}
    assert text in refusal(tmp_path, document)
