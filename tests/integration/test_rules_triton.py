"""promtool takes the rules on Triton's own metrics, and they record and fire what they should."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.objectives import availability, queue_time
from support.triton_rules import (
    DEFAULTS,
    LIVE,
    OBJECTIVES,
    OVERRIDES,
    RENAMED,
    firing,
    labels,
    of_model,
    settings_with,
    value,
)
from triton_watch.generate.rules.options import BurnBy, RuleOptions
from triton_watch.generate.rules.triton import triton_yaml

if TYPE_CHECKING:
    from triton_watch.records import Settings

ALERTS = Path(__file__).resolve().parents[2] / "alerts"
EVERYTHING = settings_with(*OBJECTIVES, overrides=OVERRIDES, severities=RENAMED)
ENCODER = labels(model="encoder", version="1")
EVENTS = "slo_instance_model_result:triton_slo_events:rate1m"
BUSY = {
    "inference_request_success": "0+150x160",
    "inference_request_failure|reason=BACKEND": "0x160",
    "inference_count": "0+300x160",
    "inference_exec_count": "0+100x160",
    "inference_request_duration_us": "0+60000000x160",
    "inference_queue_duration_us": "0+15000000x160",
    "inference_compute_infer_duration_us": "0+40000000x160",
}
"""10 requests/s of 2 samples in batches of 3; 4 requests in flight are 8 samples."""


def promtool_says(promtool: Path, *arguments: str, cwd: Path) -> tuple[int, str]:
    done = subprocess.run([promtool, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=300)
    return done.returncode, done.stdout + done.stderr


def check(
    promtool: Path, settings: Settings, options: RuleOptions, folder: Path, *tests: dict[str, Any], every: str = "30s"
) -> None:
    """Generate, have it linted, and run the tests on it; promtool looks `every` so often, whatever the groups say."""
    (folder / "rules.yaml").write_text(triton_yaml(settings, options))
    status, said = promtool_says(promtool, "check", "rules", "--lint=all", "--lint-fatal", "rules.yaml", cwd=folder)
    assert status == 0, said
    content = {"rule_files": ["rules.yaml"], "evaluation_interval": every, "tests": list(tests)}
    (folder / "test.yaml").write_text(yaml.safe_dump(content))
    status, said = promtool_says(promtool, "test", "rules", "test.yaml", cwd=folder)
    assert status == 0, said


def case(series: list[dict[str, str]], *values: dict[str, Any], interval: str = "15s") -> dict[str, Any]:
    return {"interval": interval, "input_series": series, "promql_expr_test": list(values)}


def test_the_committed_rules_pass_promtool_and_their_tests(promtool: Path) -> None:
    lint = ("check", "rules", "--lint=all", "--lint-fatal", "triton.yaml")
    assert promtool_says(promtool, *lint, cwd=ALERTS)[0] == 0
    status, said = promtool_says(promtool, "test", "rules", "tests/triton.yaml", cwd=ALERTS)
    assert status == 0, said


def test_the_tests_of_the_committed_rules_can_fail(promtool: Path, tmp_path: Path) -> None:
    """The classic mistake: a mean over one request more than there were."""
    wrong = (ALERTS / "triton.yaml").read_text().replace("> 0) / 1e6", "+ 1) / 1e6")
    (tmp_path / "triton.yaml").write_text(wrong)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "triton.yaml").write_text((ALERTS / "tests" / "triton.yaml").read_text())
    status, said = promtool_says(promtool, "test", "rules", "tests/triton.yaml", cwd=tmp_path)
    assert status != 0
    assert "round(model:triton_queue_time_seconds:mean5m" in said


def test_batches_are_held_against_what_a_live_server_said(promtool: Path, tmp_path: Path) -> None:
    """Encoder: 8 samples in flight on 2 instances, so that batches of 4 were possible, and 3 were made.

    Plain has one instance for the same traffic: batches of 8 were possible.
    """
    series = [
        *of_model("encoder", BUSY),
        *of_model("plain", BUSY),
        *of_model("single", BUSY),
        *of_model("pipeline", BUSY),
    ]
    plain, single = (labels(model=name, version="1") for name in ("plain", "single"))
    check(
        promtool,
        EVERYTHING,
        LIVE,
        tmp_path,
        case(
            series,
            value("model:triton_batch_fill:ratio5m", "10m", (ENCODER, 0.375), (plain, 0.375)),
            value("model:triton_batch_efficiency:ratio5m", "10m", (ENCODER, 0.75), (plain, 0.375)),
            value("model:triton_queue_time_seconds:mean5m", "10m", (ENCODER, 0.1), (plain, 0.1), (single, 0.1)),
            value(
                f'sum by (model) ({EVENTS}{{slo="batch-efficiency", result="bad"}})',
                "10m",
                ('{model="encoder"}', 0),
                ('{model="plain"}', 1),
            ),
            firing("TritonNotBatching", "10m"),
            firing("TritonNotBatching", "25m", "info"),
            firing("TritonWatchdog", "1m", "info"),
        ),
    )


def test_little_traffic_fills_the_batches_that_it_could(promtool: Path, tmp_path: Path) -> None:
    """One request at a time: a batch of one is all there can be, and the fill says so, and the efficiency is 1."""
    lonely = {**BUSY, "inference_count": "0+150x160", "inference_exec_count": "0+150x160"}
    lonely["inference_request_duration_us"] = "0+7500000x160"
    check(
        promtool,
        EVERYTHING,
        LIVE,
        tmp_path,
        case(
            of_model("encoder", lonely),
            value("model:triton_batch_fill:ratio5m", "10m", (ENCODER, 0.125)),
            value("model:triton_batch_efficiency:ratio5m", "10m", (ENCODER, 1)),
            firing("TritonNotBatching", "30m"),
        ),
    )


def test_a_queue_is_deep_where_it_exceeds_what_all_instances_take(promtool: Path, tmp_path: Path) -> None:
    """Encoder takes 2 x 8 at once: 32 waiting are twice that, and 33 are more. An ensemble has no queue."""
    deep, at_limit = ({**BUSY, "inference_pending_request_count": f"{waiting}x160"} for waiting in (33, 32))
    pipeline = {**BUSY, "inference_pending_request_count": "99x160"}
    check(
        promtool,
        EVERYTHING,
        LIVE,
        tmp_path,
        case(of_model("encoder", deep), firing("TritonQueueGrowing", "3m", "warning")),
        case(of_model("encoder", at_limit), firing("TritonQueueGrowing", "10m")),
        case(of_model("pipeline", pipeline), firing("TritonQueueGrowing", "10m")),
    )


def test_a_served_quantile_is_judged_and_nothing_where_it_is_absent(promtool: Path, tmp_path: Path) -> None:
    slow = {**BUSY, "inference_queue_summary_us|quantile=0.99": "80000x160"}
    empty = {**BUSY, "inference_queue_summary_us|quantile=0.99": " ".join(["NaN"] * 60)}
    events = f'sum by (result) ({EVENTS}{{slo="queue-time"}})'
    both = ('{result="good"}', '{result="bad"}')
    check(
        promtool,
        EVERYTHING,
        LIVE,
        tmp_path,
        case(of_model("encoder", slow), value(events, "10m", (both[0], 0), (both[1], 10))),
        case(of_model("encoder", empty), value(events, "10m")),
        case(of_model("encoder", BUSY), value(events, "10m")),
        case(of_model("single", slow), value(events, "10m")),
    )


def test_each_model_has_the_goal_of_its_first_override(promtool: Path, tmp_path: Path) -> None:
    """Half of the requests fail: of encoder's budget of 10 % that is 5 times as much, of plain's 1 % 50 times."""
    half = {**BUSY, "inference_request_success": "0+75x160", "inference_request_failure|reason=BACKEND": "0+75x160"}
    series = [*of_model("encoder", half), *of_model("plain", half)]
    budget = 'sum by (model) (slo_instance_model:triton_slo_budget_remaining:ratio{slo="availability"})'
    burning = 'count by (model, severity) (ALERTS{alertname="TritonErrorBudgetBurn", window="1h", team="ml"})'
    check(
        promtool,
        EVERYTHING,
        LIVE,
        tmp_path,
        case(
            series,
            value(budget, "10m", ('{model="encoder"}', -4), ('{model="plain"}', -49)),
            value(burning, "10m", ('{model="plain", severity="critical"}', 1)),
        ),
    )


def test_overrides_of_alerts_are_honoured(promtool: Path, tmp_path: Path) -> None:
    stuck = {
        "inference_pending_request_count": "3x160",
        "inference_request_success": "9x160",
        "inference_request_failure|reason=OTHER": "0x160",
        "inference_request_duration_us": "9x160",
    }
    gpu = [
        {"series": f"nv_gpu_{name}{labels(gpu_uuid='G')}", "values": f"{one}x160"}
        for name, one in (("utilization", "0.01"), ("memory_used_bytes", "60e9"), ("memory_total_bytes", "80e9"))
    ]
    owned = 'count by (owner, severity) (ALERTS{alertname="TritonGpuMemoryHigh", alertstate="firing"})'
    check(
        promtool,
        EVERYTHING,
        LIVE,
        tmp_path,
        case(of_model("plain", stuck), firing("TritonModelWedged", "3m", "critical")),
        case(
            of_model("encoder", stuck), firing("TritonModelWedged", "5m"), firing("TritonModelWedged", "7m", "warning")
        ),
        case(
            [*gpu, *of_model("encoder", BUSY)],
            value(owned, "10m", ('{owner="infra", severity="warning"}', 1)),
            firing("TritonGpuUnderused", "39m"),
        ),
    )


def test_budgets_over_all_servers_are_formed_from_the_sums(promtool: Path, tmp_path: Path) -> None:
    """All of the few requests of one server fail, and none of the other's many: clients see 1 % of failures."""
    small = {"inference_request_success": "0x160", "inference_request_failure|reason=OTHER": "0+3x160"}
    large = {"inference_request_success": "0+297x160", "inference_request_failure|reason=OTHER": "0x160"}
    other = [{**one, "series": one["series"].replace("gpu-1", "gpu-2")} for one in of_model("encoder", large)]
    series = [*of_model("encoder", small), *other]
    burning = 'count by (model, instance, window) (ALERTS{alertname="TritonErrorBudgetBurn", alertstate="firing"})'
    options = replace(LIVE, burn_by=BurnBy.MODEL)
    strict, lenient = availability(0.9995), availability(0.99)
    check(
        promtool,
        settings_with(strict),
        options,
        tmp_path,
        case(series, value(burning, "10m", ('{model="encoder", window="1h"}', 1))),
    )
    check(promtool, settings_with(lenient), options, tmp_path, case(series, value(burning, "10m")))


