"""docs/configuration.md, rendered from the JSON Schema: a heading for every setting."""

from __future__ import annotations

import json
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from triton_watch.config.canary_sections import CanaryOptionsSection
from triton_watch.config.guide import GUIDE
from triton_watch.config.json_schema import schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Json = dict[str, Any]

_TYPES: Mapping[str, str] = MappingProxyType(
    {"integer": "whole number", "string": "text", "boolean": "true or false", "object": "mapping"}
)
_OF_FOUND: Final = ("discovery.dns[].settings.", "discovery.files[].settings.")
_OVERRIDE: Final = "canary.overrides[]."


def render() -> str:
    """Render docs/configuration.md: the guide, then every setting in the order of the schema."""
    whole = schema()
    lines = [GUIDE.rstrip(), "", "## Settings", ""]
    for path, part, required in _settings(whole, whole, ""):
        lines += [f"### `{path}`", "", *_entry(path, part, required), ""]
    return "\n".join(lines).rstrip() + "\n"


def _settings(section: Json, whole: Json, prefix: str) -> Iterator[tuple[str, Json, bool]]:
    """Yield path, schema and whether it is required, of each setting at or below a section."""
    for name, part in section["properties"].items():
        is_list = part.get("type") == "array" and "$ref" in part["items"]
        path = f"{prefix}{name}{'[]' if is_list else ''}"
        yield path, _spelled_out(part, whole), name in section.get("required", ())
        if (below := _section(part, whole)) is not None:
            yield from _settings(below, whole, f"{path}.")


def _section(part: Json, whole: Json) -> Json | None:
    """Find the section that describes the mapping, list entries or named mappings of a setting."""
    if "$ref" in part:
        return _named(part, whole)
    inner = [part["items"]] if "items" in part else part.get("anyOf", [])
    return next((_named(item, whole) for item in inner if "$ref" in item), None)


def _named(part: Mapping[str, str], whole: Json) -> Json:
    """Find a definition; of one with several forms, the form that is a mapping."""
    found: Json = whole["$defs"][part["$ref"].rpartition("/")[2]]
    return next((form for form in found.get("anyOf", ()) if "properties" in form), found)


def _spelled_out(part: Json, whole: Json) -> Json:
    """Name the forms of a setting that need not be a mapping."""
    forms = whole["$defs"][part["$ref"].rpartition("/")[2]].get("anyOf") if "$ref" in part else None
    return part if forms is None else {**part, "anyOf": forms}


def _entry(path: str, part: Json, required: bool) -> list[str]:
    if path.startswith("defaults."):
        like = path.replace("defaults", "targets[]", 1)
        return [f"As [`{like}`](#{_anchor(like)}), for all targets."]
    for settings in _OF_FOUND:
        if path.startswith(settings):
            like = path.replace(settings, "targets[].", 1)
            return [f"As [`{like}`](#{_anchor(like)}), for these targets."]
    if path.startswith(_OVERRIDE) and path.removeprefix(_OVERRIDE) in CanaryOptionsSection.model_fields:
        like = path.replace(_OVERRIDE, "canary.", 1)
        return [f"As [`{like}`](#{_anchor(like)}), for these models; without it, as there."]
    facts = [f"- Type: {_kind(part)}"]
    if required:
        facts.append("- Required")
    if "default" in part:
        facts.append(f"- Default: `{_text(part['default'])}`")
    facts += [f"- Example: `{_text(example)}`" for example in part.get("examples", ())]
    return [part["description"], "", *facts]


def _anchor(path: str) -> str:
    return re.sub(r"[.\[\]]", "", path)


def _kind(part: Json) -> str:
    choices = [_kind(choice) for choice in part.get("anyOf", ()) if _is_told(choice)]
    if choices:
        return " or ".join(dict.fromkeys(choice for choice in choices if choice != "variable"))
    if "enum" in part:
        return ", ".join(f"`{choice}`" for choice in part["enum"])
    if part.get("type") == "array":
        return "list of mappings" if "$ref" in part["items"] else f"list of {_kind(part['items'])}"
    if part.get("additionalProperties"):
        return f"mapping of names to {_kind_of_value(part['additionalProperties'])}"
    if "$ref" in part:
        return "mapping"
    return _scalar(part)


def _is_told(choice: Json) -> bool:
    """Leave out null, and what only YAML makes of a word."""
    return choice.get("type") != "null" and "const" not in choice


def _kind_of_value(part: Json) -> str:
    return "text, or to a mapping with `value` or `value_file`" if "$ref" in part else _kind(part)


def _scalar(part: Json) -> str:
    if part.get("pattern") == r"\$\{":
        return "variable"
    return str(
        part.get(
            "title",
            _TYPES.get(part["type"], part["type"]),
        )
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
