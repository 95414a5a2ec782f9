"""Tables: a row for each set of labels, a column for each instant query."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any, Final

from grafanalib import core

from triton_watch.generate.dashboards.panels import NO_TRAFFIC, Panel, Query, common
from triton_watch.generate.dashboards.scales import Link, Named, Scale, as_links, as_mappings, as_override

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WIDTHS: Final = {"gpu_uuid": 320, "alertname": 240}
"""Pixels of columns whose words are long and would be cut."""
_SHORT, _LETTER = 18, 8
"""So many letters fit into any column; pixels of one."""
_EMPTY: Final = as_override("byRegexp", "/.*/", {"noValue": ""})
"""A cell without a value, or a label without a text, is empty: `no_value` is for a table without rows."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: the value of an instant query that is aggregated by the table's keys."""

    name: str
    expr: str
    unit: str = "short"
    scale: Scale | None = None
    names: tuple[Named, ...] = ()
    decimals: int | None = None
    is_bar: bool = False
    """Drawn as a bar from 0 to 1."""
    label: str = ""
    """What is shown is this label of the query, not its value: a version, a state, a reason."""
    links: tuple[Link, ...] = ()


def table(
    title: str,
    description: str,
    *columns: Column,
    keys: Sequence[str],
    hidden: Sequence[str] = (),
    key_links: Mapping[str, Link | tuple[Link, ...]] | None = None,
    sort_by: str = "",
    is_descending: bool = True,
    no_value: str = NO_TRAFFIC,
    width: int = 24,
    height: int = 9,
) -> Panel:
    """A row for each set of `keys` (labels), a column for each value. `hidden` are labels that are not shown.

    With one column its expression may have any labels: those that are neither keys nor hidden stand behind the keys.
    """
    queries = [Query(one.expr, one.name) for one in columns]
    values = [f"Value #{letter}" for letter in ascii_uppercase[: len(columns)]]
    if len(columns) == 1:
        values = ["Value"]
    hidden = ("Time", *hidden, *(value for value, one in zip(values, columns, strict=True) if one.label))
    shown = [one.label or value for value, one in zip(values, columns, strict=True)]
    renamed = {field: one.name for field, one in zip(shown, columns, strict=True)}
    order = {name: place for place, name in enumerate([*keys, *shown])}
    organized = {"excludeByName": dict.fromkeys(hidden, True), "indexByName": order, "renameByName": renamed}
    view = core.Table(
        **common(title, description, queries, is_instant=True, form="table"),
        sortBy=[core.TableSortByField(sort_by, is_descending)] if sort_by else [],
        extraJson={
            "transformations": [
                *([{"id": "merge", "options": {}}] if len(columns) > 1 else []),
                {"id": "organize", "options": organized},
            ],
            "fieldConfig": {
                "defaults": {"noValue": no_value},
                "overrides": [
                    _EMPTY,
                    *_key_overrides(keys, key_links or {}),
                    *(_column_override(one) for one in columns),
                ],
            },
        },
    )
    return Panel(view, width, height)


def _key_overrides(keys: Sequence[str], links: Mapping[str, Link | tuple[Link, ...]]) -> list[dict[str, Any]]:
    widths = [as_override("byName", key, {"custom.width": _WIDTHS[key]}) for key in keys if key in _WIDTHS]
    shown = ((key, one if isinstance(one, tuple) else (one,)) for key, one in links.items())
    return [*widths, *(as_override("byName", key, {"links": as_links(several)}) for key, several in shown)]


def _column_override(column: Column) -> dict[str, Any]:
    properties: dict[str, object] = {"unit": column.unit}
    if column.decimals is not None:
        properties["decimals"] = column.decimals
    if column.is_bar:
        properties |= {"min": 0, "max": 1, "custom.cellOptions": {"type": "gauge", "mode": "basic"}}
    elif column.scale is not None or column.names:
        properties["custom.cellOptions"] = {"type": "color-text"}
    if column.scale is not None:
        properties |= {
            "thresholds": {"mode": "absolute", "steps": column.scale.as_json()},
            "color": {"mode": "thresholds"},
        }
    if column.names:
        properties["mappings"] = as_mappings(column.names)
        longest = max(len(one.text) for one in column.names)
        if longest > _SHORT:
            properties["custom.width"] = _LETTER * longest
    if column.links:
        properties["links"] = as_links(column.links)
    return as_override("byName", column.name, properties)
