"""Objectives read from the series that agents export of them, on a real Prometheus; one cluster for each scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.prometheus_server import RealPrometheus, Series, write_blocks
from support.slo_series import DAY, END, HOUR, WEEK, WINDOWS, gauge, history_at, scenario
from triton_watch.records import Goal, Objective, Override, Page, SloSli

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def scenarios() -> list[Series]:
    return [
        *scenario("catalogue", catalogue(END - HOUR, END)),
        *scenario("down", catalogue(END - 4 * HOUR, END - 3 * HOUR)),
        *scenario(
            "changed",
            catalogue(END - 5 * DAY, END - 4 * DAY, period=30 * DAY),
            catalogue(END - 3 * DAY, END - 2 * DAY - HOUR),
        ),
        *scenario(
            "disagreement", *(catalogue(END - HOUR, END, instance=str(n), period=(n // 2 + 1) * DAY) for n in range(3))
        ),
        *scenario(
            "restarted",
            [one for one in catalogue(END - HOUR, END) if "model" not in one.labels],
            [one for one in catalogue(END - 4 * HOUR, END - 3 * HOUR) if "model" in one.labels],
        ),
        *scenario("newer", [gauge("info", 1, {"slo": "s", "sli": "unheard_of"}, start=END - HOUR)]),
        *scenario("modelless", [gauge("info", 1, {"slo": "s", "sli": "ttft"}, start=END - HOUR)], period_of("s")),
    ]


def period_of(slo: str) -> list[Series]:
    return [gauge("period_seconds", WEEK, {"slo": slo}, start=END - HOUR)]


def catalogue(start: float, end: float, instance: str = "i", period: float = WEEK) -> list[Series]:
    """Three objectives: a plain one, one with a served quantile and an override, one with a band."""

    def one(name: str, value: float, **labels: str) -> Series:
        return gauge(name, value, {"instance": instance, **labels}, start=start, end=end)

    found = []
    for slo, sli, quantile, alerts in (
        ("up", "availability", "", ""),
        ("wait", "queue_time", "0.99", "page,ticket"),
        ("gpu", "gpu_utilization", "", "ticket"),
    ):
        found += [
            one("info", 1, slo=slo, sli=sli, served_quantile=quantile, alerts=alerts),
            one("period_seconds", period, slo=slo),
            one("min_events", 7, slo=slo),
        ]
        for model in ("m", "n", "odd[1]"):
            ratio = 0.9 if (slo, model) == ("wait", "odd[1]") else 0.999
            place = {"slo": slo, "target": "t", "model": model, "version": "1"}
            found.append(one("objective_ratio", ratio, **place))
            if slo == "wait":
                found.append(one("threshold_seconds", 0.05 if model != "odd[1]" else 0.2, **place))
            if slo == "gpu":
                found += [
                    one("threshold_ratio", 0.2, **place, bound="lower"),
                    one("threshold_ratio", 0.9, **place, bound="upper"),
                ]
    return found


@pytest.fixture(scope="module")
def data(promtool: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_blocks(promtool, scenarios(), tmp_path_factory.mktemp("history") / "data")


@pytest.fixture(scope="module")
def server(prometheus_bin: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealPrometheus]:
    with RealPrometheus(prometheus_bin, data, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.mark.parametrize("cluster", ["catalogue", "down", "restarted"])
def test_objectives_are_read_from_the_series(server: RealPrometheus, cluster: str) -> None:
    """Also of agents that have been down for hours, or began anew while their servers were down."""
    with history_at(server.url, cluster) as history:
        gpu, up, wait = history.objectives()
        assert history.warnings == ()
    tickets = tuple(window for window in WINDOWS if window.severity is Page.TICKET)
    assert tickets != WINDOWS
    assert gpu == Objective("gpu", SloSli.GPU_UTILIZATION, Goal(0.999, low=0.2, high=0.9, min_events=7), WEEK, tickets)
    assert up == Objective("up", SloSli.AVAILABILITY, Goal(0.999, min_events=7), WEEK, WINDOWS)
    assert wait.windows == WINDOWS
    assert wait.goal == Goal(0.999, high=0.05, quantile="0.99", min_events=7)
    assert wait.goal_of("odd[1]") == Goal(0.9, high=0.2, quantile="0.99", min_events=7)
    assert wait.overrides == (Override(("odd[[]1]",), wait.goal_of("odd[1]")),)


def test_what_agents_long_down_said_last_still_counts(server: RealPrometheus) -> None:
    with history_at(server.url, "changed") as history:
        assert [(one.name, one.period) for one in history.objectives()] == [("gpu", WEEK), ("up", WEEK), ("wait", WEEK)]
        assert history.warnings == ()


def test_where_agents_disagree_most_win_and_a_warning_says_so(server: RealPrometheus) -> None:
    with history_at(server.url, "disagreement") as history:
        assert {one.period for one in history.objectives()} == {DAY}
        assert len(history.warnings) == 3
        assert "objective 'up' is not the same everywhere" in " ".join(history.warnings)


def test_an_objective_that_cannot_be_used_is_left_out_with_its_reason(server: RealPrometheus) -> None:
    reasons = {
        "newer": "'s' is left out: this version of triton-watch does not know its indicator 'unheard_of'",
        "modelless": "'s' is left out: no model has it",
        "nowhere": "there is no triton_watch_slo_info of the last 30 days",
    }
    for cluster, reason in reasons.items():
        with history_at(server.url, cluster) as history:
            assert history.objectives() == ()
            assert reason in " ".join(history.warnings)
