"""Documents that `write` made: what OpenSLO cannot say is in their annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from triton_watch.config.errors import ParseError
from triton_watch.config.openslo.terms import ANNOTATION, KEPT, MOST_WORDS, annotation, seconds_of, unpacked, window
from triton_watch.config.units import format_duration, format_percentage, parse_duration

if TYPE_CHECKING:
    from triton_watch.config.openslo.node import Node

Json = dict[str, Any]


def is_own(document: Node) -> bool:
    """Whether the annotations say which SLI it is about."""
    return document.at("metadata", "annotations", f"{ANNOTATION}sli").value is not None


def own_settings(document: Node, entry: Node) -> Json:
    """Return the settings of an objective; what OpenSLO has a place for is taken from there."""
    kept = document.at("metadata", "annotations")
    settings = shared_settings(document, entry)
    settings["name"] = _annotated(kept, "name") or document.at("metadata", "name").text()
    for name in KEPT:
        text = kept.at(annotation(name)).value
        if text is not None:
            settings[name] = unpacked(name, kept.at(annotation(name)).text())
    description = document.at("spec", "description")
    if description.value is not None:
        settings["description"] = _whole(description.text(), _annotated(kept, "description"))
    exact = kept.at(f"{ANNOTATION}period")
    if exact.value is not None and window(_seconds(exact)) == window(parse_duration(settings["period"])):
        settings["period"] = exact.text()
    return settings


def _whole(text: str, annotated: str | None) -> str:
    """Return the annotated text when the document has its beginning, as `write` leaves it where it is too long."""
    return annotated if annotated is not None and annotated[:MOST_WORDS] == text else text


def _seconds(node: Node) -> float:
    try:
        return parse_duration(node.value)
    except ParseError as error:
        raise node.refused(str(error).rstrip(".")) from None


def shared_settings(document: Node, entry: Node) -> Json:
    """Return what every SLO document says in the same place: target, period and description."""
    spec = document.at("spec")
    method = spec.at("budgetingMethod")
    if method.text() != "Occurrences":
        raise method.refused(f"is {method.value}, and budgets here count events: Occurrences")
    settings = {"objective": format_percentage(_target(entry)), "period": _period(spec)}
    if spec.at("description").value is not None:
        settings["description"] = " ".join(spec.at("description").text().split())
    return settings


def _annotated(kept: Node, name: str) -> str | None:
    node = kept.at(ANNOTATION + name)
    return None if node.value is None else node.text()


def _target(entry: Node) -> float:
    target = entry.at("target")
    if target.value is None and entry.at("targetPercent").value is not None:
        target = entry.at("targetPercent")
        ratio = round(target.number() / 100, 12)
    else:
        ratio = target.number()
    if not 0 < ratio < 1:
        raise target.refused("is out of range: a target is above 0 and below 1 (100 percent)")
    return ratio


def _period(spec: Node) -> str:
    windows = spec.at("timeWindow").items()
    if len(windows) != 1:
        raise spec.at("timeWindow").refused("must have exactly one entry")
    if windows[0].at("calendar").value is not None or windows[0].at("isRolling").value is not True:
        raise windows[0].refused("is not rolling, and a period here always ends now: set isRolling to true")
    duration = windows[0].at("duration")
    seconds = seconds_of(duration.text())
    if seconds is None:
        raise duration.refused(f"is {duration.value}: give minutes, hours, days or weeks, such as 30d")
    return format_duration(seconds)
