"""Boards where two agents watch the same two servers, and each model has two versions: on a real PromQL engine."""

from __future__ import annotations

import itertools
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from support.dashboards import built, expressions, filled
from triton_watch.conventions import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AGENTS = ("agent-a:8003", "agent-b:8003")
VALUES = {
    "target": ("gpu-1", "gpu-2"),
    "model": ("encoder", "ranker"),
    "version": ("1", "2"),
    "state": ("UNAVAILABLE",),
    "slo": ("availability",),
    "result": ("good", "bad"),
    "alert_state": ("firing",),
    "severity": ("page",),
    "member": ("ranker",),
    "member_version": ("1",),
    "step": ("0", "1"),
    "ensemble": ("false",),
    "dynamic_batching": ("true",),
    "max_batch_size": ("8",),
    "instances": ("2",),
    "probe": ("index", "metrics"),
    "alerts": ("page,ticket",),
    "gpu_uuid": ("GPU-1",),
    "alertmanager": ("http://am:9093",),
}
"""Labels of the agents' metrics: each series has one of each; any other label is "x"."""
COUNTS = {
    "fleet: Servers down A": 2,
    "fleet: Servers not serving A": 2,
    "fleet: Models not ready A": 8,
    "fleet: Silent failures A": 8,
    "fleet: Pages firing A": 8,
    "fleet: Requests by server (highest 20) A": 24,
    "canary: Servers not serving A": 2,
    "canary: Silent failures A": 8,
    "canary: Without golden A": 8,
    "slo: Bad events per second A": 8,
    "slo: Share of bad events over all models and servers A": 0.5,
    "config: Models unavailable A": 8,
    "agent: Targets not heard A": 2,
    "agent: Alertmanagers that do not answer A": 1,
}
"""What a panel says of two servers, two models with two versions on each: the same as with one agent."""
GAUGES = {
    "triton_watch_target_silent_cycles": 3,
    "triton_watch_target_heard": 0,
    "triton_watch_target_serving": 0,
    "triton_watch_alertmanager_up": 0,
    "triton_watch_canary_has_golden": 0,
    "triton_watch_model_requests_per_second": 3,
}
"""Any other gauge is 1; each counter gains 1 a second."""


def series() -> Iterator[dict[str, str]]:
    """What both agents export, and Triton's counters on two servers."""
    for agent, metric in itertools.product(AGENTS, METRICS):
        for values in itertools.product(*(VALUES.get(label, ("x",)) for label in metric.labels)):
            labels = {"job": "triton-watch", "instance": agent, **dict(zip(metric.labels, values, strict=True))}
            if metric.type == "histogram":
                for part in ("bucket", "sum", "count"):
                    more = {"le": "+Inf"} if part == "bucket" else {}
                    yield _one(f"{metric.name}_{part}", {**labels, **more}, "0+15x60")
            else:
                course = "0+15x60" if metric.type == "counter" else f"{GAUGES.get(metric.name, 1)}x60"
                yield _one(metric.name, labels, course)
    models = itertools.product(("gpu-1:8002", "gpu-2:8002"), VALUES["model"], VALUES["version"])
    for instance, model, version in models:
        labels = {"job": "triton", "instance": instance, "model": model, "version": version, "gpu_uuid": "GPU-1"}
        for name in ("request_success", "request_failure", "count", "exec_count"):
            yield _one(f"nv_inference_{name}", labels, "0+15x60")
        for step in ("request", "queue", "compute_input", "compute_infer", "compute_output"):
            yield _one(f"nv_inference_{step}_duration_us", labels, "0+15000x60")


def _one(name: str, labels: dict[str, str], course: str) -> dict[str, str]:
    inside = ", ".join(f"{label}={json.dumps(value)}" for label, value in labels.items())
    return {"series": f"{name}{{{inside}}}", "values": course}


@pytest.fixture(scope="module")
def asked() -> dict[str, str]:
    """Every expression by its place."""
    uid = "triton-watch-"
    return {one.place.removeprefix(uid): filled(one.text) for board in built().values() for one in expressions(board)}


def run(promtool: Path, folder: Path, tests: list[dict[str, Any]]) -> str:
    """What promtool says of these tests of expressions."""
    file = folder / "tests.yaml"
    case = {"interval": "15s", "input_series": list(series()), "promql_expr_test": tests}
    file.write_text(json.dumps({"evaluation_interval": "1m", "tests": [case]}))
    command = [str(promtool), "test", "rules", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return done.stdout + done.stderr


def test_no_expression_is_refused_for_series_that_match_twice(
    promtool: Path, tmp_path: Path, asked: dict[str, str]
) -> None:
    assert "err:" not in run(promtool, tmp_path, [{"expr": expr, "eval_time": "15m"} for expr in asked.values()])
    twice = "triton_watch_build_info * on (job) triton_watch_build_info"
    assert "err:" in run(promtool, tmp_path, [{"expr": twice, "eval_time": "15m"}])


def test_servers_models_alerts_and_events_count_once(promtool: Path, tmp_path: Path, asked: dict[str, str]) -> None:
    tests = [
        {
            "expr": f"sum(round({asked[place]}, 0.001))",
            "eval_time": "15m",
            "exp_samples": [{"labels": "{}", "value": value}],
        }
        for place, value in COUNTS.items()
    ]
    said = run(promtool, tmp_path, tests)
    assert "SUCCESS" in said, said
