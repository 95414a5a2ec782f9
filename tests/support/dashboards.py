"""The boards of the default configuration, and how tests walk through them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from triton_watch.config import from_flags
from triton_watch.generate.dashboards import Context, dashboards

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.records import Settings

Json = dict[str, Any]
DEFAULTS = from_flags(["http://localhost:8000"])


def built(settings: Settings = DEFAULTS) -> dict[str, Json]:
    """Build all boards."""
    return dashboards(Context(settings))


class Expression(NamedTuple):
    """An expression, and where it stands."""

    place: str
    text: str


def rows_and_panels(board: Json) -> Iterator[Json]:
    """All panels, those in collapsed rows too."""
    for one in board["panels"]:
        yield one
        yield from one.get("panels", [])


def panels(board: Json) -> Iterator[Json]:
    """All panels but the rows."""
    return (one for one in rows_and_panels(board) if one["type"] != "row")


def data_panels(board: Json) -> Iterator[Json]:
    """The panels that ask something."""
    return (one for one in panels(board) if one["type"] != "text")


def expressions(board: Json) -> Iterator[Expression]:
    """The expressions of all panels and annotations."""
    for panel in data_panels(board):
        for target in panel["targets"]:
            yield Expression(f"{board['uid']}: {panel['title']} {target['refId']}", target["expr"])
    for one in board["annotations"]["list"]:
        yield Expression(f"{board['uid']}: annotation {one['name']}", one["expr"])


def queries_of_variables(board: Json) -> Iterator[Expression]:
    """What stands inside `label_values(selector, label)` and `query_result(expression)`."""
    for one in board["templating"]["list"]:
        if one["type"] == "query":
            function, _, inside = one["definition"].removesuffix(")").partition("(")
            text = inside.rpartition(",")[0] if function == "label_values" else inside
            yield Expression(f"{board['uid']}: variable {one['name']}", text)


def filled(expr: str) -> str:
    """The expression as Prometheus gets it when All is chosen; a variable that no board has stays as it is."""
    return _VARIABLE.sub(lambda match: _OF_GRAFANA.get(match[1] or match[2], ".+"), expr)


def every(value: object, key: str) -> Iterator[Any]:
    """What stands under `key`, however deep."""
    if isinstance(value, dict):
        if key in value:
            yield value[key]
        for inner in value.values():
            yield from every(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from every(inner, key)


_OF_GRAFANA = {"__rate_interval": "1m", "__range": "1h"}
"""What Grafana puts in; every other variable is a regular expression."""
_NAMES = {one["name"] for board in built().values() for one in board["templating"]["list"]} | set(_OF_GRAFANA)
_VARIABLE = re.compile(rf"\$(?:({'|'.join(sorted(_NAMES))})\b|\{{({'|'.join(sorted(_NAMES))})(?::\w+)?\}})")
