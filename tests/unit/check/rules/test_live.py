"""Rules 8xx on records by hand; what a real server says is in tests/integration/test_check_live.py."""

from __future__ import annotations

import re
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.check_examples import write_repository
from triton_watch.check.engine import run_rules
from triton_watch.check.live import EndpointProblem, LiveServer, MetricsFacts, config_of, metrics_of, release_of
from triton_watch.check.options import Options, Release
from triton_watch.check.repository import Repository
from triton_watch.check.rule import Scope
from triton_watch.check.rules.live import RULES
from triton_watch.check.rules.live_disk import differences
from triton_watch.check.rules.live_reasons import EXPLANATIONS, explain
from triton_watch.records import ModelKey, ModelState, ModelStatus, Severity

if TYPE_CHECKING:
    from triton_watch.check.model import Model
    from triton_watch.records import Finding

URL = "http://triton:8000"
RECORDED = Path(__file__).parents[3] / "differential" / "recorded.yaml"
PAGES = Path(__file__).parents[3] / "fixtures" / "pages"
PAGE = MetricsFacts(families=frozenset({"nv_inference_request_success"}))
CONFIG = """\
name: "model"
backend: "python"
max_batch_size: 8
input [{ name: "A", data_type: TYPE_FP32, dims: [4] }]
output [{ name: "B", data_type: TYPE_FP32, dims: [-1] }]
dynamic_batching { preferred_batch_size: [8] }
instance_group [{ kind: KIND_CPU, count: 2 }]
parameters { key: "mode" value { string_value: "fast" } }
version_policy { latest { num_versions: 1 } }
"""
ANSWER: dict[str, Any] = {
    "name": "model",
    "platform": "",
    "backend": "python",
    "runtime": "",
    "version_policy": {"latest": {"num_versions": 1}},
    "max_batch_size": 8,
    "input": [{"name": "A", "data_type": "TYPE_FP32", "format": "FORMAT_NONE", "dims": ["4"], "newer": True}],
    "output": [{"name": "B", "data_type": "TYPE_FP32", "dims": ["-1"], "label_filename": ""}],
    "dynamic_batching": {"preferred_batch_size": [8], "max_queue_delay_microseconds": "0"},
    "instance_group": [{"name": "model_0", "kind": "KIND_CPU", "count": 2, "gpus": [], "rate_limiter": None}],
    "optimization": {"priority": "PRIORITY_DEFAULT", "input_pinned_memory": {"enable": True}},
    "parameters": {"mode": {"string_value": "fast"}},
    "default_model_filename": "model.py",
    "a_field_of_2030": {"x": 1},
}


def state(
    name: str = "model", status: ModelStatus = ModelStatus.READY, reason: str = "", version: str = "1"
) -> ModelState:
    return ModelState(ModelKey(name, version), status, reason)


def server(*states: ModelState, **more: Any) -> LiveServer:
    return LiveServer(
        **{"url": URL, "version": "2.51.0", "live": True, "ready": True, "index": states, "metrics": PAGE, **more}
    )


def found(live: LiveServer, options: Options | None = None) -> list[Finding]:
    return list(run_rules(RULES, Scope.LIVE, live, options or Options()))


def slugs(live: LiveServer, options: Options | None = None) -> list[str]:
    return [one.slug for one in found(live, options)]


def on_disk(tmp_path: Path, example: str = CONFIG) -> dict[str, Model]:
    repository = Repository(write_repository(example, tmp_path))
    return {name: model for name in repository.names if (model := repository.model(name))}


def served(**changes: Any) -> dict[str, Any]:
    config = config_of({**ANSWER, **changes})
    assert config is not None
    return {"model": config}


def test_ids_and_slugs_are_there_once_and_in_order() -> None:
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids))
    assert not [slug for slug, count in Counter(rule.slug for rule in RULES).items() if count > 1]


def test_a_server_of_which_all_is_well_has_no_findings(tmp_path: Path) -> None:
    assert slugs(server(state(), configs=served(), on_disk=on_disk(tmp_path))) == []


