"""What to write instead of what the parser refuses."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from triton_watch.check.pbtxt.schema import Field, Kind, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 60
"""Longer values are not repeated in an advice."""
_SHOWN_NAMES = 6
_TRUE = frozenset({"true", "yes", "on", "t"})
_FALSE = frozenset({"false", "no", "off", "f"})
_SCIENTIFIC = re.compile(r"([0-9]{1,20})(?:\.([0-9]{0,20}))?[eE]\+?([0-9]{1,2})", re.ASCII)
_FRACTION = re.compile(r"[0-9]{1,15}\.[0-9]{0,20}", re.ASCII)
_PAIR = re.compile(r"""["']([^"'\\\n]{0,60})["']\s{0,9}:\s{0,9}("[^"\\\n]{0,60}"|[-\w.]{1,60})""")
_UNIT = re.compile(r"([0-9]{1,20})(us|ms|s)\b", re.ASCII)
_MICROSECONDS: Mapping[str, int] = MappingProxyType({"us": 1, "ms": 1_000, "s": 1_000_000})
_SMART_QUOTES = frozenset("“”„‟‘’‚‛«»″′＂＇")  # noqa: RUF001  # that they look like quotes is what this is about
_BLANKS = frozenset("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000")
_TEMPLATE_TOOLS: Mapping[str, str] = MappingProxyType(
    {
        "$": "NVIDIA's tools/fill_template.py or envsubst, say",
        "{": "helm template or Jinja, say",
        "<": "the tool that it was written for",
    }
)
_NO_FIELDS_NEEDED = frozenset({"dynamic_batching", "sequence_batching"})
"""Blocks that people switch on as if they were a single setting, and whose fields have all a default."""


def block(written: str, field: Field) -> str:
    """What to write for a scalar or a list where a block in braces belongs."""
    word = written.strip("\"'").lower()
    schema = field.schema
    if word in _FALSE:
        return f"remove {field.name}"
    if schema is None or not schema.fields or (word in _TRUE and field.name in _NO_FIELDS_NEEDED):
        return f"write {field.name} {{ }}"
    inner = _only_home(written, schema)
    if inner is None or len(written) > _LONGEST:
        names = ", ".join(list(schema.fields)[:_SHOWN_NAMES])
        return f"write {field.name} {{ … }} with fields such as {names}"
    whole = f"{{ {inner} }}"
    return f"write {field.name} [ {whole} ]" if field.repeated and not field.is_map else f"write {field.name} {whole}"


def _only_home(written: str, schema: Schema) -> str | None:
    """The one field inside a block that a value can be meant for, with it; None where there are several, or none."""
    named = written.strip("\"'")
    if "all" in schema.fields and named.lower() == "all":
        return "all { }"
    fields = [field for field in schema.fields.values() if field.repeated or not written.startswith("[")]
    kind = _kind(written)
    homes = [field for field in fields if named in field.values]
    homes = homes or [field for field in fields if field.kind is kind]
    if not homes or (len(homes) > 1 and homes[0].name not in {"name", "count"}):
        return None
    home, value = homes[0], named if named in homes[0].values else written
    value = "true" if home.kind is Kind.BOOL else value
    if schema.name == "ModelParameter" and not value.startswith('"'):
        value = f'"{named}"'
    return f"{home.name}: [ {value} ]" if home.repeated and not value.startswith("[") else f"{home.name}: {value}"


def _kind(written: str) -> Kind | None:
    if written.lower() in _TRUE:
        return Kind.BOOL
    bare = written.strip("[] ").split(",")[0].strip()
    if bare[:1] in {'"', "'"}:
        return Kind.STRING
    return Kind.INTEGER if bare.lstrip("-").isdecimal() else None


def parameter(written: str) -> str:
    """What to write for the bare value of one of `parameters`."""
    value = written.strip("\"'")
    return f'write value {{ string_value: "{value if len(value) <= _LONGEST else "…"}" }}'


def scalar(written: str, field: Field) -> str:
    """What to write for a value that is none of a field's kind, where no single value can be meant."""
    if field.kind is Kind.INTEGER and _FRACTION.fullmatch(written):
        low = int(written.partition(".")[0])
        return f"write a whole number, {low} or {low + 1}"
    if field.kind is Kind.STRING and len(written) <= _LONGEST and '"' not in written:
        return f'write "{written}"'
    if field.kind is Kind.ENUM:
        return names(field)
    return f"write {field.kind.value}"


def no_scalar(field: Field, *, listed: bool) -> str:
    """What to write for a list or a block where a scalar belongs."""
    if field.repeated and not listed:
        return f"write {field.name}: [ … ] with {field.kind.value} as each element"
    return f"write {field.name}: and {field.kind.value}, without {'brackets' if listed else 'braces'}"


def names(field: Field) -> str:
    """The names of an enumeration, the first ones."""
    known = [name for name in field.values if not name.endswith("_INVALID")]
    return f"write one of {', '.join(known[:_SHOWN_NAMES])}{', …' if len(known) > _SHOWN_NAMES else ''}"


def whole_number(written: str) -> str | None:
    """A number in scientific notation as digits, where it is a whole one: 1e5 is 100000."""
    match = _SCIENTIFIC.fullmatch(written)
    if match is None or int(match[3]) > 18:  # digits of the highest int64, less one
        return None
    fraction = (match[2] or "").rstrip("0")
    zeros = int(match[3]) - len(fraction)
    return str(int(match[1] + fraction) * 10**zeros) if zeros >= 0 else None


def number(text: str, start: int, end: int) -> str:
    """What to write for a number that a word touches."""
    found = _UNIT.match(text, start)
    if found is not None:
        micros = int(found[1]) * _MICROSECONDS[found[2]]
        return f"write {micros}: a field in microseconds takes the number alone"
    return f"write {text[start:end][:_LONGEST]} alone, or a space behind it"


def character(char: str) -> str:
    """What to write for a character that cannot stand outside of quotes."""
    if char in _SMART_QUOTES:
        return 'write plain quotes, "'
    if char in _BLANKS:
        return "write a plain space"
    return "remove it, or put the text that it belongs to into plain quotes"


def quote(text: str, start: int, end: int) -> str:
    """What to write for text whose closing quote is missing."""
    written = text[start + 1 : end].rstrip()
    if re.fullmatch(r"[-\w./]{1,60}", written):
        return f"write {text[start]}{written}{text[start]}"
    return f"put a {text[start]} behind the text"


def quoted_name(source: str, start: int, schema: Schema) -> str:
    """What to write for a name in quotes: JSON's way of writing."""
    found = _PAIR.match(source, start)
    if schema.fields.keys() != {"key", "value"} or found is None:
        return "write the name without quotes" if found is None else f"write {found[1]}: {found[2]}"
    key, value = found[1], found[2]
    bare = value.strip('"')
    inner = schema.fields["value"].kind is Kind.MESSAGE
    return f'write key: "{key}" value {{ string_value: "{bare}" }}' if inner else f'write key: "{key}" value: "{bare}"'


def template(placeholder: str) -> str:
    """What to do with a file that has placeholders."""
    return f"fill it in with {_TEMPLATE_TOOLS[placeholder[0]]}, and check what comes out"
