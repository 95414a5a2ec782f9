"""The annotations of the boards, on a real PromQL engine: a load is marked, and the beginning of an agent is not."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from triton_watch.generate.dashboards.annotations import FIRING, LOADED

if TYPE_CHECKING:
    from pathlib import Path

SERIES = 'job="triton-watch", instance="{agent}", target="gpu-1"'
AGENTS = ("agent-a:8003", "agent-b:8003")


def filled(expr: str) -> str:
    return (
        expr.replace("$__rate_interval", "1m")
        .replace("$target", ".+")
        .replace("$model|", ".+|")
        .replace("$model", ".+")
    )


def series(metric: str, labels: str, values: str) -> list[dict[str, str]]:
    """The same series from both agents of a pair, 15 s apart."""
    return [{"series": f"{metric}{{{SERIES.format(agent=agent)}{labels}}}", "values": values} for agent in AGENTS]


def run(promtool: Path, folder: Path, given: list[dict[str, str]], expr: str, found: dict[str, list[str]]) -> None:
    """Ask the expression at each moment; what is found there are series, each of the value 1."""
    tests = [
        {"expr": filled(expr), "eval_time": at, "exp_samples": [{"labels": one, "value": 1} for one in samples]}
        for at, samples in found.items()
    ]
    file: dict[str, Any] = {"tests": [{"interval": "15s", "input_series": given, "promql_expr_test": tests}]}
    (folder / "test.yaml").write_text(json.dumps(file))
    done = subprocess.run(
        [str(promtool), "test", "rules", "test.yaml"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("before", ["0x19", "_x19"], ids=["not ready before", "not known before"])
def test_a_model_that_became_ready_is_marked_once_for_a_pair_of_agents(
    promtool: Path, tmp_path: Path, before: str
) -> None:
    given = [
        *series("triton_watch_target_up", "", "1x60"),
        *series("triton_watch_model_ready", ', model="m", version="1"', f"{before} 1x40"),
        *series("triton_watch_model_ready", ', model="old", version="1"', "1x60"),
    ]
    mark = ['{target="gpu-1", model="m", version="1"}']
    run(promtool, tmp_path, given, LOADED, {"4m": [], "5m15s": mark, "8m": []})


def test_an_agent_that_begins_to_watch_marks_no_model(promtool: Path, tmp_path: Path) -> None:
    given = [
        *series("triton_watch_target_up", "", "_x19 1x40"),
        *series("triton_watch_model_ready", ', model="m", version="1"', "_x19 1x40"),
    ]
    run(promtool, tmp_path, given, LOADED, {"5m": [], "5m15s": [], "5m30s": [], "8m": []})


def test_an_alert_is_marked_while_it_fires_with_a_model_or_without_one(promtool: Path, tmp_path: Path) -> None:
    given = [
        *series("triton_watch_alert_state", ', alertname="A", alert_state="firing", model="m"', "_x19 1x4 _x40"),
        *series("triton_watch_alert_state", ', alertname="B", alert_state="firing"', "_x19 1x4 _x40"),
        *series("triton_watch_alert_state", ', alertname="C", alert_state="pending"', "1x60"),
    ]
    marks = ['{alertname="A", target="gpu-1", model="m"}', '{alertname="B", target="gpu-1"}']
    run(promtool, tmp_path, given, FIRING, {"4m": [], "5m30s": marks, "9m": []})