def test_another_selector_sees_nothing_of_these_servers(promtool: Path, tmp_path: Path) -> None:
    elsewhere = replace(LIVE, selectors=(("cluster", 'b "c"\\'),), triton_job="inference.*")
    check(
        promtool,
        settings_with(queue_time()),
        elsewhere,
        tmp_path,
        case(of_model("encoder", BUSY), value("model:triton_requests:rate5m", "10m")),
    )


@pytest.mark.parametrize(
    ("every", "interval", "windows"), [("1m", 60.0, ["1h"]), ("90s", 90.0, ["1h"]), ("4m", 240.0, ["1h", "1d", "30d"])]
)
def test_no_event_is_lost_between_two_looks(
    promtool: Path, tmp_path: Path, every: str, interval: float, windows: list[str]
) -> None:
    """A hundred requests fail within a minute, and none before or later.

    At four minutes the slow group is looked at as often as the others, so that promtool can show its windows too.
    """
    burst = {
        "inference_request_success": "0+150x240",
        "inference_request_failure|reason=BACKEND": "0x33 25 50 75 100x200",
    }
    bad = 'sum(slo_instance_model_result:triton_slo_events:increase$window{slo="availability", result="bad"})'
    check(
        promtool,
        settings_with(availability()),
        replace(LIVE, interval=interval),
        tmp_path,
        case(
            of_model("encoder", burst),
            *(
                {
                    "expr": f"round({bad.replace('$window', one)}, 10)",
                    "eval_time": "36m",
                    "exp_samples": [{"labels": "{}", "value": 100}],
                }
                for one in windows
            ),
        ),
        every=every,
    )


def test_any_period_and_interval_make_rules_that_promtool_takes(promtool: Path, tmp_path: Path) -> None:
    for period, interval in ((3600.0, 15.0), (7 * 86400.0, 60.0), (90 * 86400.0, 300.0)):
        objective = replace(availability(), period=period)
        check(promtool, settings_with(objective), RuleOptions(interval=interval), tmp_path, case([]))
    check(promtool, settings_with(), RuleOptions(), tmp_path, case([]))
    check(promtool, DEFAULTS, LIVE, tmp_path, case([]))
