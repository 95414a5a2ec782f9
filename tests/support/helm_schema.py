"""The part of the chart's values.schema.json that is made from the JSON Schema of the agent's configuration.

Helm 3 and 4 read draft 7 with Go's regular expressions, which look neither ahead nor back. Settings may be null, which
is how values of Helm take one away, and alternatives become one schema where they can: an error then says one thing.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from support.helm_chart import CHART
from triton_watch.config.json_schema import schema

Json = dict[str, Any]

FILE: Final = CHART / "values.schema.json"
PREFIX: Final = "agent"
"""How the names of made definitions begin; all others are written by hand."""
_ABOUT_PEOPLE: Final = ("description", "examples", "default", "title")
_OWN: Final = ("targets", "discovery")
"""Sections that the chart writes: its templates say where in the values they belong."""
_NOT_EMPTY: Final = re.compile(r"\(\?=\\d\)")
_NOT_AHEAD: Final = re.compile(r"^(\^(?:\(\?:)?)\(\?!((?:[^()]|\([^()]*(?:\([^()]*\)[^()]*)*\))*)\)")


def render() -> str:
    """The file, with what is made in it made anew."""
    whole = json.loads(FILE.read_text())
    by_hand = {name: one for name, one in whole["definitions"].items() if not name.startswith(PREFIX)}
    whole["definitions"] = {**by_hand, **definitions()}
    return json.dumps(whole, indent=2) + "\n"


def definitions() -> Json:
    """Every section of the configuration, and what the chart has values for."""
    whole = schema()
    made = {_name(name): _for_helm(part) for name, part in whole["$defs"].items()}
    config = _for_helm({"type": "object", "additionalProperties": False, "properties": whole["properties"]})
    config["type"] = "object"
    config["properties"].update({name: {} for name in _OWN})
    made["agentConfig"] = config
    made["agentTarget"] = _own_target(made[_name("TargetSection")])
    address: Json = {"type": "string", "pattern": "^https?://"}
    made["agentAlertmanagerOrUrl"] = {**made[_name("AlertmanagerSection")], **address, "type": ["string", "object"]}
    return dict(sorted(made.items()))


def _name(section: str) -> str:
    return f"{PREFIX}{section}"


def _own_target(target: Json) -> Json:
    """The sidecar's target: its address is known, and `name` is refused by the templates, which say why."""
    properties = {name: one for name, one in target["properties"].items() if name != "host"}
    rules = [rule for rule in target["allOf"] if "anyOf" not in rule]
    return {**target, "type": "object", "properties": {**properties, "name": {}}, "allOf": rules}


def _for_helm(part: Any) -> Any:
    """Translate a schema of draft 2020-12 into what both Helms read."""
    if isinstance(part, list):
        return [_for_helm(one) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return {"$ref": f"#/definitions/{_name(part['$ref'].rpartition('/')[2])}"}
    made = {key: _for_helm(one) for key, one in part.items() if key not in (*_ABOUT_PEOPLE, "properties")}
    return _as_one(_with_choice(_with_text(_with_nulls(made, part.get("properties")))))


def _with_nulls(made: Json, properties: Json | None) -> Json:
    """A section and its settings may be null, and what stands under names that people choose."""
    if properties is not None:
        below = {name: _or_null(_for_helm(one)) for name, one in properties.items()}
        made = {**made, "type": [made["type"], "null"], "properties": below}
    if isinstance(made.get("additionalProperties"), dict):
        made["additionalProperties"] = _or_null(made["additionalProperties"])
    if "dependentRequired" in made:
        made["dependencies"] = made.pop("dependentRequired")
    if "allOf" in made:
        made["allOf"] = [rule for one in made["allOf"] for rule in _pair(one)]
    return made


def _with_choice(made: Json) -> Json:
    """A choice of words as a pattern, for it becomes one with that of variables."""
    if set(made) == {"enum"}:
        return {"type": "string", "pattern": f"^(?:{'|'.join(made['enum'])})$"}
    if set(made) == {"const"}:
        return {"type": "boolean", "not": {"const": not made["const"]}}
    return made


def _or_null(part: Json) -> Json:
    """Let a setting be null; sections can be already."""
    if "type" not in part:
        return part
    return {**part, "type": list(dict.fromkeys([*_types(part), "null"]))}


def _pair(rule: Json) -> list[Json]:
    """What a rule says of two settings; one that is null is not there. A `not` would not name them in its error."""
    if "oneOf" in rule:
        names = [name for one in rule["oneOf"] for name in one["required"]]
        return [*_pair({"not": {"required": names}}), {"anyOf": rule["oneOf"]}]
    one, other = rule["not"]["required"]
    there = {"required": [one], "properties": {one: {"not": {"type": "null"}}}}
    return [{"if": there, "then": {"properties": {other: {"type": "null"}}}}]


def _with_text(part: Json) -> Json:
    """Say what a pattern says without looking ahead, which Go's expressions cannot."""
    made, pattern = dict(part), str(part.get("pattern", ""))
    if _NOT_EMPTY.search(pattern):
        made |= {"minLength": 1, "pattern": _NOT_EMPTY.sub("", pattern)}
    if match := _NOT_AHEAD.match(pattern):
        never = {"type": "string", "pattern": f"^(?:{match[2]})"}
        made["pattern"] = match[1] + pattern[match.end() :]
        made["not"] = {"anyOf": [made["not"], never]} if "not" in made else never
    if re.search(r"\(\?[=!<]", made.get("pattern", "")):
        raise ValueError(f"Go's expressions do not know all of {pattern}")
    return made


def _as_one(part: Json) -> Json:
    """Alternatives as one schema, where their keywords do not meet: those of texts, numbers, lists, mappings."""
    choices = [choice for choice in part.get("anyOf", ()) if choice != {"type": "null"}]
    rest = {key: one for key, one in part.items() if key != "anyOf"}
    if len(choices) == 1:
        return {**rest, **choices[0]}
    keys = [key for choice in choices for key in choice if key not in ("type", "pattern")]
    if not choices or len(keys) > len(set(keys)) or not all("type" in choice for choice in choices):
        return part
    patterns = [choice["pattern"] for choice in choices if "pattern" in choice]
    if len(patterns) not in (0, sum("string" in _types(choice) for choice in choices)):
        return part  # a text that need not look like anything, and one that must
    together = {key: one for choice in choices for key, one in choice.items()}
    together["type"] = list(dict.fromkeys(one for choice in choices for one in _types(choice)))
    return {**rest, **together, **({"pattern": "|".join(patterns)} if patterns else {})}


def _types(part: Json) -> list[str]:
    return part["type"] if isinstance(part["type"], list) else [part["type"]]