@pytest.mark.parametrize(
    ("reason", "slug", "words"),
    [
        (
            "Invalid argument: unable to find backend library for backend 'onnx', try specifying runtime",
            "live-backend-not-found",
            "case counts",
        ),
        ("model 'm', tensor 'x': the model expects 2 dimensions (shape [-1,4]) but", "live-shape-mismatch", "batch"),
        ("onnx runtime error 6: CUDA failure 2: out of memory", "live-out-of-memory", "instance_group"),
        ("Internal: MemoryError", "live-out-of-memory", "memory limit"),
        (
            "Internal: ModuleNotFoundError: No module named 'transformers'\nAt:\n  model.py(3)",
            "live-python-model-fails",
            "transformers",
        ),
        ("Stub process 'm_0_0' is not healthy.", "live-python-model-fails", "log"),
        (
            "Unable to initialize shared memory key '/triton_python_backend_shm_region_1'",
            "live-shared-memory-full",
            "shm_size",
        ),
        ("unable to find '/models/m/1/model.onnx' for model 'm'", "live-file-missing", "default_model_filename"),
        (
            "SyntaxError: invalid syntax: version https://git-lfs.github.com/spec/v1",
            "live-file-missing",
            "git lfs pull",
        ),
        ("instance group m_0 of model m has kind KIND_GPU but no GPUs are available", "live-gpu-missing", "KIND_CPU"),
        (
            "The engine plan file is not compatible with this version of TensorRT",
            "live-model-incompatible",
            "build the plan",
        ),
        ("Unsupported model IR version: 11, max supported IR version: 10", "live-model-incompatible", "opset"),
        (
            "ensemble 'e' depends on 'm' which has no loaded version. Model 'm' loading failed",
            "live-ensemble-waits",
            "mend m",
        ),
        ("at least one version must be available under the version policy of model 'm'", "live-no-version", "1/"),
        ("model appears in two or more repositories", "live-configuration-refused", "namespacing"),
        ("Invalid argument: model input 'A' must specify 'dims' for m", "live-configuration-refused", "config.pbtxt"),
        ("Internal: something that nobody ever saw", "live-model-not-ready", "REPOSITORY"),
        ("", "live-model-not-ready", "REPOSITORY"),
    ],
)
def test_a_reason_is_explained_with_cause_and_fix(reason: str, slug: str, words: str) -> None:
    (finding,) = found(server(state(status=ModelStatus.UNAVAILABLE, reason=reason), ready=None))
    assert (finding.slug, finding.severity, finding.model, finding.file) == (slug, Severity.ERROR, "model", URL)
    assert finding.fix is not None
    assert words in finding.fix
    assert " ".join(reason.split())[:60] in finding.message


def test_every_reason_that_the_real_server_gave_is_explained() -> None:
    verdicts = yaml.safe_load(RECORDED.read_text())["verdicts"]
    reasons = [words for stage, words in verdicts.values() if stage in {"load", "dependency", "versions"}]
    assert len(reasons) > 100
    assert [reason for reason in reasons if explain(reason) is None] == []


def test_explanations_of_hostile_reasons_are_found_fast() -> None:
    started = time.process_time()
    for part in ("a", "shape ", "cuda", "Error: ", "has kind KIND_GPU gpu id 1", "deserialize ", "{x}", "%s"):
        explain(part * 100_000)
    assert time.process_time() - started < 5
    assert len(EXPLANATIONS) > 40
    assert all(re.compile(one.pattern) for one in EXPLANATIONS)


def test_control_characters_and_braces_of_a_server_do_no_harm() -> None:
    name = "m\x1b[31m" + "x" * 500
    reason = "unable to find '/{0}/\x00{what}.onnx' for model"
    (finding,) = found(server(state(name, ModelStatus.UNAVAILABLE, reason), ready=None))
    assert "\x1b" not in finding.message
    assert "\x00" not in finding.message + (finding.fix or "")
    assert len(finding.message) < 1_000


