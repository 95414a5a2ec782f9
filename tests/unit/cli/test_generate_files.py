"""`triton-watch generate` of several files: dashboards, objects, all of it; and a server that is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner

from support.fake_triton import FakeTriton
from support.misbehaving import Server
from triton_watch.cli import cli
from triton_watch.conventions.dashboards import DASHBOARDS

if TYPE_CHECKING:
    from click.testing import Result

BOARDS = {f"{board.name}.json" for board in DASHBOARDS}
NOBODY = "http://127.0.0.1:9"
TAKEN_BY_KUBECTL = 262_144
"""Bytes of an annotation, into which `kubectl apply` puts the whole object."""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def call(*words: str) -> Result:
    return CliRunner().invoke(cli, ["generate", *words], prog_name="triton-watch")


def made(folder: str) -> dict[str, str]:
    """Text by path below a folder."""
    root = Path(folder)
    return {str(path.relative_to(root)): path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}


def test_dashboards_are_written_with_their_provisioning_and_left_alone_when_they_are_right() -> None:
    done = call("dashboards", "--out", "boards")
    assert (done.exit_code, done.stderr) == (0, "")
    files = made("boards")
    assert set(files) == BOARDS | {"provisioning/dashboards.yaml", "provisioning/datasources.yaml"}
    assert {json.loads(files[name])["uid"] for name in BOARDS} == {board.uid for board in DASHBOARDS}
    again = call("dashboards", "--out", "boards")
    assert all(line.endswith(" is as it should be") for line in again.stdout.splitlines())
    assert call("dashboards", "--out", "boards", "--check").output == ""


def test_several_files_need_a_folder() -> None:
    for kind in ("dashboards", "all"):
        assert call(kind).exit_code == 2
        assert "there are several files: where to? Give --out DIR." in call(kind).stderr
        assert "--check compares several files: where are they? Give --out DIR." in call(kind, "--check").stderr


def test_a_check_of_a_folder_shows_what_differs_is_missing_or_is_made_no_more() -> None:
    call("dashboards", "--out", "boards")
    fleet, gpu, old = (Path("boards", name) for name in ("fleet.json", "gpu.json", "old.json"))
    gpu.rename(old)
    fleet.write_text(fleet.read_text().replace("Servers down", "Servers gone"))
    Path("boards", "mine.json").write_text('{"uid": "mine"}')
    done = call("dashboards", "--out", "boards", "--check")
    assert done.exit_code == 1
    assert '-   "title": "Servers gone"' in done.stdout
    assert '+   "title": "Servers down"' in done.stdout
    assert done.stderr.splitlines() == [
        "triton-watch: boards/old.json was generated and is no more: delete it.",
        "triton-watch: boards/fleet.json is out of date: run the command again without --check.",
        "triton-watch: boards/gpu.json is missing: run the command again without --check.",
    ]
    assert call("dashboards", "--out", "boards").exit_code == 0
    assert call("dashboards", "--out", "boards", "--check").exit_code == 1
    old.unlink()
    assert call("dashboards", "--out", "boards", "--check").exit_code == 0


def test_objects_are_printed_as_one_stream_with_the_rules_of_one_source() -> None:
    done = call("kubernetes", "--namespace", "monitoring", "--rule-label", "release=prom")
    assert (done.exit_code, done.stderr) == (0, "")
    objects: list[dict[str, Any]] = list(yaml.safe_load_all(done.stdout))
    assert [one["kind"] for one in objects] == ["PrometheusRule", *["ConfigMap"] * len(BOARDS)]
    assert {one["metadata"]["namespace"] for one in objects} == {"monitoring"}
    assert objects[0]["metadata"]["labels"]["release"] == "prom"
    assert objects[0]["spec"] == yaml.safe_load(call("rules").stdout)
    triton = next(yaml.safe_load_all(call("kubernetes", "--source", "triton").stdout))
    assert triton["spec"] == yaml.safe_load(call("rules", "--source", "triton").stdout)
    assert "namespace" not in triton["metadata"]


def test_config_maps_hold_the_boards_and_are_small_enough_for_kubectl() -> None:
    call("all", "--out", "here")
    files = made("here")
    for board in DASHBOARDS:
        text = files[f"dashboards/kubernetes/{board.name}.yaml"]
        config_map = yaml.safe_load(text)
        assert config_map["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert config_map["data"] == {f"triton-watch-{board.name}.json": files[f"dashboards/{board.name}.json"]}
        assert len(json.dumps(config_map)) < TAKEN_BY_KUBECTL


def test_folders_of_objects_are_ones_that_kustomize_takes_and_single_commands_make_none() -> None:
    call("all", "--out", "here")
    files = made("here")
    for folder in ("alerts/kubernetes", "alerts/kubernetes/without-agent", "dashboards/kubernetes"):
        base = yaml.safe_load(files[f"{folder}/kustomization.yaml"])
        beside = {path.rpartition("/")[2] for path in files if path.rpartition("/")[0] == folder}
        assert base["kind"] == "Kustomization"
        assert set(base["resources"]) == beside - {"kustomization.yaml"}
    call("kubernetes", "--out", "objects")  # for `kubectl apply --recursive --filename`, which would stumble over it
    assert "kustomization.yaml" not in {path.rpartition("/")[2] for path in made("objects")}


def test_everything_is_what_the_single_commands_make() -> None:
    words = ("--severity", "page=critical", "--period", "7d")
    call("all", "--out", "here", "--burn-by", "model", *words)
    assert call("dashboards", "--out", "here/dashboards", "--check", *words).output == ""
    rules = ("rules", "--burn-by", "model", *words)
    assert call(*rules, "--out", "here/alerts/rules.yaml", "--check").exit_code == 0
    assert call(*rules, "--source", "triton", "--out", "here/alerts/triton.yaml", "--check").exit_code == 0
    routes = ("alertmanager", "--severity", "page=critical", "--out", "here/alerts/alertmanager.yaml")
    assert call(*routes, "--check").exit_code == 0


def test_another_period_than_that_of_the_agents_is_pointed_out() -> None:
    said = "triton-watch: --period: alerts on budgets of one server are over what its agent exports: "
    assert call("rules", "--period", "7d").stderr.startswith(said)
    assert call("rules", "--period", "7d", "--burn-by", "model").stderr == ""
    assert "--period" not in call("rules", "--period", "7d", "--source", "triton").stderr


def test_limits_of_the_models_of_a_running_server_go_into_the_rules() -> None:
    with Server(FakeTriton()) as server:
        text = call("rules", "--source", "triton", "--target", server.url).stdout
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    limits = [rule for rule in rules if rule.get("record") == "model:triton_max_batch_size:config"]
    assert [(one["expr"], one["labels"]["model"]) for one in limits] == [("vector(16)", "matmul")]
    assert "TritonNotBatching" in {rule.get("alert") for rule in rules}
    assert "vector(" not in call("rules", "--source", "triton").stdout


def test_a_server_is_named_as_the_configuration_names_it() -> None:
    with Server(FakeTriton()) as server:
        Path("triton-watch.yaml").write_text(f"targets: [{{name: gpu-1, url: '{server.url}'}}]\n")
        assert call("rules", "--target", "gpu-1").exit_code == 0
    done = call("rules", "--target", "gpu-2")
    assert (done.exit_code, done.stdout) == (2, "")
    assert '--target: "gpu-2" is neither a URL nor a target of the configuration (gpu-1).' in done.stderr


def test_a_server_that_is_named_by_its_url_is_asked_though_discovery_finds_none() -> None:
    Path("triton-watch.yaml").write_text("discovery: {files: [{paths: nowhere/*.yaml}]}\n")
    with Server(FakeTriton()) as server:
        done = call("rules", "--target", server.url)
    assert done.exit_code == 0
    assert "nowhere cannot be listed" in done.stderr
    assert call("rules", "--target", "gpu-1").exit_code == 3


def test_how_often_found_servers_are_polled_counts_as_for_those_that_are_configured() -> None:
    found = "files: [{paths: '*.json', settings: {interval: 60s}}]"
    Path("found.yaml").write_text(f"discovery: {{{found}}}\n")
    Path("configured.yaml").write_text("targets: [{url: 'http://gpu-1:8000', interval: 60s}]\n")
    of_found, of_configured = (call("rules", "--config", f"{name}.yaml") for name in ("found", "configured"))
    assert (of_found.exit_code, of_found.stderr) == (0, "")
    assert of_found.stdout == of_configured.stdout
    assert of_found.stdout != call("rules").stdout


def test_a_server_that_does_not_answer_is_said_in_a_sentence() -> None:
    done = call("dashboards", "--target", NOBODY, "--out", "boards")
    assert (done.exit_code, done.stdout) == (3, "")
    assert len(done.stderr.splitlines()) == 1
    assert NOBODY in done.stderr
    assert not Path("boards").exists()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--severity", "page={{ x"), "--severity: page holds {{, with which a template begins: write the name."),
        (("--severity", "urgent=x"), "--severity: there is no urgent: they are page, ticket, info."),
        (("--severity", "page=ticket"), "--severity: two of them would have one name: choose another."),
        (("--severity", "page"), "--severity: page has no value: write NAME=VALUE."),
        (("--selector", "cluster=~eu.*"), "--selector: cluster=~eu.* is no LABEL=VALUE: only = can be said"),
        (("--selector", "cluster!=eu"), "--selector: cluster!=eu is no LABEL=VALUE: only = can be said"),
        (("--selector", "job=x"), "--selector: a job has flags of its own: --job and --triton-job."),
        (("--selector", "result=bad"), "--selector: result tells single series apart: choose a label that all have."),
        (("--selector", "a-b=x"), "--selector: a-b is not the name of a label: use letters, digits and _."),
        (("--label", "slo=x"), "--label: slo is a label that alerts have themselves: choose another name."),
        (("--label", "job=x"), "--label: job is a label that alerts have themselves: choose another name."),
        (("--label", "a=1", "--label", "a=2"), "--label: a is there twice: give it once."),
        (("--triton-job", "x\ny"), "--triton-job: holds characters that cannot be printed"),
        (("--period", "1d1ms"), "--period: 1d1ms is no whole number of hours: give such as 7d."),
        (("--period", "1h"), "--period: 1h is out of range: give 1d to 366d."),
        (("--interval", "5m"), "--interval: 5m is out of range: give 1s to 4m."),
        (("--grafana-url", "grafana"), '--grafana-url: "grafana" has no scheme'),
    ],
)
def test_flags_that_cannot_be_used_are_usage_errors(words: tuple[str, ...], text: str) -> None:
    done = call("rules", *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert text in done.stderr


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--namespace", ""), '--namespace: "" is no name of a namespace'),
        (("--namespace", "My_Space"), '--namespace: "My_Space" is no name of a namespace'),
        (("--rule-label", "a b=x"), "--rule-label: a b=x is no label that Kubernetes takes: use letters, digits"),
    ],
)
def test_names_that_kubernetes_refuses_are_usage_errors(words: tuple[str, ...], text: str) -> None:
    done = call("kubernetes", *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert text in done.stderr


def test_alerts_lead_to_the_boards_of_a_grafana_with_what_they_are_about() -> None:
    rules = yaml.safe_load(call("rules", "--grafana-url", "https://grafana.example/").stdout)
    links = {
        rule["alert"]: rule["annotations"]["dashboard_url"]
        for group in rules["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    model = "{{ with $labels.model }}{{ . | urlquery }}{{ else }}$__all{{ end }}"
    target = model.replace("model", "target")
    board = "https://grafana.example/d/triton-watch-"
    assert links["TritonModelWedged"] == f"{board}model?var-target={target}&var-model={model}"
    assert links["TritonTargetDown"] == f"{board}fleet?var-target={target}&var-model=$__all"
    assert links["TritonWatchDown"] == f"{board}agent?var-target=$__all&var-model=$__all"
