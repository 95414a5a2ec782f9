"""What is wrong with a dashboard, by the strict types of two major versions of Grafana."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft7Validator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema import ValidationError

MAJORS = (11, 13)
SCHEMAS = Path(__file__).parents[1] / "fixtures" / "grafana"


def faults(dashboard: dict[str, Any], major: int) -> list[str]:
    """What the types of one major version of Grafana do not take, a line each: where it is, and what is wrong.

    A dashboard here has Prometheus queries only, and each panel says its `options`, as in each exported dashboard.
    """
    panels = dashboard.get("panels", [])
    lines = [f"dashboard{line}" for line in _faults({**dashboard, "panels": []}, "Dashboard", major)]
    return lines + [line for panel in panels for line in _of_row_or_panel(panel, major)]


def _of_row_or_panel(panel: dict[str, Any], major: int) -> Iterator[str]:
    if panel.get("type") != "row":
        yield from _of_panel(panel, major)
        return
    alone = {**panel, "panels": []} if "panels" in panel else panel
    yield from (f"{_name(panel, 'row')}{line}" for line in _faults(alone, "RowPanel", major))
    yield from (line for inner in panel.get("panels", []) for line in _of_panel(inner, major))


def _of_panel(panel: dict[str, Any], major: int) -> Iterator[str]:
    kind, config = str(panel.get("type")), panel.get("fieldConfig", {})
    checks = [_faults(panel, "Panel", major)]
    if f"{kind}.Options" in _schema(major)["definitions"]:
        checks.append(_faults(panel.get("options", {}), f"{kind}.Options", major, "options"))
        custom = config.get("defaults", {}).get("custom", {})
        if custom:
            checks.append(_faults(custom, f"{kind}.FieldConfig", major, "fieldConfig.defaults.custom"))
        checks += [_of_override(one, kind, major) for one in config.get("overrides", [])]
    else:
        checks.append(iter([f" type: there are no types of a panel of type {kind!r}"]))
    yield from (f"{_name(panel)}{line}" for check in checks for line in check)


def _of_override(override: dict[str, Any], kind: str, major: int) -> Iterator[str]:
    """Each property alone: `custom.lineWidth` is a part of the panel's own field config, `unit` of the general one."""
    for one in override.get("properties", []):
        first, *rest = one.get("id", "").split(".")
        own = first == "custom"
        keys = rest if own else [first, *rest]
        value = one.get("value")
        for key in reversed(keys):
            value = {key: value}
        definition, where = (f"{kind}.FieldConfig", "override.custom") if own else ("FieldConfig", "override")
        yield from _faults(value, definition, major, where, depth=len(keys))


def _name(panel: dict[str, Any], noun: str = "panel") -> str:
    return f"{noun} {panel.get('title', '')!r} (id {panel.get('id')})"


def _faults(value: Any, definition: str, major: int, where: str = "", depth: int = 0) -> Iterator[str]:
    """The faults of a value, as what follows the name of its dashboard or panel.

    Of a single property, `depth` levels down in its object, it is no fault that the object lacks others.
    """
    for error in _validator(definition, major).iter_errors(value):
        for cause in _causes(error):
            if cause.validator != "required" or len(cause.absolute_path) >= depth:
                path = ".".join(str(step) for step in (where, *cause.absolute_path) if step != "")
                yield f" {path}: {cause.message}" if path else f": {cause.message}"


def _causes(error: ValidationError) -> list[ValidationError]:
    """The errors of the alternative that fits best, where a value may be of several types and one fits best."""
    alternatives: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        alternatives.setdefault(inner.schema_path[0], []).extend(_causes(inner))
    fewest = min(map(len, alternatives.values()), default=0)
    best = [causes for causes in alternatives.values() if len(causes) == fewest]
    return best[0] if len(best) == 1 else [error]


@cache
def _validator(definition: str, major: int) -> Draft7Validator:
    return Draft7Validator({**_schema(major), "$ref": f"#/definitions/{definition}"})


@cache
def _schema(major: int) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((SCHEMAS / f"schema-{major}.json").read_text())
    return schema
