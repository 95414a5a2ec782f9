"""The names of exported metrics follow Prometheus's rules, and docs/metrics.md tells about each."""

import re
from pathlib import Path

import pytest

from triton_watch.conventions import LABELS, METRICS, PREFIX, Metric
from triton_watch.daemon import metrics_docs

DOCS = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
BASE_UNITS = {"", "seconds", "bytes", "ratio", "joules"}
OTHER_UNITS = re.compile(r"milli|micro|nano|percent|_ms\b|_us\b|_mb\b|minutes|hours|watts|watt_hours")

every_metric = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)


def test_names_are_unique() -> None:
    """No two metrics share a name, also not once OpenMetrics has cut their suffixes off."""
    names = [metric.name for metric in METRICS]
    families = [re.sub("_(total|info)$", "", name) for name in names]
    assert len(set(names)) == len(names)
    assert len(set(families)) == len(families)


@every_metric
def test_name_follows_the_rules(metric: Metric) -> None:
    """A name is snake_case behind our prefix, and never one of Triton's own."""
    assert re.fullmatch(PREFIX + "[a-z][a-z0-9]*(_[a-z0-9]+)*", metric.name)
    assert not OTHER_UNITS.search(metric.name)
    assert "nv_" not in metric.name


@every_metric
def test_suffix_tells_the_type_or_the_unit(metric: Metric) -> None:
    """Counters end in _total, infos in _info and have no unit; a unit is a base unit and ends the name."""
    assert metric.unit in BASE_UNITS
    assert metric.name.endswith("_total") == (metric.type == "counter")
    assert metric.name.endswith("_info") == (metric.type == "info")
    assert metric.name.endswith(f"_{metric.unit}") or not metric.unit
    assert any(metric.name.endswith(f"_{unit}") for unit in BASE_UNITS - {""}) == bool(metric.unit)
    assert not metric.unit or metric.type in ("gauge", "histogram")


@every_metric
def test_help_is_a_clear_sentence(metric: Metric) -> None:
    """HELP is one sentence that starts with a capital and ends in a period, and needs no escaping."""
    assert re.fullmatch(r'[A-Z][^"\\\n]{15,109}\.', metric.help)
    assert not metric.notes or re.fullmatch(r"[A-Z][^\n]+\.", metric.notes)


@every_metric
def test_labels_are_of_the_fixed_list(metric: Metric) -> None:
    """Every label has its line in LABELS, and stands once."""
    assert set(metric.labels) <= LABELS.keys()
    assert len(set(metric.labels)) == len(metric.labels)


def test_every_label_is_used() -> None:
    """LABELS has no label that no metric has; model_namespace joins the labels of models."""
    used = {label for metric in METRICS for label in metric.labels}
    assert used | {"model_namespace"} == LABELS.keys()


def test_docs_are_what_the_conventions_say() -> None:
    """docs/metrics.md is in step with the conventions; tests/generate_docs.py writes it."""
    assert DOCS.read_text() == metrics_docs.render()


@every_metric
def test_every_metric_has_its_heading_in_the_docs(metric: Metric) -> None:
    """docs/metrics.md has a heading for each metric, followed by its HELP."""
    assert f"### `{metric.name}`\n\n{metric.help}\n" in DOCS.read_text()