@pytest.mark.parametrize(
    ("live", "expected"),
    [
        (server(live=False, ready=False), ["server-not-live"]),
        (server(state(), ready=False), ["server-not-ready"]),
        (
            server(state("a", ModelStatus.UNAVAILABLE, "x"), state("b"), ready=True),
            ["ready-though-models-failed", "live-model-not-ready"],
        ),
        (server(state(status=ModelStatus.NOT_LOADED, version="")), ["live-model-by-name-only"]),
        (server(state(status=ModelStatus.LOADING), ready=False), ["server-not-ready", "live-model-loading"]),
        (server(state(status=ModelStatus.UNLOADED, reason="unloaded")), ["live-model-unloaded"]),
        (server(state(status=ModelStatus.UNLOADED, reason="unloaded"), state(version="2")), []),
        (
            server(index=None, problems=(EndpointProblem("POST /v2/repository/index", "403", True),)),
            ["endpoint-not-judged"],
        ),
        (
            server(ready=None, problems=(EndpointProblem("GET /v2/health/ready", "404"),)),
            ["health-endpoints-missing", "endpoint-not-judged"],
        ),
        (server(metrics=MetricsFacts(problem="refused")), ["live-metrics-missing"]),
        (server(metrics=MetricsFacts(empty=True)), ["live-metrics-missing"]),
        (server(metrics=metrics_of(b"# HELP up\nup 1\n")), ["live-metrics-missing"]),
        (server(metrics=metrics_of(b'nv_inference_request_summary_us{quantile="0.5"} 1')), ["live-summaries"]),
        (
            server(state("a"), metrics=metrics_of(b'nv_inference_request_success{model="gone",version="1"} 1')),
            ["served-and-removed"],
        ),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_what_a_server_says_of_itself_is_judged(live: LiveServer, expected: list[str]) -> None:
    assert slugs(live) == expected


def test_only_missing_health_endpoints_cross_the_red_line() -> None:
    marks = {
        one.slug: one.red_line
        for one in found(server(ready=None, problems=(EndpointProblem("GET /v2/health/ready", "404"),)))
    }
    assert marks == {"health-endpoints-missing": True, "endpoint-not-judged": False}


def test_a_restricted_endpoint_is_no_fault() -> None:
    (finding,) = found(server(problems=(EndpointProblem("GET /v2/models/m/config", "403", restricted=True),)))
    assert finding.severity is Severity.INFO


def test_gpu_metrics_are_missed_only_where_models_run_on_gpus() -> None:
    group = [{"name": "model_0", "kind": "KIND_GPU", "count": 1, "gpus": [0]}]
    assert slugs(server(state(), configs=served(instance_group=group))) == ["live-gpu-metrics-missing"]
    page = metrics_of((PAGES / "metrics_h200_idle.txt").read_bytes())
    assert len(page.gpus) == 1
    assert "live-gpu-metrics-missing" not in slugs(server(state(), configs=served(instance_group=group), metrics=page))


def test_a_gpu_that_the_server_lacks_is_found_where_it_is_written(tmp_path: Path) -> None:
    page = metrics_of((PAGES / "metrics_h200x2_idle.txt").read_bytes())
    text = CONFIG.replace("kind: KIND_CPU, count: 2", "kind: KIND_GPU, gpus: [1, 2]")
    findings = found(server(state(), on_disk=on_disk(tmp_path, text), metrics=page))
    (finding,) = (one for one in findings if one.slug == "live-gpu-beyond")
    assert "GPU 2" in finding.message
    assert finding.line == 7


@pytest.mark.parametrize(
    ("changes", "line", "words"),
    [
        ({"max_batch_size": 4}, 3, "max_batch_size is 4 there and 8 here"),
        ({"dynamic_batching": {"preferred_batch_size": [4]}}, 6, "dynamic_batching.preferred_batch_size is [4]"),
        ({"dynamic_batching": {}}, 6, "preferred_batch_size"),
        ({"input": [{"name": "A", "data_type": "TYPE_FP16", "dims": ["4"]}]}, 4, "input[0].data_type is TYPE_FP16"),
        ({"input": [{"name": "Z", "data_type": "TYPE_FP32", "dims": ["4"]}]}, 4, "input[0] is not there"),
        ({"instance_group": [{"kind": "KIND_CPU", "count": 1}]}, 7, "instance_group[0].count is 1"),
        ({"parameters": {}}, 8, "parameters.mode is not there"),
        ({"parameters": {"mode": {"string_value": "slow"}}}, 8, "slow"),
        ({"version_policy": {"all": {}}}, 9, "version_policy"),
    ],
)
def test_drift_names_the_field_and_its_line(changes: dict[str, Any], line: int, words: str, tmp_path: Path) -> None:
    findings = found(server(state(), configs=served(**changes), on_disk=on_disk(tmp_path)))
    drift = [one for one in findings if one.slug == "configuration-drift"]
    assert [one.line for one in drift] == [line], findings
    assert words in drift[0].message


@pytest.mark.parametrize(
    "changes",
    [
        {"input": [{"name": "EXTRA", "data_type": "TYPE_INT8", "dims": ["1"]}, *ANSWER["input"]]},
        {"parameters": {**ANSWER["parameters"], "added": {"string_value": "by the backend"}}},
        {"instance_group": [{"name": "given", "kind": "KIND_CPU", "count": 2, "gpus": []}]},
        {"response_cache": {}},
    ],
)
def test_what_the_server_completes_is_no_drift(changes: dict[str, Any], tmp_path: Path) -> None:
    assert slugs(server(state(), configs=served(**changes), on_disk=on_disk(tmp_path))) == []


def test_a_message_does_not_differ_from_itself() -> None:
    (config,) = served().values()
    assert list(differences(config, config)) == []


def test_completed_fields_are_listed_once(tmp_path: Path) -> None:
    models = on_disk(tmp_path, 'backend: "python"\n')
    (finding,) = found(server(state(), configs=served(), on_disk=models))
    assert finding.slug == "configuration-auto-completed"
    assert "max_batch_size, input, output and dynamic_batching" in finding.message


def test_a_configuration_that_does_not_parse_is_not_compared(tmp_path: Path) -> None:
    models = on_disk(tmp_path, CONFIG + "oops: 1\n")
    assert slugs(server(state(), configs=served(max_batch_size=2), on_disk=models)) == []


def test_models_of_one_side_only_are_found(tmp_path: Path) -> None:
    models = on_disk(
        tmp_path, '--- a/config.pbtxt\nbackend: "python"\n--- a/1/model.py\n\n--- b/config.pbtxt\n--- b/1/model.py\n\n'
    )
    findings = found(server(state("a"), state("c"), state("d", ModelStatus.UNLOADED), on_disk=models))
    assert [(one.slug, one.model) for one in findings if "on" in one.slug.split("-")] == [
        ("on-disk-not-on-server", "b"),
        ("on-server-not-on-disk", "c"),
    ]


def test_other_models_are_not_missed_when_one_model_is_checked(tmp_path: Path) -> None:
    repository = Repository(write_repository(CONFIG, tmp_path), only=frozenset({"model"}))
    model = repository.model("model")
    assert model is not None
    assert slugs(server(state(), state("other"), on_disk={"model": model})) == []


@pytest.mark.parametrize(
    ("policy", "ready", "expected"),
    [
        ("", "1", ["version-behind"]),
        ("", "3", []),
        ("version_policy { specific { versions: [1] } }", "1", []),
        ("version_policy { specific { versions: [1, 3] } }", "1", ["version-behind"]),
        ("version_policy { all { } }", "1", ["version-behind"]),
    ],
)
def test_a_newer_version_on_disk_is_found(policy: str, ready: str, expected: list[str], tmp_path: Path) -> None:
    example = f"--- m/config.pbtxt\n{policy}\n--- m/1/model.py\n--- m/3/model.py\n--- m/v9/x\n--- m/03/x\n"
    assert slugs(server(state("m", version=ready), on_disk=on_disk(tmp_path, example))) == expected


def test_another_release_than_the_one_checked_for_is_said() -> None:
    assert slugs(server(state()), Options(triton=Release(24, 1))) == ["live-release-differs"]
    assert slugs(server(state()), Options(triton=Release(24, 10))) == []
    assert slugs(server(state(), version="3.0.0"), Options(triton=Release(24, 1))) == []


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("2.51.0", (24, 10)),
        ("2.42.0", (24, 1)),
        ("2.41.0", (23, 12)),
        ("2.18.0", (22, 1)),
        ("2.17.0", None),
        ("2.99.0", None),
        ("", None),
    ],
)
def test_releases_of_server_versions(version: str, release: tuple[int, int] | None) -> None:
    assert release_of(version) == release


@pytest.mark.parametrize("answer", [None, [], "x", {"max_batch_size": "many"}, {"input": 3}])
def test_an_answer_that_is_no_configuration_is_none(answer: object) -> None:
    assert config_of(answer) is None


@pytest.mark.parametrize(
    ("metrics", "cache"),
    [
        (None, None),
        (MetricsFacts(problem="refused"), None),
        (PAGE, None),
        (metrics_of(b'nv_cache_num_hits_per_model{model="m",version="1"} 0\n'), True),
    ],
)
def test_a_cache_is_known_by_its_metrics(metrics: MetricsFacts | None, cache: bool | None) -> None:
    assert server(metrics=metrics).cache is cache
