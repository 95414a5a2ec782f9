"""Objects of Kubernetes as a renderer prints them: read, found, and taken apart."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from support.cluster_tools import kubectl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Object: TypeAlias = "dict[str, Any]"

KUBERNETES = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"
OVERLAYS = ("sidecar", "sidecar-serving", "standalone-fleet", "prometheus-operator")
RENDER_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Workload:
    """What makes pods, and the pods that it makes."""

    object: Object
    labels: Mapping[str, str]
    pod: Object

    @property
    def containers(self) -> list[Object]:
        """All of them, those that run first included."""
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    def container(self, name: str) -> Object:
        """The one with this name."""
        (found,) = (one for one in self.containers if one["name"] == name)
        return dict(found)


@cache
def text_of(folder: Path) -> str:
    """What `kubectl kustomize` makes of a folder. Raises `subprocess.CalledProcessError` with its complaint."""
    done = subprocess.run(
        [str(kubectl()), "kustomize", str(folder)], check=False, capture_output=True, text=True, timeout=RENDER_TIMEOUT
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "a warning of kustomize"
    return done.stdout


@cache
def rendered(overlay: str) -> list[Object]:
    """Return the objects of an overlay of deploy/kubernetes."""
    return parsed(text_of(KUBERNETES / "overlays" / overlay))


def parsed(text: str) -> list[Object]:
    """Return the objects of a stream of YAML."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # boards are a megabyte: by C where there is one
    return [one for one in yaml.load_all(text, Loader=loader) if one is not None]


def key(one: Object) -> str:
    """How an object is told from others of its namespace."""
    return f"{one['kind']}/{one['metadata']['name']}"


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    """Return those of these kinds."""
    return [one for one in objects if one["kind"] in kinds]


def found(objects: list[Object], kind: str, name: str) -> Object:
    """Return the one of this kind with this name."""
    (one,) = (one for one in of_kind(objects, kind) if one["metadata"]["name"] == name)
    return one


def workloads(objects: list[Object]) -> Iterator[Workload]:
    """Yield what makes pods."""
    for one in of_kind(objects, "Deployment", "StatefulSet", "DaemonSet", "Job", "Pod"):
        template = one if one["kind"] == "Pod" else one["spec"]["template"]
        yield Workload(one, template["metadata"].get("labels", {}), template["spec"])


def works(overlay: str) -> list[Workload]:
    """Everything in an overlay of deploy/kubernetes that makes pods."""
    return list(workloads(rendered(overlay)))


def triton(overlay: str) -> Workload:
    """What makes Triton's pods."""
    (work,) = (work for work in works(overlay) if any(one["name"] == "triton" for one in work.containers))
    return work


def agent(overlay: str) -> tuple[Workload, Object]:
    """The agent's container, and what makes its pod."""
    (work,) = (work for work in works(overlay) if any(one["name"] == "triton-watch" for one in work.containers))
    return work, work.container("triton-watch")


def selected(selector: Object | None, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector chooses what has these labels; an empty one chooses everything."""
    selector = selector or {}
    wanted = selector.get("matchLabels", {}).items()
    return all(labels.get(name) == value for name, value in wanted) and all(
        _meets(one, labels) for one in selector.get("matchExpressions", [])
    )


def _meets(expression: Object, labels: Mapping[str, str]) -> bool:
    value, operator = labels.get(expression["key"]), expression["operator"]
    if operator in {"Exists", "DoesNotExist"}:
        return (value is not None) is (operator == "Exists")
    return (value in list(expression["values"])) is (operator == "In")
