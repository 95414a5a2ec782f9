"""deploy/helm: both Helms render the chart alike, and what comes out is right for Kubernetes and for our own checks."""

from __future__ import annotations

import base64
import gzip
import json
import os
import tarfile
from typing import TYPE_CHECKING

import kubernetes_validate  # type: ignore[import-untyped] # it ships no types
import pytest
import yaml
from click.testing import CliRunner

from support.cluster_objects import found, key, of_kind, parsed, selected, workloads
from support.helm_chart import CHART
from support.helm_renderings import (
    CASES,
    FIXTURES,
    HELMS,
    NAMESPACE,
    RELEASE,
    golden,
    objects,
    run_helm,
    template,
    values_of,
    with_values,
)
from support.network_policies import Peer, lets_through
from support.operator_schemas import complaints
from support.pod_security import broken_rules
from triton_watch.cli import cli
from triton_watch.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

ROOT = CHART.parents[2]
VERSIONS = ("1.27", "1.30", "1.33", "1.37")
OPERATOR = "monitoring.coreos.com/v1"
TEST_POD = {"app.kubernetes.io/component": "test", "app.kubernetes.io/instance": RELEASE}
LARGEST_RELEASE = 1 << 20
"""Bytes of a Secret, which is what Helm keeps a release in."""
AGAIN = "TRITON_WATCH_WRITE_GOLDEN=1 .venv/bin/python -m pytest tests/integration/test_deploy_helm.py -k golden"


@pytest.mark.parametrize("program", HELMS)
@pytest.mark.parametrize("case", CASES)
def test_the_chart_is_clean_for_helm(case: str, program: str) -> None:
    done = run_helm("lint", "--strict", CHART, "--values", values_of(case), program=HELMS[program])
    assert (done.returncode, "[WARNING]" in done.stdout) == (0, False), done.stdout + done.stderr


@pytest.mark.parametrize("case", CASES)
def test_both_helms_render_the_same(case: str) -> None:
    assert template(case, program="helm 3") == template(case, program="helm 4")


@pytest.mark.parametrize("case", CASES)
def test_a_rendering_is_the_golden_one(case: str) -> None:
    path, text = FIXTURES / "golden" / f"{case}.yaml", golden(template(case))
    if os.environ.get("TRITON_WATCH_WRITE_GOLDEN"):
        path.write_text(text)
    assert path.read_text() == text, f"if that is meant: {AGAIN}"


def test_every_golden_rendering_has_its_case() -> None:
    assert sorted(path.stem for path in (FIXTURES / "golden").iterdir()) == CASES


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES)
def test_kubernetes_takes_every_object_and_knows_every_field(case: str, version: str) -> None:
    for one in objects(case):
        if one["apiVersion"] != OPERATOR:
            kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("case", CASES)
def test_the_operators_objects_follow_its_schemas(case: str) -> None:
    foreign = [one for one in objects(case) if one["apiVersion"] == OPERATOR]
    assert {key(one): complaints(one) for one in foreign if complaints(one)} == {}


@pytest.mark.parametrize("case", CASES)
def test_pods_fit_the_restricted_profile(case: str) -> None:
    made = list(workloads(objects(case)))
    assert made
    assert {key(one.object): list(broken_rules(one)) for one in made if list(broken_rules(one))} == {}


@pytest.mark.parametrize("case", CASES)
def test_containers_write_to_volumes_only_and_pods_get_no_token(case: str) -> None:
    for one in workloads(objects(case)):
        assert one.pod["automountServiceAccountToken"] is False
        assert all(container["securityContext"]["readOnlyRootFilesystem"] for container in one.containers)
    assert of_kind(objects(case), "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding") == []


