"""deploy/helm: what its README and its notes say is so."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest
import yaml

from support.helm_chart import CHART
from support.helm_renderings import notes, run_helm, values_of, with_values

if TYPE_CHECKING:
    from support.cluster_objects import Object


def readme(language: str) -> list[str]:
    """The blocks of the chart's README in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (CHART / "README.md").read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", readme("yaml"), ids=lambda text: text.splitlines()[0])
def test_values_that_the_readme_shows_are_taken(example: str) -> None:
    done = with_values(yaml.safe_load(example))
    assert done.returncode == 0, done.stderr


def test_the_command_that_the_readme_installs_with_renders() -> None:
    (block,) = (text for text in readme("sh") if text.startswith("helm install"))
    line = block.replace("\\\n", " ").splitlines()[0]
    words = [word for word in shlex.split(line)[2:] if word != "--create-namespace"]
    words[words.index("deploy/helm/triton-watch")] = str(CHART)
    done = run_helm("template", *words)
    assert done.returncode == 0, done.stderr
    assert "registry.example.com/triton-watch:" in done.stdout
    assert "alertmanager-operated.monitoring.svc:9093" in done.stdout


def test_links_of_the_readme_lead_to_files() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", (CHART / "README.md").read_text())
    assert links
    assert [link for link in links if not (CHART / link).exists()] == []


NO_ALERTMANAGER = (
    "- Nobody is told of alerts: set watch.alertmanagers, or let Prometheus alert (prometheusRule.enabled)."
)


@pytest.mark.parametrize(
    ("settings", "warning"),
    [
        ({}, NO_ALERTMANAGER),
        ({"prometheusRule": {"enabled": True}}, "- The rules need series of the agents"),
        ({"servingReadiness": {"enabled": True}}, "name triton.expectedModels"),
        ({"triton": {"models": {"url": "s3://bucket/models"}}}, "- Triton cannot reach s3://bucket/models"),
        (
            {"watch": {"config": {"slo": {"prometheus": {"url": "http://prometheus:9090"}}}}},
            "- The agent cannot reach http://prometheus:9090",
        ),
        ({"networkPolicy": {"enabled": False}}, "- Every pod of the cluster reaches Triton and the agent"),
        ({"watch": {"web": {"existingSecret": "web"}}}, "- Passwords go over the network as they are"),
        ({"triton": {"models": {"accessModes": ["ReadWriteOnce"]}}}, "- Pods on several nodes cannot mount the claim"),
        (
            {
                "prometheusRule": {"enabled": True},
                "watch": {"config": {"slo": {"objectives": [{"name": "a", "sli": "availability", "objective": "9%"}]}}},
            },
            "- The rules of Prometheus are those of the default objectives",
        ),
        (
            {"prometheusRule": {"enabled": True}, "watch": {"config": {"alerts": {"mode": "agent"}}}},
            "- People are told twice",
        ),
        ({"watch": {"alertmanagers": ["https://am.example.com"]}}, "- The agent may not reach https://am.example.com:"),
        ({"watch": {"alertmanagers": ["http://am.ops.svc:9093"]}}, "- The agent may not reach http://am.ops.svc:9093:"),
        ({"watch": {"alertmanagers": [{"url": "http://am:9093"}]}}, "- The agent may not reach http://am:9093:"),
        (
            {"watch": {"alertmanagers": ["http://am.monitoring.svc"]}},  # port 80
            "- The agent may not reach http://am.monitoring.svc:",
        ),
        (
            {
                "watch": {
                    "alertmanagers": ["http://am.monitoring.svc:9093"],
                    "config": {"web": {"listen": "[::]:8003"}},
                }
            },
            "- Links in alerts lead to the pod's name",
        ),
    ],
    ids=str,
)
def test_notes_warn_of_what_is_missing(settings: Object, warning: str) -> None:
    assert warning in notes(settings).partition("WARNINGS\n")[2]


@pytest.mark.parametrize("case", ["sidecar", "prometheus-operator", "standalone-fleet"])
def test_notes_have_no_warning_where_nothing_is_missing(case: str) -> None:
    said = notes(yaml.safe_load(values_of(case).read_text()))
    assert "WARNINGS" not in said
    assert "kubectl -n triton rollout status " in said


@pytest.mark.parametrize(
    ("url", "policy"),
    [
        ("http://alertmanager-0.alertmanager-operated.monitoring.svc.cluster.local.:9093/am", {}),
        ("http://am:9093", {"alertmanagers": [{"podSelector": {"matchLabels": {"app": "am"}}}]}),
        (
            "https://am.example.com",
            {"alertmanagers": [{"ipBlock": {"cidr": "192.0.2.0/24"}}], "alertmanagerPort": 443},
        ),
        ("https://am.example.com", {"extraEgress": [{"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}]}),
        ("https://am.example.com", {"alertmanagers": [{"ipBlock": {"cidr": "::/0"}}], "alertmanagerPort": 443}),
    ],
)
def test_notes_do_not_warn_of_an_alertmanager_that_the_policy_lets_the_agent_reach(url: str, policy: Object) -> None:
    assert "may not reach" not in notes({"watch": {"alertmanagers": [url]}, "networkPolicy": policy})


def test_notes_say_what_was_installed_and_what_to_do_next() -> None:
    said = notes({})
    assert said.startswith("Triton is installed as the Deployment triton in triton, with triton-watch in each pod.\n")
    assert "  kubectl -n triton port-forward service/triton-watch 8003\n" in said
    assert "  helm -n triton test triton --logs\n" in said
    assert "\n\n\n" not in said
