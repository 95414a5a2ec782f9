"""`${NAME}` in the values of a configuration: replaced from the environment after YAML was read.

Because YAML is read first, the content of a variable can never become structure. Keys are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from triton_watch.config.errors import Location, ParseError

_REFERENCE = re.compile(r"\$\$|\$\{(?P<name>[A-Za-z_]\w*)(?::-(?P<default>[^${}]*))?\}|(?P<bad>\$\{)", re.ASCII)

Report = Callable[[Location, str], None]


class Expanded(str):
    """Text that came, in part at least, from the environment: where a number belongs, it may spell one."""

    __slots__ = ()


def expand_text(text: str, environ: Mapping[str, str]) -> str:
    """Replace `${NAME}` and `${NAME:-default}` (for unset or empty) in a text; `$$` is one dollar.

    Raises:
        ParseError: a variable is not set and has no default, or a `${` is no reference.

    """

    def replace(match: re.Match[str]) -> str:
        if match["bad"]:
            raise ParseError("has a ${ that names no variable: write ${NAME} or ${NAME:-default}, and $$ for a dollar.")
        name, default = match["name"], match["default"]
        if name is None:
            return "$"
        if default is not None:
            return environ.get(name) or default
        if name not in environ:
            raise ParseError(
                f"needs the environment variable {name}, which is unset: set it or write ${{{name}:-value}}."
            )
        return environ[name]

    result = _REFERENCE.sub(replace, text)
    return Expanded(result) if "${" in text else result


def expand(value: Any, environ: Mapping[str, str], report: Report, at: Location = ()) -> Any:  # noqa: ANN401 - YAML's data
    """Replace references in all texts of a tree; what is wrong goes to `report` with its location."""
    if isinstance(value, dict):
        return {key: expand(item, environ, report, (*at, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [expand(item, environ, report, (*at, index)) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    try:
        return expand_text(value, environ)
    except ParseError as error:
        report(at, str(error))
        return value


def origins(value: object, environ: Mapping[str, str], at: Location = ()) -> dict[Location, str]:
    """Say of each text of a tree that takes something from variables, which: `from the environment variable HOME`."""
    if isinstance(value, dict):
        return {
            place: text for key, item in value.items() for place, text in origins(item, environ, (*at, key)).items()
        }
    if isinstance(value, list):
        return {
            place: text for key, item in enumerate(value) for place, text in origins(item, environ, (*at, key)).items()
        }
    names = _used(value, environ) if isinstance(value, str) and "${" in value else []
    if not names:
        return {}
    return {at: f"from the environment variable{'s' if len(names) > 1 else ''} {', '.join(names)}"}


def _used(text: str, environ: Mapping[str, str]) -> list[str]:
    """Name the variables whose values are in a text, not those for which a default stands."""
    found = (match for match in _REFERENCE.finditer(text) if match["name"])
    used = (match["name"] for match in found if environ.get(match["name"]) or match["default"] is None)
    return list(dict.fromkeys(used))


def escaped(value: Any) -> Any:  # noqa: ANN401 - YAML's data
    """Write the dollars in all texts of a tree so that `expand` gives back what they are now."""
    if isinstance(value, dict):
        return {key: escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [escaped(item) for item in value]
    return re.sub(r"\$(?=[${])", "$$", value) if isinstance(value, str) else value