@pytest.mark.parametrize("case", CASES)
def test_everything_that_a_container_mounts_is_a_volume_of_its_pod(case: str) -> None:
    for one in workloads(objects(case)):
        names = [volume["name"] for volume in one.pod.get("volumes", [])]
        names += [claim["metadata"]["name"] for claim in one.object["spec"].get("volumeClaimTemplates", [])]
        mounted = {mount["name"] for container in one.containers for mount in container.get("volumeMounts", [])}
        assert len(names) == len(set(names))
        assert mounted == set(names)


@pytest.mark.parametrize("case", CASES)
def test_what_selects_pods_selects_those_of_the_release_and_not_the_one_of_helm_test(case: str) -> None:
    made = {key(one.object): one.labels for one in workloads(objects(case))}
    pods = {name: labels for name, labels in made.items() if not name.startswith("Pod/")}
    (labels,) = pods.values()
    for one in of_kind(objects(case), "Service", "PodMonitor", "PodDisruptionBudget", "NetworkPolicy"):
        spec = one["spec"]
        chosen = {"matchLabels": spec["selector"]} if one["kind"] == "Service" else spec.get("selector")
        chosen = spec["podSelector"] if one["kind"] == "NetworkPolicy" else chosen
        others = {"app.kubernetes.io/name": "triton"}  # pods that are watched, of another release
        assert selected(chosen, labels) or (case == "standalone-fleet" and selected(chosen, others)), key(one)
        assert not any(selected(chosen, made[name]) for name in made if name not in pods), key(one)


@pytest.mark.parametrize(
    ("namespace", "labels", "ports"),
    [
        ("monitoring", {"app": "prometheus"}, {8002, 8003}),
        (NAMESPACE, {"app": "client"}, {8000, 8001}),
        (NAMESPACE, {"app.kubernetes.io/name": "triton-watch", **TEST_POD}, {8000, 8001, 8002, 8003}),
        ("elsewhere", {"app": "client"}, set()),
        ("elsewhere", {"app.kubernetes.io/name": "triton-watch", **TEST_POD}, set()),
    ],
)
def test_policies_let_in_prometheus_clients_and_the_pod_of_helm_test(
    namespace: str, labels: dict[str, str], ports: set[int]
) -> None:
    made = objects("default")
    (pod,) = (one for one in workloads(made) if one.object["kind"] == "Deployment")
    source, triton = Peer(namespace, labels), Peer(NAMESPACE, pod.labels)
    assert {port for port in (22, 8000, 8001, 8002, 8003) if lets_through(made, source, triton, port)} == ports


@pytest.mark.parametrize("case", CASES)
def test_a_rendering_passes_our_own_check_for_production(case: str, tmp_path: Path) -> None:
    path = tmp_path / f"{case}.yaml"
    path.write_text(template(case))
    has_triton = bool(of_kind(objects(case), "Deployment"))
    extra = [] if has_triton else ["--allow-nothing"]
    done = CliRunner().invoke(cli, ["check", "--profile", "production", "--fail-on", "warning", *extra, str(path)])
    assert done.exit_code == 0, done.output
    assert has_triton == ("[x] Health endpoints monitored" in done.output)


@pytest.mark.parametrize(
    ("release", "names"),
    [
        ("triton", ("triton", "triton-watch")),
        ("prod", ("prod-triton", "prod-triton-watch")),
        ("triton-watch", ("triton", "triton-watch")),
        ("triton-watch-eu", ("triton-watch-eu-triton", "triton-watch-eu")),
        ("team.search", ("team-search-triton", "team-search-triton-watch")),  # Services' names have no dots
        ("a" * 53, (f"{'a' * 38}-triton", f"{'a' * 38}-triton-watch")),
    ],
)
def test_objects_are_named_after_the_release(release: str, names: tuple[str, str]) -> None:
    made = parsed(template("default", release))
    assert [one["metadata"]["name"] for one in of_kind(made, "Deployment", "ConfigMap")] == [names[1], names[0]]
    assert all(len(one["metadata"]["name"]) <= 63 for one in made)
    assert len({key(one) for one in made}) == len(made)


