"""messages.pyi says what the messages really have, so that rules cannot be checked against something else."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from triton_watch.check.pbtxt import messages
from triton_watch.check.pbtxt.schema import Kind, Schema, model_config
from triton_watch.check.pbtxt.versions import FIELD_SINCE, NEWER_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator

STUB = Path(str(messages.__file__)).with_suffix(".pyi")
SCALARS = ("int", "int", "int", "int", "float", "float", "bool", "int", "str")
MESSAGE = 10


def _type(field: Any) -> str:
    """The annotation that a field should have, from its descriptor."""
    message = field.message_type
    name = SCALARS[field.cpp_type - 1] if message is None else message.full_name.removeprefix("inference.")
    if message is not None and message.GetOptions().map_entry:
        key, value = (_type(message.fields_by_name[part]) for part in ("key", "value"))
        mapping = "MessageMap" if message.fields_by_name["value"].cpp_type == MESSAGE else "MutableMapping"
        return f"{mapping}[{key}, {value}]"
    if not field.is_repeated:
        return name
    return f"{'MutableSequence' if message is None else 'Messages'}[{name}]"


def _expected(descriptor: Any) -> Iterator[tuple[str, dict[str, str]]]:
    attributes = {field.name: _type(field) for field in descriptor.fields}
    for enum in descriptor.enum_types:
        attributes[enum.name] = "ClassVar[EnumType]"
        attributes |= dict.fromkeys((value.name for value in enum.values), "ClassVar[int]")
    attributes.pop("global", None)  # no annotation can have a keyword for its name
    yield descriptor.full_name.removeprefix("inference."), attributes
    for nested in descriptor.nested_types:
        if not nested.GetOptions().map_entry:
            yield from _expected(nested)


def _written(classes: list[ast.stmt], outer: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    for node in classes:
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Message" for base in node.bases):
            fields = (item for item in node.body if isinstance(item, ast.AnnAssign))
            yield outer + node.name, {ast.unparse(field.target): ast.unparse(field.annotation) for field in fields}
            yield from _written(node.body, f"{outer}{node.name}.")


def _stub() -> list[ast.stmt]:
    return ast.parse(STUB.read_text(encoding="utf-8")).body


def test_the_stub_declares_each_field_of_each_message_with_its_type() -> None:
    file: Any = messages.ModelConfig.DESCRIPTOR
    expected = {
        name: fields
        for descriptor in file.file.message_types_by_name.values()
        for name, fields in _expected(descriptor)
    }
    assert dict(_written(_stub())) == expected


def test_each_message_of_the_stub_is_there_to_import() -> None:
    names = {node.name for node in _stub() if isinstance(node, ast.ClassDef)}
    for name in names & {"ModelConfig", *(part for part, _ in _written(_stub()) if "." not in part)}:
        assert getattr(messages, name).DESCRIPTOR.full_name == f"inference.{name}"
    assert messages.DataType.Name(11) == "TYPE_FP32"


def test_reading_a_config_imports_neither_grpc_nor_numpy_nor_tritonclient() -> None:
    code = (
        "import sys; from triton_watch.check.pbtxt import parse_config; parse_config(b'name: \"x\"');"
        "print(sorted({'grpc', 'numpy', 'tritonclient', 'requests'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_tritonclient_can_be_imported_behind_us_and_has_the_same_messages() -> None:
    code = (
        "from triton_watch.check.pbtxt.messages import ModelConfig; from tritonclient.grpc import model_config_pb2;"
        "a = ModelConfig(name='x'); b = model_config_pb2.ModelConfig(name='x');"
        "print(a.SerializeToString() == b.SerializeToString())"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "True"


def _schemas(schema: Schema) -> Iterator[Schema]:
    yield schema
    for field in schema.fields.values():
        if field.kind is Kind.MESSAGE and field.schema is not None:
            yield from _schemas(field.schema)


@pytest.mark.parametrize("name", FIELD_SINCE)
def test_a_field_with_a_release_is_in_the_schema(name: str) -> None:
    assert name in {f"{schema.name}.{field}" for schema in _schemas(model_config()) for field in schema.fields}


def test_a_newer_field_is_one_that_the_schema_lacks() -> None:
    known = {f"{schema.name}.{field}" for schema in _schemas(model_config()) for field in schema.fields}
    assert not known & NEWER_FIELDS.keys()
