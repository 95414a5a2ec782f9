"""The JSON schemas of records, with what their source says of each field."""

from __future__ import annotations

import ast
import inspect
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from triton_watch.daemon.facts.reading import schemas

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FACTS: Final = "triton_watch.daemon.facts"


def described_schemas(kinds: tuple[type, ...], ref_template: str) -> dict[str, Any]:
    """Return the schemas of records and all that they are made of, by name; a reference has its name as {model}.

    Fields are described by the docstrings below them, which Python itself does not keep.
    """
    said = _docstrings()
    found = schemas(kinds, ref_template)
    return {name: _described(schema, said.get(name, {})) for name, schema in found.items()}


def _described(schema: Mapping[str, Any], said: Mapping[str, str]) -> dict[str, Any]:
    """Add descriptions, and leave out titles, which only repeat names."""
    whole = {name: value for name, value in schema.items() if name != "title"}
    if "properties" in whole:
        whole["properties"] = {name: _field(one, said.get(name)) for name, one in whole["properties"].items()}
    return whole


def _field(schema: Mapping[str, Any], description: str | None) -> dict[str, Any]:
    whole = {name: value for name, value in schema.items() if name != "title"}
    return whole if description is None else {**whole, "description": description}


def _docstrings() -> dict[str, dict[str, str]]:
    """Return the docstrings of fields by class and field; none where a program was packed without its source."""
    sources = (one for one in files(_FACTS).iterdir() if one.name.endswith(".py"))
    trees = (ast.parse(one.read_text(encoding="utf-8")) for one in sources)
    classes = (node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef))
    return {one.name: dict(_fields(one)) for one in classes}


def _fields(of: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """Yield each field that a bare string follows, and the string."""
    for field, after in zip(of.body, of.body[1:], strict=False):
        match field, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)
