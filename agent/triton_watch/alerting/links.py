"""Where an alert sends its reader: its runbook, and the board that shows what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from triton_watch.conventions import paths

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from triton_watch.records import AlertSettings

_ABOUT: Final = ("target", "model")
_ALL: Final = "$__all"
"""What Grafana's boards choose where an alert names none."""


def runbook_url(settings: AlertSettings, external_url: str, name: str) -> str:
    """The runbook of the alert `name`: a page of the agent, which is reached at `external_url`, or what is set."""
    if settings.runbook_url:
        return settings.runbook_url.replace("{alert}", name)
    return f"{external_url.rstrip('/')}/runbooks/{name}"


def dashboard_url(settings: AlertSettings, external_url: str, dashboard: str, about: Mapping[str, str]) -> str:
    """The board `dashboard` (`AlertDefinition.dashboard`): what is set, or the agent's own status page.

    `about` is what {target} and {model} stand for: `about_labels` or `about_in_rules`.
    """
    if not settings.dashboard_url:
        return f"{external_url.rstrip('/')}/"
    url = settings.dashboard_url.replace("{dashboard}", dashboard)
    for name, value in about.items():
        url = url.replace(f"{{{name}}}", value)
    return url


def shown_at(settings: AlertSettings, external_url: str, dashboard: str, labels: Mapping[str, str]) -> str:
    """Where an alert with these labels is shown: the board as set, or the agent's page of what it is about."""
    if settings.dashboard_url:
        return dashboard_url(settings, external_url, dashboard, about_labels(labels))
    return external_url.rstrip("/") + _page(labels)


def _page(labels: Mapping[str, str]) -> str:
    target, model = labels.get("target"), labels.get("model")
    if not target:
        return paths.OVERVIEW
    return paths.model_page(target, model, labels.get("version", "")) if model else paths.target_page(target)


def about_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """The target and the model of an alert with these labels, as they stand in a URL."""
    return {name: quote(labels.get(name) or _ALL, safe="", errors="replace") for name in _ABOUT}


def about_in_rules(labels: Collection[str]) -> dict[str, str]:
    """The same in the template of a rule whose alerts have these labels, for Prometheus to fill in."""
    filled = "{{{{ with $labels.{0} }}}}{{{{ . | urlquery }}}}{{{{ else }}}}{1}{{{{ end }}}}"
    return {name: filled.format(name, _ALL) if name in labels else _ALL for name in _ABOUT}
