"""Small parts that several answers have: names, sentences, numbers, links, troubles, happenings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from triton_watch.alerting.links import about_labels, dashboard_url
from triton_watch.conventions.dashboards import FLEET, MODEL
from triton_watch.conventions.paths import model_page, target_page
from triton_watch.daemon.facts import common
from triton_watch.daemon.facts.common import Happening, Links
from triton_watch.wording.text import printable, whole

if TYPE_CHECKING:
    from triton_watch.daemon.state import AlertsView
    from triton_watch.records import Event, ModelKey
    from triton_watch.slo.troubles import Trouble


def sentence(text: str) -> str:
    """A sentence in which somebody else's text may stand, for one line."""
    return printable(whole(text))


def finite(value: float | None) -> float | None:
    """A number as JSON can say it; NaN and infinities are not known."""
    return float(value) if value is not None and math.isfinite(value) else None


def number(value: float) -> float:
    """A number of events or seconds, of which nothing is 0."""
    return finite(value) or 0.0


def is_named(name: str, asked: str | None) -> bool:
    """Whether a name is the one that is asked for, as it is or as it is told; None asks for any."""
    return asked is None or name == asked or whole(name) == asked


def model_links(view: AlertsView, target: str, key: ModelKey) -> Links:
    """The page of a model version, and its dashboard where dashboards are configured."""
    named = (whole(part) for part in (target, key.name, key.version, key.namespace))
    return Links(model_page(*named), _dashboard(view, MODEL.name, {"target": target, "model": key.name}))


def target_links(view: AlertsView, target: str) -> Links:
    """The page of a target, and the dashboard of the fleet where dashboards are configured."""
    return Links(target_page(whole(target)), _dashboard(view, FLEET.name, {"target": target}))


def trouble(one: Trouble) -> common.Trouble:
    """A trouble as told."""
    if one.model is None:
        return common.Trouble(one.level, sentence(one.sentence))
    return common.Trouble(one.level, sentence(one.sentence), whole(one.model.name), whole(one.model.version))


def happening(event: Event) -> Happening:
    """An event as told."""
    return Happening(
        at=event.at,
        last=event.last,
        count=event.count,
        kind=event.kind,
        level=event.level,
        target=whole(event.target),
        model=whole(event.model) or None,
        version=whole(event.version) or None,
        sentence=sentence(event.sentence),
    )


def _dashboard(view: AlertsView, board: str, labels: dict[str, str]) -> str | None:
    if not view.settings.dashboard_url:
        return None
    return dashboard_url(view.settings, view.external_url, board, about_labels(labels))
