"""deploy/kubernetes: what the agent is told in each overlay, and who tells people."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING

import pytest
import yaml
from click.testing import CliRunner

from support.cluster_objects import KUBERNETES, OVERLAYS, Object, agent, found, of_kind, rendered
from triton_watch.cli import cli

if TYPE_CHECKING:
    from pathlib import Path

ROOT = KUBERNETES.parents[1]
ENVIRONMENT = {"POD_NAME": "triton-7d4b9c-x2x5z", "POD_NAMESPACE": "triton", "POD_IP": "10.1.2.3"}
"""What the downward API gives."""


def configuration(overlay: str) -> str:
    """What the agent of an overlay reads."""
    return str(found(rendered(overlay), "ConfigMap", "triton-watch")["data"]["triton-watch.yaml"])


def grace(settings: Object) -> str:
    """How long an agent waits before it reports a server that does not answer."""
    (override,) = (one for one in settings["alerts"]["overrides"] if one["alerts"] == "TritonTargetDown")
    return str(override["for"])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_agents_configuration_is_valid_and_listens_where_pods_are_asked(overlay: str, tmp_path: Path) -> None:
    file = tmp_path / "triton-watch.yaml"
    file.write_text(configuration(overlay))
    done = CliRunner().invoke(cli, ["config", "check", str(file)], env=ENVIRONMENT)
    assert (done.exit_code, done.stderr) == (0, "")
    assert yaml.safe_load(file.read_text())["web"]["listen"] == "0.0.0.0:8003"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_variables_of_the_configuration_are_set_in_the_agents_container(overlay: str) -> None:
    _, container = agent(overlay)
    given = {one["name"]: one["valueFrom"]["fieldRef"]["fieldPath"] for one in container["env"]}
    assert set(given) <= set(ENVIRONMENT)
    fields = {"POD_NAME": "metadata.name", "POD_NAMESPACE": "metadata.namespace", "POD_IP": "status.podIP"}
    assert fields.items() >= given.items()
    lines = [line.split(" #")[0] for line in configuration(overlay).splitlines()]
    used = {name for name in ENVIRONMENT if any(f"${{{name}}}" in line for line in lines)}
    assert used <= set(given)
    assert sum(line.count("${") for line in lines) == len(used)


def test_sidecars_name_their_server_after_the_pod_and_the_fleets_agent_finds_servers_by_dns() -> None:
    for overlay in ("sidecar", "sidecar-serving", "prometheus-operator"):
        (target,) = yaml.safe_load(configuration(overlay))["targets"]
        assert target == {"name": "${POD_NAME}", "url": "http://localhost:8000", "model_repository": "/models"}
    (service,) = yaml.safe_load(configuration("standalone-fleet"))["discovery"]["dns"]
    name, namespace, *rest = service["name"].split(".")
    assert (namespace, rest, service["port"]) == ("${POD_NAMESPACE}", ["svc", "cluster", "local", ""], 8000)
    asked = found(rendered("standalone-fleet"), "Service", name)["spec"]
    assert (asked["clusterIP"], asked["publishNotReadyAddresses"]) == ("None", True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_links_in_alerts_lead_to_the_pod_as_those_of_prometheus_do(overlay: str) -> None:
    assert yaml.safe_load(configuration(overlay))["alerts"]["external_url"] == "http://${POD_IP}:8003"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_the_configuration_says_to_write_for_ipv6_is_valid(overlay: str, tmp_path: Path) -> None:
    text = configuration(overlay)
    (listen,) = re.findall(r'"(\[::\]:\d+)"', text)
    (url,) = re.findall(r'"(http://\[\$\{POD_IP\}\]:\d+)"', text)
    file = tmp_path / "triton-watch.yaml"
    settings = yaml.safe_load(text)
    settings["web"]["listen"], settings["alerts"]["external_url"] = listen, url
    file.write_text(yaml.safe_dump(settings))
    done = CliRunner().invoke(cli, ["config", "check", str(file)], env={**ENVIRONMENT, "POD_IP": "fd00:10:244::17"})
    assert (done.exit_code, done.stderr) == (0, "")


def test_people_are_told_by_the_agent_or_by_prometheus_and_never_by_both() -> None:
    for overlay in OVERLAYS:
        alerts = yaml.safe_load(configuration(overlay))["alerts"]
        by_prometheus = bool(of_kind(rendered(overlay), "PrometheusRule"))
        assert (alerts.get("mode") == "prometheus") == by_prometheus
        assert ("alertmanagers" in alerts) != by_prometheus


def test_the_rules_are_those_of_alerts_and_a_pod_that_loads_its_models_pages_nobody() -> None:
    groups = deepcopy(found(rendered("prometheus-operator"), "PrometheusRule", "triton-watch")["spec"]["groups"])
    (down,) = (rule for group in groups for rule in group["rules"] if rule.get("alert") == "TritonTargetDown")
    waits = down.pop("for")
    assert groups == yaml.safe_load((ROOT / "alerts" / "rules.yaml").read_text())["groups"]
    assert {overlay: grace(yaml.safe_load(configuration(overlay))) for overlay in OVERLAYS} == dict.fromkeys(
        OVERLAYS, waits
    )
