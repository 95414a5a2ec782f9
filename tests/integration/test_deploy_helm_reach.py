"""deploy/helm: every value of the chart changes what is installed. None is taken in silence and for nothing."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from support.cluster_objects import parsed
from support.helm_chart import CHART, Value, values
from support.helm_renderings import with_values

if TYPE_CHECKING:
    from support.cluster_objects import Object

SCHEMA: Object = json.loads((CHART / "values.schema.json").read_text())
ENABLED = {"enabled": True}
SIDECAR: Object = {
    "podMonitor": {"enabled": True, "namespace": "monitoring"},
    "prometheusRule": ENABLED,
    "dashboards": ENABLED,
    "servingReadiness": ENABLED,
    "watch": {"web": {"existingSecret": "web", "tls": True, "tlsSecret": "tls"}},
}
FLEET: Object = {
    "mode": "fleet",
    "fleet": {
        "targetsFiles": {"a.yaml": [{"targets": ["a:8000"]}]},
        "podsService": {"enabled": True, "selector": {"app": "triton"}},
    },
}
TELLS: Object = {"watch": {"alertmanagers": ["http://alertmanager:9093"]}}
STARTS: dict[str, Object] = {
    "watch.alertmanagers": {},
    "networkPolicy.alertmanagers": TELLS,
    "networkPolicy.alertmanagerPort": TELLS,
    "networkPolicy.tritons": FLEET,
    "mode": {"fleet": {"targets": [{"host": "a"}]}},
    "fleet.targetsConfigMap": {"mode": "fleet", "fleet": {"targets": [{"host": "a"}]}},
    "triton.models.subPath": {"triton": {"models": {"existingClaim": "models"}}},
}
"""What else is set for a value that needs it."""
OTHER: dict[str, Any] = {
    "mode": "fleet",
    "image.digest": "sha256:" + "0" * 64,
    "triton.image.digest": "sha256:" + "0" * 64,
    "triton.models.url": "s3://bucket/models",
    "triton.models.path": "/srv/models",
    "triton.gpuResource": "nvidia.com/mig-1g.5gb",
    "triton.models.accessModes": ["ReadOnlyMany"],
    "fleet.persistence.accessModes": ["ReadWriteMany"],
    "fleet.dns": [{"name": "triton.example.com"}],
    "fleet.targetsFiles": {"b.json": [{"targets": ["b:8000"]}]},
    "watch.alertmanagers": ["http://alertmanager-0:9093"],
    "watch.config": {"log": {"level": "debug"}},
    "watch.target": {"interval": "5s"},
    "fleet.targets": [{"host": "triton"}],
    "fleet.targetsSettings": {"interval": "5s"},
    "prometheusRule.rules": '{"groups": []}',
    "servingReadiness.authorization": "Basic b3RoZXI=",
    "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}}],
}
"""Values that are not made from the type of the default one."""


def schema_of(path: str) -> Object:
    """What the schema says of a value."""
    node = SCHEMA
    for name in path.split("."):
        node = node["properties"][name]
    return dict(SCHEMA["definitions"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node)


def other(value: Value) -> Any:
    """Another value than the default one, of its type."""
    if value.path in OTHER:
        return OTHER[value.path]
    rule, default = schema_of(value.path), value.default
    if "enum" in rule:
        return next(one for one in rule["enum"] if one != default)
    found: Any = {"Gi": "3Gi", "5m": "7s", "5s": "7s", "0s": "7s"}.get(str(default)[-2:], "other")
    match default:
        case bool():
            found = not default
        case int():
            found = default + 1
        case list():
            found = ["other"] if rule["items"].get("type") == "string" else [{"name": "other"}]
        case dict():
            found = {"one.example.com/other": "other"}
    return found


def nested(path: str, value: Any) -> Object:
    """A value where values.yaml has it."""
    for name in reversed(path.split(".")):
        value = {name: value}
    return dict(value)


def laid_over(below: Object, above: Object) -> Object:
    """As Helm merges files of values."""
    merged = dict(below)
    for name, one in above.items():
        old = merged.get(name)
        merged[name] = laid_over(old, one) if isinstance(old, dict) and isinstance(one, dict) else one
    return merged


@cache
def rendering(settings: str) -> str:
    """The objects for these values, as text."""
    done = with_values(json.loads(settings))
    assert done.returncode == 0, done.stderr
    return json.dumps(parsed(done.stdout))


@pytest.mark.parametrize(
    "value", [one for one in values() if one.default is not None], ids=lambda value: str(value.path)
)
def test_a_value_changes_what_is_installed(value: Value) -> None:
    start = STARTS.get(value.path, FLEET if value.path.startswith("fleet.") else SIDECAR)
    if isinstance(value.default, bool):  # some are switched on above
        start = laid_over(start, nested(value.path, value.default))
    changed = laid_over(start, nested(value.path, other(value)))
    assert rendering(json.dumps(changed)) != rendering(json.dumps(start))
