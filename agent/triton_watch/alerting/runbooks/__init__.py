"""What to do about each alert: a page each, for an engineer who was woken by it."""

from __future__ import annotations

from importlib import resources

from triton_watch.conventions.alerts import ALERT_NAMES


def runbook(name: str) -> str:
    """Return the runbook of an alert, in Markdown. Raises `KeyError` for an alert that there is not."""
    if name not in ALERT_NAMES:
        raise KeyError(name)
    return resources.files(__name__).joinpath(f"{name}.md").read_text("utf-8")
