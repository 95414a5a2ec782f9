"""The fields of Triton's messages as the parser needs them, made once for each message from its descriptor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from triton_watch.check.pbtxt.messages import ModelConfig
from triton_watch.check.pbtxt.versions import FIELD_SINCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.check.pbtxt.messages import Descriptor, FieldDescriptor

_PACKAGE = "inference."


class Kind(Enum):
    """What a value looks like in the text."""

    INTEGER = "a whole number"
    NUMBER = "a decimal number"
    BOOL = "true or false"
    STRING = "text in quotes"
    ENUM = "one of a set of names"
    MESSAGE = "fields in braces"


_INT32, _INT64, _UINT32, _UINT64, _DOUBLE, _FLOAT, _BOOL, _ENUM, _STRING, _MESSAGE = range(1, 11)
"""`FieldDescriptor.CPPTYPE_…` of protobuf."""
_KINDS: Mapping[int, Kind] = MappingProxyType(
    {
        _DOUBLE: Kind.NUMBER,
        _FLOAT: Kind.NUMBER,
        _BOOL: Kind.BOOL,
        _ENUM: Kind.ENUM,
        _STRING: Kind.STRING,
        _MESSAGE: Kind.MESSAGE,
    }
)
_RANGES: Mapping[int, tuple[int, int]] = MappingProxyType(
    {
        _INT32: (-(2**31), 2**31 - 1),
        _INT64: (-(2**63), 2**63 - 1),
        _UINT32: (0, 2**32 - 1),
        _UINT64: (0, 2**64 - 1),
        _ENUM: (-(2**31), 2**31 - 1),
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field. `low` and `high` are the range of its integers, `values` the names of its enumeration.

    `presence` says that the message knows whether the field was given, even with its default value. The server
    knows it of the fields of a map's entry as well (`in_entry`), Python's messages do not.
    `since` is Triton's first release with it, where that is known. `schema` is that of a message; of a map it is
    the entry's, with the fields `key` and `value`.
    """

    name: str
    kind: Kind
    repeated: bool
    is_map: bool
    presence: bool
    in_entry: bool
    oneof: str | None
    low: int
    high: int
    values: Mapping[str, int]
    since: str | None
    schema: Schema | None


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """One message's `name`, without the package, and its fields by name."""

    name: str
    fields: Mapping[str, Field]


@cache
def model_config() -> Schema:
    """The schema of a whole config.pbtxt."""
    return _schema(ModelConfig.DESCRIPTOR)


def _schema(descriptor: Descriptor) -> Schema:
    name = descriptor.full_name.removeprefix(_PACKAGE)
    entry = descriptor.GetOptions().map_entry
    return Schema(
        name, MappingProxyType({field.name: _field(field, name, in_entry=entry) for field in descriptor.fields})
    )


def _field(field: FieldDescriptor, message_name: str, *, in_entry: bool) -> Field:
    low, high = _RANGES.get(field.cpp_type, (0, 0))
    message, enum, oneof = field.message_type, field.enum_type, field.containing_oneof
    return Field(
        name=field.name,
        kind=_KINDS.get(field.cpp_type, Kind.INTEGER),
        repeated=_is_repeated(field),
        is_map=message is not None and message.GetOptions().map_entry,
        presence=field.has_presence,
        in_entry=in_entry,
        oneof=None if oneof is None else oneof.name,
        low=low,
        high=high,
        values={} if enum is None else {value.name: value.number for value in enum.values},
        since=FIELD_SINCE.get(f"{message_name}.{field.name}"),
        schema=None if message is None else _schema(message),
    )


def _is_repeated(field: FieldDescriptor) -> bool:
    """`label` is deprecated where `is_repeated` is there, and the only way where it is not."""
    known: bool | None = getattr(field, "is_repeated", None)
    return field.label == 3 if known is None else known  # LABEL_REPEATED
