"""What we write as OpenSLO, we read back exactly; and it is OpenSLO."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triton_watch.config import load_slo
from triton_watch.config.openslo.read import objectives_of, read_documents
from triton_watch.config.openslo.write import as_yaml, documents
from triton_watch.config.windows import burn_windows
from triton_watch.records import Goal, Objective, Override, Page, SloSli

EXAMPLE = Path(__file__).parents[4] / "examples" / "slo.yaml"

LABEL = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63}
QUERY = {
    "type": "object",
    "required": ["metricSource"],
    "properties": {
        "metricSource": {
            "type": "object",
            "required": ["type", "spec"],
            "properties": {
                "type": {"const": "Prometheus"},
                "spec": {"type": "object", "required": ["query"], "properties": {"query": {"type": "string"}}},
            },
        }
    },
}
METADATA = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": LABEL, "annotations": {"type": "object", "additionalProperties": {"type": "string"}}},
}
SLO = {
    "type": "object",
    "additionalProperties": False,
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "apiVersion": {"const": "openslo/v1"},
        "kind": {"const": "SLO"},
        "metadata": METADATA,
        "spec": {
            "type": "object",
            "additionalProperties": False,
            "required": ["service", "indicator", "timeWindow", "budgetingMethod", "objectives"],
            "properties": {
                "description": {"type": "string", "maxLength": 1050},
                "service": LABEL,
                "indicator": {
                    "type": "object",
                    "required": ["metadata", "spec"],
                    "properties": {
                        "metadata": METADATA,
                        "spec": {
                            "type": "object",
                            "required": ["ratioMetric"],
                            "properties": {
                                "description": {"type": "string", "maxLength": 1050},
                                "ratioMetric": {
                                    "type": "object",
                                    "required": ["counter", "good", "total"],
                                    "properties": {"counter": {"const": True}, "good": QUERY, "total": QUERY},
                                },
                            },
                        },
                    },
                },
                "timeWindow": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 1,
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["duration", "isRolling"],
                        "properties": {
                            "duration": {"type": "string", "pattern": "^[1-9][0-9]*[mhdwMQY]$"},
                            "isRolling": {"const": True},
                        },
                    },
                },
                "budgetingMethod": {"enum": ["Occurrences", "Timeslices", "RatioTimeslices"]},
                "objectives": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["target"],
                        "properties": {
                            "displayName": {"type": "string"},
                            "target": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
                        },
                    },
                },
            },
        },
    },
}
"""What the text of the specification (openslo/v1) demands of what we write."""

LATENCIES = (SloSli.QUEUE_TIME, SloSli.REQUEST_TIME, SloSli.TTFT)
NAMES = st.from_regex(r"\A[a-z][a-z0-9_-]{0,62}\Z").filter(lambda name: name.isascii())
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), include_characters=" $"), min_size=1, max_size=20
).filter(lambda text: bool(text.strip()))
GLOBS = st.lists(TEXTS, min_size=1, max_size=3).map(tuple)
SHARES = st.integers(1, 10**11 - 1).map(lambda share: float(f"{share}e-11"))
RATIOS = st.floats(0.001, 1).map(lambda ratio: round(ratio, 6)) | st.sampled_from([0.2, 0.9, 1.0, 1 / 3])
TIMES = st.integers(1, 10**8).map(lambda milliseconds: milliseconds / 1000)
QUANTILES = st.none() | st.sampled_from(["0.5", "0.9", "0.99", "0.999"])


@st.composite
def goals(draw: st.DrawFn, sli: SloSli, base: Goal | None = None) -> Goal:
    low, high, quantile = None, None, None
    if sli in LATENCIES:
        high = draw(TIMES)
    elif sli is SloSli.BATCH_EFFICIENCY:
        low = draw(RATIOS)
    elif sli is SloSli.GPU_UTILIZATION:
        low, high = sorted((draw(RATIOS), draw(RATIOS)))
        low, high = draw(st.sampled_from([(low, high), (low, None), (None, high)]))
    if sli in (SloSli.QUEUE_TIME, SloSli.REQUEST_TIME):
        quantile = draw(QUANTILES) or (base.quantile if base else None)
    return Goal(draw(SHARES), low, high, quantile, draw(st.integers(1, 10**9)))


@st.composite
def objectives(draw: st.DrawFn) -> Objective:
    sli = draw(st.sampled_from(SloSli))
    goal = draw(goals(sli))
    period = draw(st.integers(3600, 366 * 86_400) | st.integers(60, 24 * 366).map(lambda hours: hours * 3600))
    severities = draw(st.sampled_from([(Page.PAGE, Page.TICKET), (Page.PAGE,), (Page.TICKET,), ()]))
    return Objective(
        name=draw(NAMES),
        sli=sli,
        goal=goal,
        period=float(period) + draw(st.sampled_from([0.0, 0.25])) * (period < 366 * 86_400),
        windows=burn_windows(float(period), severities),
        models=draw(GLOBS),
        exclude_models=draw(st.just(()) | GLOBS),
        targets=draw(GLOBS),
        overrides=tuple(draw(st.lists(st.builds(Override, GLOBS, goals(sli, goal)), max_size=2))),
        description=draw(st.just("") | TEXTS | st.just("long " * 300 + "end")),
    )


def words(objective: Objective) -> str:
    return f"About {objective.name}."


def read_back(folder: Path, text: str) -> tuple[Objective, ...]:
    path = folder / "openslo.yaml"
    path.write_text(text, "utf-8")
    imported = objectives_of(read_documents([path]))
    assert not imported.ignored
    return imported.objectives


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(st.lists(objectives(), min_size=1, max_size=3, unique_by=lambda objective: objective.name))
def test_what_is_written_is_read_back_exactly(tmp_path: Path, wanted: list[Objective]) -> None:
    """Every setting, whatever is in its texts; and each document is one by the specification."""
    exact = [_with_windows(one) for one in wanted]
    made = documents(exact, "triton", words)
    for document in made:
        jsonschema.validate(document, SLO)
    assert len({document["metadata"]["name"] for document in made}) == len(made)
    assert read_back(tmp_path, as_yaml(made)) == tuple(exact)


def _with_windows(objective: Objective) -> Objective:
    severities = {window.severity for window in objective.windows}
    return replace(objective, windows=burn_windows(objective.period, severities))


def edited(document: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {**document, "spec": {**document["spec"], **changed}}


def test_what_somebody_edited_in_the_document_counts(tmp_path: Path) -> None:
    """The specification's own fields are read from where it has them, not from annotations."""
    first = documents(load_slo(EXAMPLE, {}).objectives[:1], "triton", words)[0]
    window = [{"duration": "2w", "isRolling": True}]
    changed = edited(first, objectives=[{"targetPercent": 99.5}], timeWindow=window, description="Less.")
    (objective,) = read_back(tmp_path, yaml.safe_dump(changed))
    assert (objective.goal.objective, objective.period, objective.description) == (0.995, 14 * 86_400.0, "Less.")


def test_the_counters_of_the_agent_are_the_indicator() -> None:
    """Good and total are what the agent exports, for the objective's own name."""
    (document,) = documents(load_slo(EXAMPLE, {}).objectives[2:3], "search", words)
    metric = document["spec"]["indicator"]["spec"]["ratioMetric"]
    queries = [metric[part]["metricSource"]["spec"]["query"] for part in ("good", "total")]
    assert queries == [
        'triton_watch_slo_events_total{slo="text-queue",result="good"}',
        'triton_watch_slo_events_total{slo="text-queue"}',
    ]
    assert document["spec"]["service"] == "search"


def test_names_that_openslo_does_not_allow_are_kept_apart() -> None:
    """Underscores become dashes, and two names that are then the same are told apart."""
    goal, windows = Goal(0.9), burn_windows(86_400.0, ())
    made = documents(
        [Objective(name, SloSli.AVAILABILITY, goal, 86_400.0, windows) for name in ("a_b", "a-b", "a-")],
        "triton",
        words,
    )
    assert [document["metadata"]["name"] for document in made] == ["a-b", "a-b-2", "a"]
    assert [document["metadata"]["annotations"].get("triton-watch.io/name") for document in made] == [
        "a_b",
        "a-b",
        "a-",
    ]
