"""The JSON Schema of `triton-watch.yaml`, for editors: the structure that the loader accepts."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from triton_watch.config.model import OPTIONAL_SECTIONS, ConfigFile
from triton_watch.config.sections import Section

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Build the JSON Schema (draft 2020-12), with descriptions, defaults and examples.

    It knows structure, types and forms. What only the loader can tell is not in it: variables and files
    that must exist, names that must differ, timeouts against intervals.
    """
    raw = ConfigFile.model_json_schema(schema_generator=_Generator)
    definitions = {name: _tidy(part) for name, part in raw.pop("$defs").items()}
    for model in _sections(Section):
        if model.__name__ in definitions:
            _add_pairs(definitions[model.__name__], model)
            _own_first(definitions[model.__name__], model)
    top = _tidy(raw)
    for name in OPTIONAL_SECTIONS:
        part = top["properties"][name]
        top["properties"][name] = {"anyOf": [{"$ref": part.pop("$ref")}, {"type": "null"}], **part}
    return {
        "$schema": DIALECT,
        "title": "triton-watch.yaml",
        **top,
        "$defs": dict(sorted(definitions.items())),
    }


class _Generator(GenerateJsonSchema):
    """Leaves out titles made from names; the titles that are left name a kind, such as duration."""

    def field_title_should_be_set(self, schema: object) -> bool:
        del schema
        return False


def _sections(base: type[Section]) -> list[type[Section]]:
    return [found for model in base.__subclasses__() for found in (model, *_sections(model))]


def _add_pairs(definition: dict[str, Any], model: type[Section]) -> None:
    """Say in JSON Schema what the model's pairs say."""
    body = definition["anyOf"][-1] if "anyOf" in definition else definition
    rules: list[dict[str, Any]] = [{"not": {"required": list(pair)}} for pair in model.exclusive]
    rules += [{"oneOf": [{"required": [one]}, {"required": [other]}]} for one, other in model.needed]
    if rules:
        body["allOf"] = rules


def _own_first(definition: dict[str, Any], model: type[Section]) -> None:
    """Put what a model shares with others behind what it declares itself."""
    body = definition["anyOf"][-1] if "anyOf" in definition else definition
    written = {name: field.alias or name for name, field in model.model_fields.items()}
    declared = [[written.get(name, name) for name in vars(base).get("__annotations__", {})] for base in model.__mro__]

    def place(name: str) -> tuple[int, int]:
        return next((index, names.index(name)) for index, names in enumerate(declared) if name in names)

    body["properties"] = {name: body["properties"][name] for name in sorted(body["properties"], key=place)}


def _tidy(part: Any) -> Any:  # noqa: ANN401 - JSON
    """Drop names of classes and the null of settings that may be left out: a null in the file is an error."""
    if isinstance(part, list):
        return [_tidy(item) for item in part]
    if not isinstance(part, dict):
        return part
    result = {key: _tidy(item) for key, item in part.items() if not _is_noise(key, item)}
    choices = [choice for choice in result.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        del result["anyOf"]
        return {**choices[0], **result}
    return {**result, "anyOf": choices} if choices else result


def _is_noise(key: str, item: object) -> bool:
    return (key == "title" and str(item).endswith(("Section", "ConfigFile"))) or (key == "default" and item is None)