@pytest.mark.parametrize("release", ["e10", "true", "null", "y"])
def test_a_release_that_yaml_takes_for_something_else_stays_a_text(release: str) -> None:
    made = parsed(template("prometheus-operator", release))
    labels = [one["metadata"]["labels"]["app.kubernetes.io/instance"] for one in made]
    labels += [one.labels["app.kubernetes.io/instance"] for one in workloads(made)]
    selectors = [one["spec"]["selector"] for one in of_kind(made, "Service", "Deployment", "PodDisruptionBudget")]
    labels += [one.get("matchLabels", one)["app.kubernetes.io/instance"] for one in selectors]
    assert set(labels) == {release}


def test_a_release_that_gives_services_no_name_is_refused_in_words() -> None:
    done = with_values({}, release="1prod")
    assert done.returncode != 0
    assert "the release 1prod: names of Services begin with a letter: set fullnameOverride" in done.stderr
    assert with_values({"fullnameOverride": "prod"}, release="1prod").returncode == 0


def test_chart_and_image_have_the_version_of_the_package() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)
    (pod,) = (one.pod for one in workloads(objects("sidecar")))
    assert [one["name"] for one in pod["containers"]] == ["triton-watch", "triton"]  # it waits for no large image
    assert pod["containers"][0]["image"] == f"triton-watch:{__version__}"


def test_boards_and_rules_are_those_of_the_repository() -> None:
    made = objects("prometheus-operator")
    boards = [one for one in of_kind(made, "ConfigMap") if "-dashboard-" in one["metadata"]["name"]]
    assert len(boards) == len(list((ROOT / "dashboards").glob("*.json"))) == 9
    for one in boards:
        ((name, text),) = one["data"].items()
        assert json.loads(text) == json.loads((ROOT / "dashboards" / name.removeprefix("triton-watch-")).read_text())
    rules = yaml.safe_load((ROOT / "alerts" / "rules.yaml").read_text())
    (down,) = (rule for group in rules["groups"] for rule in group["rules"] if rule.get("alert") == "TritonTargetDown")
    down["for"] = "5m"  # watch.targetDownAfter
    assert of_kind(made, "PrometheusRule")[0]["spec"] == rules


def test_rules_of_ones_own_take_the_place_of_the_charts() -> None:
    rules = {"groups": [{"name": "mine", "rules": [{"record": "one:two:three", "expr": "up"}]}]}
    text = "---\n# made by hand\n" + yaml.safe_dump(rules)
    done = with_values({"prometheusRule": {"enabled": True, "rules": text}})
    assert found(parsed(done.stdout), "PrometheusRule", "triton-watch")["spec"] == rules


def test_a_release_with_everything_fits_into_the_secret_that_helm_keeps_it_in() -> None:
    words = ("install", RELEASE, CHART, "--namespace", NAMESPACE, "--dry-run=client", "--output", "json")
    done = run_helm(*words, "--values", values_of("prometheus-operator"))
    assert done.returncode == 0, done.stderr
    assert '"manifest"' in done.stdout
    assert len(base64.b64encode(gzip.compress(done.stdout.encode()))) < LARGEST_RELEASE / 2


@pytest.mark.parametrize("program", HELMS)
def test_a_package_has_every_file_of_the_chart_and_renders_the_same(program: str, tmp_path: Path) -> None:
    done = run_helm("package", CHART, "--destination", tmp_path, program=HELMS[program])
    assert done.returncode == 0, done.stderr
    package = tmp_path / f"triton-watch-{__version__}.tgz"
    with tarfile.open(package) as archive:
        packed = {name.removeprefix("triton-watch/") for name in archive.getnames()}
    files = {str(path.relative_to(CHART)) for path in CHART.rglob("*") if path.is_file()}
    assert packed == files
    again = run_helm("template", RELEASE, package, "--namespace", NAMESPACE, program=HELMS[program])
    assert again.stdout == template("default")
