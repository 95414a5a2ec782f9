"""A configuration of Alertmanager for these alerts: who is told of what, and what is kept back meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from triton_watch.alerting.inhibition import PREFIX, inhibit_rules, of_severity, one_of
from triton_watch.conventions.alerts import TARGET_DOWN, WATCH_DOWN, WATCHDOG
from triton_watch.records import AlertSeverity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch.records import AlertSettings, Objective

_NOWHERE: Final = "http://127.0.0.1:9099/fill-in"
"""Stands for the address of whoever is told: nothing listens there."""


def alertmanager_config(settings: AlertSettings, objectives: Sequence[Objective] = ()) -> dict[str, Any]:
    """Return the configuration, valid for Alertmanager 0.22 and newer; whom to tell is to be filled in.

    Of `objectives` are known by name which burn follows from which other alert.
    """
    return {
        "route": _root(settings),
        "receivers": [_receiver("page"), _receiver("ticket"), {"name": "info"}, _heartbeat("watchdog")],
        "inhibit_rules": inhibit_rules(settings, objectives),
    }


def _root(settings: AlertSettings) -> dict[str, Any]:
    """What matches nothing goes to the ticket queue: an alert that nobody expected is not lost."""
    outer = [name for name, _ in settings.external_labels]
    return {
        "receiver": "ticket",
        "group_by": ["alertname", *outer],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "12h",
        "routes": [_watchdog(), {"matchers": [f'alertname=~"{PREFIX}"'], "routes": _by_severity(settings, outer)}],
    }


def _watchdog() -> dict[str, Any]:
    """Every agent's heartbeat by itself, once a minute; ticks and repeats that were equal would miss each other."""
    return {
        "matchers": [f'alertname="{WATCHDOG}"'],
        "receiver": "watchdog",
        "group_by": ["..."],
        "group_wait": "0s",
        "group_interval": "30s",
        "repeat_interval": "55s",
    }


def _by_severity(settings: AlertSettings, outer: list[str]) -> list[dict[str, Any]]:
    """A page is about a server, a ticket about a model wherever it is served; a rack that fails is one page."""
    page, ticket, info = (of_severity(settings, one) for one in AlertSeverity)
    prompt = {"group_wait": "30s", "group_interval": "1m", "repeat_interval": "4h"}
    return [
        {
            "matchers": [one_of("alertname", (TARGET_DOWN, WATCH_DOWN)), page],
            "receiver": "page",
            "group_by": ["alertname", *outer],
            **prompt,
        },
        {"matchers": [page], "receiver": "page", "group_by": ["target", *outer], **prompt},
        {
            "matchers": [ticket],
            "receiver": "ticket",
            "group_by": ["alertname", "model", *outer],
            "group_wait": "2m",
            "group_interval": "15m",
            "repeat_interval": "3d",
        },
        {"matchers": [info], "receiver": "info", "repeat_interval": "3d"},
    ]


def _receiver(name: str) -> dict[str, Any]:
    return {"name": name, "webhook_configs": [{"url": f"{_NOWHERE}/{name}"}]}


def _heartbeat(name: str) -> dict[str, Any]:
    """Only a heartbeat is sent, never its end: the service at the other side misses it."""
    return {"name": name, "webhook_configs": [{"url": f"{_NOWHERE}/{name}", "send_resolved": False}]}
