"""deploy/helm: what values do to the objects, and which values are refused."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner

from support.cluster_objects import Object, found, parsed, workloads
from support.helm_chart import CHART, FREE, values
from support.helm_renderings import (
    CASES,
    FIXTURES,
    HELMS,
    NAMESPACE,
    RELEASE,
    configuration,
    made_with,
    objects,
    pod_template,
    run_helm,
    with_values,
)
from triton_watch.cli import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

REFUSED = yaml.safe_load((FIXTURES / "refused.yaml").read_text())
TAKEN = yaml.safe_load((FIXTURES / "taken.yaml").read_text())
ENVIRONMENT = {"POD_NAME": "triton-7d4b9c-x2x5z", "POD_NAMESPACE": NAMESPACE, "POD_IP": "10.1.2.3", "REGION": "eu"}
VARIABLES = {"EVERY": "5s", "LAX": "true", "THREADS": "8", "LEVEL": "debug", "MODE": "prometheus", "THREE": "3"}
WEB = "basic_auth_users: {prometheus: $2y$10$gI5IUcBoHqFC0T2uRzPnWu4Zc/zSkXGvMTBwkvUkaN0nCWYnOpIYu}\n"
FILES = {
    "secrets/triton-admin/key": "k\n",
    "secrets/alertmanager/password": "p\n",
    "secrets/search/token": "t\n",
    "web/web-config.yaml": WEB,
    "goldens/README": "",
    "targets/racks.yaml": "[]\n",
}
"""What Secrets and ConfigMaps that the cases name would bring below /etc/triton-watch."""


@pytest.mark.parametrize("program", HELMS)
@pytest.mark.parametrize("refused", REFUSED, ids=lambda one: one["what"])
def test_wrong_values_are_refused_in_words(refused: Object, program: str) -> None:
    done = with_values(refused["values"], program=program)
    assert done.returncode != 0
    assert [word for word in refused["says"] if word not in done.stderr] == [], done.stderr


@pytest.mark.parametrize("case", CASES)
def test_the_agents_configuration_is_good(case: str, tmp_path: Path) -> None:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    path = tmp_path / "triton-watch.yaml"
    text = yaml.safe_dump(configuration(objects(case)))
    path.write_text(text.replace("/etc/triton-watch", str(tmp_path)))
    done = CliRunner(env=ENVIRONMENT).invoke(cli, ["config", "check", str(path)])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("program", HELMS)
@pytest.mark.parametrize("taken", TAKEN, ids=lambda one: one["what"])
def test_helm_takes_what_the_agent_takes(taken: Object, program: str, tmp_path: Path) -> None:
    done = with_values(taken["values"], program=program)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "triton-watch.yaml"
    path.write_text(yaml.safe_dump(configuration(parsed(done.stdout))))
    checked = CliRunner(env={**ENVIRONMENT, **VARIABLES}).invoke(cli, ["config", "check", str(path)])
    assert checked.exit_code == 0, checked.output


def test_a_section_that_is_null_is_not_in_the_agents_file() -> None:
    made = configuration(
        made_with(watch={"config": {"log": None, "slo": {"prometheus": None, "flush_interval": "10s"}}})
    )
    assert "log" not in made
    assert made["slo"] == {"flush_interval": "10s"}


def leaves(node: Object, prefix: str = "") -> Iterator[str]:
    """Every setting that the schema knows."""
    for name, one in node.items():
        inner = one.get("properties")
        yield from leaves(inner, f"{prefix}{name}.") if inner else [f"{prefix}{name}"]


def test_schema_values_and_readme_have_the_same_settings() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    known = set(leaves(schema["properties"])) - {"global"}
    listed = values()
    assert {one.path for one in listed if one.default is not None} == known
    assert [one.path for one in listed if not one.text] == []
    assert all(f"| `{one.path}` |" in (CHART / "README.md").read_text() for one in listed)


def test_the_schema_refuses_settings_that_it_does_not_know_everywhere() -> None:
    def open_mappings(node: Any, path: str) -> Iterator[str]:
        if isinstance(node, dict) and "properties" in node:
            if node.get("additionalProperties") is not False:
                yield path
            for name, one in node["properties"].items():
                yield from open_mappings(one, f"{path}/{name}")

    schema = json.loads((CHART / "values.schema.json").read_text())
    assert list(open_mappings(schema, "")) == []
    assert [path for name, one in schema["definitions"].items() for path in open_mappings(one, name)] == []
    assert set(FREE) == {"resources", "securityContext", "updateStrategy"}


def test_settings_of_ones_own_lie_over_the_charts_and_the_rest_stays() -> None:
    mine = {"slo": {"flush_interval": "10s"}, "log": {"level": "debug"}, "web": {"listen": "[::]:8003"}}
    made = configuration(made_with(watch={"config": mine}))
    assert made["log"] == {"format": "json", "level": "debug"}
    assert made["web"] == {"listen": "[::]:8003"}
    assert made["slo"] == {"flush_interval": "10s"}
    assert [one["name"] for one in made["targets"]] == ["${POD_NAME}"]


@pytest.mark.parametrize(
    ("settings", "link"),
    [
        ({}, "http://${POD_IP}:8003"),
        ({"web": {"existingSecret": "web", "tls": True}}, "https://${POD_IP}:8003"),
        ({"config": {"alerts": {"external_url": "https://watch.example.com"}}}, "https://watch.example.com"),
        ({"config": {"web": {"listen": "[::]:8003"}}}, None),  # an address of IPv6 without brackets would be refused
    ],
    ids=str,
)
def test_links_in_alerts_lead_to_the_pod_or_where_one_says(settings: Object, link: str | None) -> None:
    assert configuration(made_with(watch=settings))["alerts"].get("external_url") == link


def test_texts_that_yaml_takes_for_something_else_stay_texts() -> None:
    models = {"storageClass": "1", "path": "/m: #x"}
    made = made_with(triton={"models": models}, priorityClassName="1", runtimeClassName="true")
    pod = pod_template(made)["spec"]
    assert (pod["priorityClassName"], pod["runtimeClassName"]) == ("1", "true")
    assert found(made, "PersistentVolumeClaim", "triton-models")["spec"]["storageClassName"] == "1"
    assert pod["containers"][1]["args"][1] == "--model-repository=/m: #x"
    assert all(
        [mount["mountPath"] for mount in one["volumeMounts"] if mount["name"] == "models"] == ["/m: #x"]
        for one in pod["containers"]
    )


def test_pods_that_are_to_be_recreated_have_no_settings_of_a_rolling_update() -> None:
    made = found(made_with(triton={"updateStrategy": {"type": "Recreate"}}), "Deployment", "triton")
    assert made["spec"]["strategy"] == {"type": "Recreate"}


def test_a_list_that_is_taken_away_is_an_empty_one() -> None:
    assert made_with(tests={"healthArgs": None, "statusArgs": None}) == made_with()


def test_overrides_of_alerts_come_before_the_charts_own() -> None:
    mine = {"alerts": "*", "severity": "ticket"}
    made = configuration(made_with(watch={"config": {"alerts": {"overrides": [mine]}}}))
    assert made["alerts"]["overrides"] == [mine, {"alerts": "TritonTargetDown", "for": "5m"}]


@pytest.mark.parametrize(
    "config",
    [
        {"defaults": {"interval": "5s"}},
        {"alerts": {"external_labels": {"cluster": "eu"}}},
        {"slo": {"objectives": [{"name": "a", "sli": "availability", "objective": "99%"}]}},
        {"canary": {"enabled": False}},
    ],
)
def test_a_changed_configuration_leaves_the_pods_alone(config: Object) -> None:
    before, after = made_with(), made_with(watch={"config": config})
    assert configuration(before) != configuration(after)
    assert pod_template(before) == pod_template(after)


@pytest.mark.parametrize(
    "config",
    [
        {"poll_threads": 8},
        {"web": {"listen": "[::]:8003"}},
        {"slo": {"flush_interval": "10s"}},
        {"slo": {"state_dir": "/var/lib/triton-watch/a"}},
        {"slo": {"prometheus": {"url": "http://prometheus:9090"}}},
    ],
)
def test_what_is_read_at_the_start_only_replaces_the_pod_template(config: Object) -> None:
    assert pod_template(made_with()) != pod_template(made_with(watch={"config": config}))


def test_a_new_version_of_the_chart_alone_leaves_the_pods_alone(tmp_path: Path) -> None:
    newer = Path(shutil.copytree(CHART, tmp_path / "triton-watch"))
    chart = (newer / "Chart.yaml").read_text()
    (newer / "Chart.yaml").write_text(re.sub(r"^version: .*$", "version: 9.9.9", chart, flags=re.MULTILINE))
    made = parsed(run_helm("template", RELEASE, newer, "--namespace", NAMESPACE).stdout)
    assert found(made, "Deployment", "triton")["metadata"]["labels"]["helm.sh/chart"] == "triton-watch-9.9.9"
    assert pod_template(made) == pod_template(objects("default"))


def test_targets_that_change_leave_the_fleets_pod_alone() -> None:
    one, two = ({"mode": "fleet", "fleet": {"targets": [{"host": host}]}} for host in ("a", "b"))
    assert pod_template(made_with(**one)) == pod_template(made_with(**two))


def test_people_are_told_by_one_of_agent_and_prometheus() -> None:
    peers = {"alertmanagers": ["http://am:9093"]}
    alone = configuration(made_with(watch=peers))["alerts"]
    with_rules = configuration(made_with(watch=peers, prometheusRule={"enabled": True}))["alerts"]
    assert (alone.get("mode"), alone["alertmanagers"]) == (None, [{"url": "http://am:9093"}])
    assert (with_rules["mode"], with_rules.get("alertmanagers")) == ("prometheus", None)


def test_with_tls_everything_that_asks_the_agent_speaks_it() -> None:
    made = objects("secured")
    (deployment,) = (one for one in workloads(made) if one.object["kind"] == "Deployment")
    agent, triton = deployment.container("triton-watch"), deployment.container("triton")
    probes = [agent["startupProbe"], agent["livenessProbe"], triton["readinessProbe"]]
    assert [probe["httpGet"].get("scheme") for probe in probes] == ["HTTPS"] * 3
    assert triton["livenessProbe"]["httpGet"].get("scheme") is None
    assert triton["readinessProbe"]["httpGet"]["httpHeaders"][0]["name"] == "Authorization"
    (endpoint,) = found(made, "PodMonitor", "triton-watch")["spec"]["podMetricsEndpoints"]
    assert (endpoint["scheme"], endpoint["tlsConfig"]["serverName"]) == ("https", "triton-watch")
    (test,) = (one for one in workloads(made) if one.object["kind"] == "Pod")
    assert test.container("agent")["args"][:3] == ["health", "--agent", "https://triton-watch.triton.svc:8003"]


@pytest.mark.parametrize("case", ["default", "secured", "fleet-with-test"])
def test_the_commands_of_helm_test_are_commands(case: str) -> None:
    made = made_with(mode="fleet", fleet={"targets": [{"host": "a"}]}) if case == "fleet-with-test" else objects(case)
    (test,) = (one for one in workloads(made) if one.object["kind"] == "Pod")
    for container in test.containers:
        command = cli.get_command(None, container["args"][0])  # type: ignore[arg-type] # it looks at no context
        assert command is not None
        command.make_context(command.name, list(container["args"][1:]))
