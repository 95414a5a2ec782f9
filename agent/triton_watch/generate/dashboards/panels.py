"""The panels that all boards are made of: one function for each kind, so that a new panel is a few lines.

    graph("Queue time", "What to do ...", Query(mean_time(TRITON, "queue"), "{{model}}"), unit="s")

`unit` is Grafana's: s, reqps, percentunit, bytes, short. `description` says what to do when the panel looks bad.
`no_value` is what people read where there is no series: mostly that there was no traffic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any, Final

import attr
from grafanalib import core

from triton_watch.generate.dashboards.scales import NEUTRAL, Link, Named, Scale, as_links, as_mappings, as_override

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_TRAFFIC: Final = "No traffic"
DATASOURCE: Final = "${datasource}"


@dataclass(frozen=True, slots=True)
class Query:
    """One expression of a panel; `legend` may hold {{labels}}."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel before it has a place: `width` of 24 columns, `height` in rows of 30 pixels."""

    view: core.Panel
    width: int = 12
    height: int = 8


def graph(
    title: str,
    description: str,
    *queries: Query,
    unit: str,
    scale: Scale | None = None,
    lowest: float | None = 0,
    highest: float | None = None,
    is_stacked: bool = False,
    limits: str = "",
    no_value: str = NO_TRAFFIC,
    links: Sequence[Link] = (),
    width: int = 12,
    height: int = 8,
) -> Panel:
    """Lines over time. A scale is drawn as dashed lines at its steps.

    `limits` is a regular expression of legends: lines that others are held against, dashed and never stacked.
    """
    view = core.TimeSeries(
        **common(title, description, queries),
        unit=unit,
        thresholds=[] if scale is None else scale.as_json(),
        lineWidth=1,
        fillOpacity=30 if is_stacked else 8,
        showPoints="auto",  # as Grafana: a value with none beside it has no line to be seen by
        thresholdsStyleMode="off" if scale is None else "dashed",
        stacking={"mode": "normal" if is_stacked else "none", "group": "A"},
        tooltipMode="multi",
        tooltipSort="desc",
        overrides=_dashed(limits) if limits else [],
        extraJson=_defaults(no_value, links, min=lowest, max=highest),
    )
    return Panel(view, width, height)


def stat(
    title: str,
    description: str,
    *queries: Query,
    unit: str = "short",
    scale: Scale = NEUTRAL,
    no_value: str = NO_TRAFFIC,
    is_filled: bool = False,
    with_course: bool = False,
    decimals: int | None = None,
    links: Sequence[Link] = (),
    width: int = 4,
    height: int = 4,
) -> Panel:
    """One large value for each series, the last one; `with_course` draws how it went behind it.

    With a course the last value may be hours old: only for what has a value without traffic too.
    """
    view = core.Stat(
        **common(title, description, queries, is_instant=not with_course),
        format=unit,
        thresholds=scale.as_json(),
        decimals=decimals,
        reduceCalc="lastNotNull",
        colorMode="background" if is_filled else "value",
        graphMode="area" if with_course else "none",
        noValue=no_value,
        extraJson=_defaults(no_value, links),
    )
    return Panel(view, width, height)


def bars(
    title: str,
    description: str,
    *queries: Query,
    unit: str = "short",
    scale: Scale = NEUTRAL,
    lowest: float | None = 0,
    highest: float | None = None,
    no_value: str = NO_TRAFFIC,
    links: Sequence[Link] = (),
    width: int = 12,
    height: int = 8,
) -> Panel:
    """A bar for each series, at its last value."""
    view = core.BarGauge(
        **common(title, description, queries, is_instant=True),
        thresholds=scale.as_json(),
        extraJson=_defaults(no_value, links, unit=unit, min=lowest, max=highest),
    )
    return Panel(view, width, height)


def states(
    title: str,
    description: str,
    *queries: Query,
    names: Sequence[Named],
    no_value: str = "Nothing known",
    links: Sequence[Link] = (),
    width: int = 24,
    height: int = 8,
) -> Panel:
    """A band for each series, coloured by what its values are called."""
    view = core.StateTimeline(
        **common(title, description, queries),
        mappings=as_mappings(names),
        colorMode="fixed",
        showValue="never",
        extraJson=_defaults(no_value, links, unit="none"),
    )
    return Panel(view, width, height)


def heatmap(
    title: str,
    description: str,
    query: Query,
    *,
    unit: str,
    no_value: str = NO_TRAFFIC,
) -> Panel:
    """Counts by bucket over time; the query adds rates of `_bucket` series up by `le`, its legend is {{le}}."""
    asked = common(title, description, [query])
    view = core.Heatmap(**asked, options={"unit": unit}, extraJson=_defaults(no_value, (), unit=unit))
    return Panel(view)


def repeated(panel: Panel, variable: str) -> Panel:
    """The panel once for each chosen value of a variable, at most 3 side by side: it needs a line of its own."""
    return replace(panel, view=attr.evolve(panel.view, repeat=core.Repeat("h", variable, 3)))


def common(
    title: str, description: str, queries: Sequence[Query], *, is_instant: bool = False, form: str = "time_series"
) -> dict[str, Any]:
    """What every panel of grafanalib is given."""
    targets = [
        core.Target(expr=one.expr, legendFormat=one.legend, refId=letter, instant=is_instant, format=form)
        for letter, one in zip(ascii_uppercase, queries, strict=False)
    ]
    return {"title": title, "description": description, "dataSource": DATASOURCE, "targets": targets}


def _dashed(legends: str) -> list[dict[str, Any]]:
    properties = {
        "custom.lineStyle": {"fill": "dash", "dash": [10, 6]},
        "custom.fillOpacity": 0,
        "custom.stacking": {"mode": "none", "group": "limits"},
    }
    return [as_override("byRegexp", f"/{legends}/", properties)]


def _defaults(no_value: str, links: Sequence[Link], **more: object) -> dict[str, Any]:
    """The field's defaults that grafanalib's panels have no attribute for."""
    return {"fieldConfig": {"defaults": {"noValue": no_value, "links": as_links(links), **more}}}
