"""Rules 8xx on real tritonservers: what they say of models that failed, and what is only seen beside the disk."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import requests

from support.misbehaving import target_at
from triton_watch.check.engine import run_rules
from triton_watch.check.options import Options
from triton_watch.check.repository import Repository
from triton_watch.check.rule import Scope
from triton_watch.check.rules.live import RULES
from triton_watch.cli.check_live import collect
from triton_watch.demo import example_repository
from triton_watch.records import ModelStatus, Severity, Timeouts
from triton_watch.triton.errors import TritonError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from triton_watch.check.live import LiveServer
    from triton_watch.demo import EmbeddedTriton
    from triton_watch.records import Finding, Target

RAISES = (
    "class TritonPythonModel:\n    def initialize(self, args):\n        raise ValueError('no weights')\n"
    "    def execute(self, requests):\n        return []\n"
)


def target_of(server: EmbeddedTriton, **more: Any) -> Target:
    return target_at(server.http_url, **{"metrics_url": server.metrics_url, "timeouts": Timeouts(2, 5, 8), **more})


def found(live: LiveServer, repository: Path | None = None) -> dict[tuple[str, str | None], Finding]:
    if repository is not None:
        opened = Repository(repository)
        models = {name: model for name in opened.names if (model := opened.model(name))}
        live = replace(live, on_disk=models)
    return {(one.slug, one.model): one for one in run_rules(RULES, Scope.LIVE, live, Options())}


def write(repository: Path, name: str, config: str, code: str = RAISES) -> None:
    (repository / name / "1").mkdir(parents=True)
    (repository / name / "config.pbtxt").write_text(config)
    (repository / name / "1" / "model.py").write_text(code)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The example's `ranker` in a folder of its own."""
    shutil.copytree(example_repository() / "ranker", tmp_path / "models" / "ranker")
    return tmp_path / "models"


def test_the_example_server_tells_everything(triton: EmbeddedTriton) -> None:
    steps: list[tuple[int, int]] = []
    live = collect(target_of(triton), lambda done, total: steps.append((done, total)))
    assert (live.version, str(live.release)) == ("2.51.0", "24.10")
    assert live.live
    assert live.problems == ()
    assert live.metrics is not None
    assert "nv_inference_request_success" in live.metrics.families
    assert live.metrics.gpus == ()
    assert "ranker" in live.metrics.models
    ready = {state.key.name for state in live.states if state.status is ModelStatus.READY}
    assert set(live.configs) == ready
    assert steps[-1] == (len(ready), len(ready))
    assert live.configs["search_pipeline"].ensemble_scheduling.step


def test_what_the_example_server_serves_is_what_is_on_disk(triton: EmbeddedTriton) -> None:
    findings = found(collect(target_of(triton)), example_repository())
    assert not [key for key in findings if key[0] in {"configuration-drift", "on-disk-not-on-server", "version-behind"}]
    assert not [one for one in findings.values() if one.severity is Severity.ERROR]


def test_models_that_failed_are_explained(repository: Path, triton_factory: Callable[..., EmbeddedTriton]) -> None:
    write(repository, "raises", 'backend: "python"\n')
    write(repository, "imports", 'backend: "python"\n', "import nothing_of_this_name\n")
    write(repository, "backendless", 'backend: "nothing"\n')
    write(repository, "gpu", 'backend: "python"\ninstance_group [{ kind: KIND_GPU }]\n')
    write(repository, "refused", 'backend: "python"\nmax_batch_size: -1\n')
    write(repository, "versionless", 'backend: "python"\nversion_policy { specific { versions: [9] } }\n')
    live = collect(target_of(triton_factory(repository)))
    assert live.ready is False
    findings = found(live, repository)
    for key, words in {
        ("live-python-model-fails", "raises"): "no weights",
        ("live-python-model-fails", "imports"): "nothing_of_this_name",
        ("live-backend-not-found", "backendless"): "'nothing'",
        ("live-gpu-missing", "gpu"): "no GPUs are available",
        ("live-model-by-name-only", "refused"): "log",
        ("on-disk-not-on-server", "versionless"): "does not know it",
        ("server-not-ready", None): "raises",
    }.items():
        assert words in findings[key].message, key
        assert findings[key].fix
    assert not [key for key in findings if key[1] == "ranker"]


