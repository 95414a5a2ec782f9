"""The Helm chart as Helm renders it, for the values of tests/fixtures/helm, and what is the same as kustomize's."""

from __future__ import annotations

import json
import subprocess
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from support.cluster_objects import Object, of_kind, parsed
from support.cluster_tools import helm, helm3
from support.helm_chart import CHART

if TYPE_CHECKING:
    from collections.abc import Callable

FIXTURES: Final = Path(__file__).resolve().parents[1] / "fixtures" / "helm"
CASES: Final = sorted(path.stem for path in (FIXTURES / "cases").glob("*.yaml"))
HELMS: Final[dict[str, Callable[[], Path]]] = {"helm 4": helm, "helm 3": helm3}
RELEASE: Final = "triton"
NAMESPACE: Final = "triton"
TIMEOUT: Final = 60.0
_CHART_LABELS: Final = ("app.kubernetes.io/instance", "app.kubernetes.io/component")
_OF_USERS: Final = ("runAsNonRoot", "runAsUser", "runAsGroup", "seccompProfile")


def values_of(case: str) -> Path:
    """The file with the values of a case."""
    return FIXTURES / "cases" / f"{case}.yaml"


def run_helm(*words: str | Path, program: Callable[[], Path] = helm, text: str | None = None) -> Any:
    """Run Helm; its exit code and its output are the caller's to judge."""
    return subprocess.run(
        [str(program()), *map(str, words)], check=False, capture_output=True, text=True, timeout=TIMEOUT, input=text
    )


@cache
def template(case: str, release: str = RELEASE, program: str = "helm 4") -> str:
    """What `helm template` prints for a case."""
    words = ("template", release, CHART, "--namespace", NAMESPACE, "--values", values_of(case))
    done = run_helm(*words, program=HELMS[program])
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def objects(case: str) -> list[Object]:
    """The objects of a case."""
    return parsed(template(case))


def with_values(values: Object, release: str = RELEASE, program: str = "helm 4") -> Any:
    """`helm template` for these values, whatever comes of it."""
    words = ("template", release, CHART, "--namespace", NAMESPACE, "--values", "-")
    return run_helm(*words, program=HELMS[program], text=json.dumps(values))


def configuration(made: list[Object]) -> Object:
    """What the agent reads."""
    (one,) = (one for one in of_kind(made, "ConfigMap") if "triton-watch.yaml" in one.get("data", {}))
    return dict(yaml.safe_load(one["data"]["triton-watch.yaml"]))


def made_with(**settings: Any) -> list[Object]:
    """The objects for these values."""
    done = with_values(settings)
    assert done.returncode == 0, done.stderr
    return parsed(done.stdout)


def notes(settings: Object) -> str:
    """What `helm install` says."""
    words = ("install", RELEASE, CHART, "--namespace", NAMESPACE, "--dry-run=client", "--values", "-")
    done = run_helm(*words, text=yaml.safe_dump(settings))
    assert done.returncode == 0, done.stderr
    return str(done.stdout).partition("NOTES:\n")[2]


def pod_template(made: list[Object]) -> Object:
    """The template of the release's pods."""
    (one,) = of_kind(made, "Deployment", "StatefulSet")
    return dict(one["spec"]["template"])


def golden(rendering: str) -> str:
    """A rendering as it is committed: data alone, without the text of rules and boards, which other tests compare."""
    shown = deepcopy(parsed(rendering))
    for one in of_kind(shown, "PrometheusRule"):
        one["spec"]["groups"] = [group["name"] for group in one["spec"]["groups"]]
    for one in of_kind(shown, "ConfigMap"):
        if "-dashboard-" in one["metadata"]["name"]:
            one["data"] = dict.fromkeys(one["data"], "(the board)")
    return yaml.safe_dump_all(shown, sort_keys=False, width=120)


def comparable(one: Object) -> Object:
    """An object without what only Helm or only kustomize adds, and without the order of containers and volumes."""
    plain = deepcopy(one)
    plain["metadata"] = {"name": one["metadata"]["name"]}
    _drop_chart_labels(plain)
    spec = plain.get("spec", {})
    if one["kind"] == "Service":
        spec.setdefault("type", "ClusterIP")
    if "template" in spec:
        spec["template"]["metadata"].pop("annotations", None)
        _sort_pod(spec["template"]["spec"])
    for claim in spec.get("volumeClaimTemplates", []):
        claim["metadata"].pop("labels", None)
    for name, text in plain.get("data", {}).items():
        plain["data"][name] = json.loads(text) if name.endswith(".json") else yaml.safe_load(text)
    return plain


def _drop_chart_labels(node: Any) -> None:
    if isinstance(node, dict):
        if "app.kubernetes.io/name" in node:
            for label in _CHART_LABELS:
                node.pop(label, None)
        for child in node.values():
            _drop_chart_labels(child)
    elif isinstance(node, list):
        for child in node:
            _drop_chart_labels(child)


def _sort_pod(pod: Object) -> None:
    pod["volumes"].sort(key=lambda volume: volume["name"])
    pod["containers"].sort(key=lambda container: container["name"])  # kustomize puts those of patches first
    for container in pod["containers"]:
        container["volumeMounts"].sort(key=lambda mount: mount["mountPath"])
        inherited = {name: pod["securityContext"][name] for name in _OF_USERS if name in pod["securityContext"]}
        container["securityContext"] = {**inherited, **container["securityContext"]}
    for name in _OF_USERS:
        pod["securityContext"].pop(name, None)
