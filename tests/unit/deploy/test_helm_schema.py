"""The chart's schema of the agent's settings: it takes what `triton-watch config schema` takes, and nulls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from support import helm_schema
from triton_watch.config.json_schema import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

WHOLE = schema()
MADE = helm_schema.definitions()
VALUES = [
    "x",
    "",
    "5m",
    "99%",
    "0%",
    "100%",
    "a:1",
    "http://x",
    "${X}",
    5,
    -1,
    1.5,
    True,
    False,
    [],
    ["a"],
    {},
    {"a": "b"},
]


def settings() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every setting: where it is, the configuration's schema of it, and the chart's."""
    for name, section in WHOLE["$defs"].items():
        for ours, charts in zip(section.get("anyOf", [section]), _forms(MADE[f"agent{name}"], section), strict=True):
            for key, one in ours.get("properties", {}).items():
                yield f"{name}.{key}", one, charts["properties"][key]


def _forms(made: dict[str, Any], section: dict[str, Any]) -> list[dict[str, Any]]:
    """One for each alternative; those that became one schema are all in it."""
    return list(made.get("anyOf", [made] * len(section.get("anyOf", [section]))))


@pytest.mark.parametrize(("ours", "charts"), [pytest.param(*both, id=name) for name, *both in settings()])
def test_the_chart_takes_of_a_setting_what_the_configuration_takes_and_nothing_else(
    ours: dict[str, Any], charts: dict[str, Any]
) -> None:
    agent = Draft202012Validator({**ours, "$defs": WHOLE["$defs"]})
    chart = Draft7Validator({"allOf": [charts], "definitions": MADE})
    tried = [*VALUES, *ours.get("examples", []), *([ours["default"]] if "default" in ours else [])]
    assert [one for one in tried if agent.is_valid(one) != chart.is_valid(one)] == []
    assert chart.is_valid(None)