def test_ready_means_nothing_when_readiness_is_not_strict(
    repository: Path, triton_factory: Callable[..., EmbeddedTriton]
) -> None:
    write(repository, "raises", 'backend: "python"\n')
    live = collect(target_of(triton_factory(repository, strict_readiness=False)))
    assert live.ready
    assert ("ready-though-models-failed", None) in found(live)


def test_an_edit_after_the_load_is_drift(repository: Path, triton_factory: Callable[..., EmbeddedTriton]) -> None:
    server = triton_factory(repository)
    config = repository / "ranker" / "config.pbtxt"
    before = found(collect(target_of(server)), repository)
    assert not [key for key in before if key[0] in {"configuration-drift", "version-behind"}]

    text = config.read_text()
    assert "max_batch_size: " in text
    line = next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith("max_batch_size"))
    config.write_text(text.replace("max_batch_size: ", "max_batch_size: 1"))
    shutil.copytree(repository / "ranker" / "1", repository / "ranker" / "2")
    after = found(collect(target_of(server)), repository)
    drift = after["configuration-drift", "ranker"]
    assert "max_batch_size" in drift.message
    assert (drift.file, drift.line) == (str(config), line)
    assert "version 2" in after["version-behind", "ranker"].message


def test_models_that_the_explicit_mode_did_not_load(
    repository: Path, triton_factory: Callable[..., EmbeddedTriton]
) -> None:
    shutil.copytree(repository / "ranker", repository / "other")
    config = repository / "other" / "config.pbtxt"
    config.write_text(config.read_text().replace('name: "ranker"', 'name: "other"'))
    server = triton_factory(repository, extra_args=["--model-control-mode=explicit", "--load-model=ranker"])
    findings = found(collect(target_of(server)), repository)
    assert ("live-model-by-name-only", "other") in findings

    assert requests.post(f"{server.http_url}/v2/repository/models/ranker/unload", timeout=10).status_code == 200
    assert requests.post(f"{server.http_url}/v2/repository/models/other/load", timeout=30).status_code == 200
    for _ in range(50):
        findings = found(collect(target_of(server)), repository)
        if ("live-model-loading", "ranker") not in findings:
            break
    assert ("live-model-unloaded", "ranker") in findings
    assert not [key for key in findings if key[1] == "other"]

    (repository / "other").rename(repository.parent / "moved")
    findings = found(collect(target_of(server)))
    assert ("served-and-removed", "other") in findings
    assert requests.get(f"{server.http_url}/v2/models/other/ready", timeout=10).status_code == 200


def test_models_of_another_repository_are_not_on_disk(triton: EmbeddedTriton, repository: Path) -> None:
    findings = found(collect(target_of(triton)), repository)
    assert ("on-server-not-on-disk", "text_encoder") in findings
    assert ("on-server-not-on-disk", "ranker") not in findings


def test_restricted_endpoints_are_not_judged(repository: Path, triton_factory: Callable[..., EmbeddedTriton]) -> None:
    server = triton_factory(repository, extra_args=["--http-restricted-api=model-repository:key=value"])
    live = collect(target_of(server))
    assert live.index is None
    findings = found(live, repository)
    assert findings["endpoint-not-judged", None].severity is Severity.INFO
    assert "on-disk-not-on-server" not in {slug for slug, _ in findings}


def test_a_metrics_page_elsewhere_is_missed(triton: EmbeddedTriton) -> None:
    refused = collect(target_of(triton, metrics_url="http://127.0.0.1:9/metrics"))
    empty = collect(target_of(triton, metrics_url=triton.metrics_url.replace("/metrics", "/elsewhere")))
    assert ("live-metrics-missing", None) in found(refused)
    assert ("live-metrics-missing", None) in found(empty)


def test_what_is_no_triton_is_an_error(triton: EmbeddedTriton) -> None:
    for url in ("http://127.0.0.1:9", triton.metrics_url.removesuffix("/metrics"), f"http://{triton.grpc_address}"):
        with pytest.raises(TritonError):
            collect(target_at(url, timeouts=Timeouts(1, 2, 3)))
