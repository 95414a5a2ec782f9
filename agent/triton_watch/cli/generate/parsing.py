"""Words of the command line, checked: labels, severities, durations, addresses. What is wrong is a usage error."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch.records import AlertSeverity, Labels

_TEMPLATE: Final = "{{"
_SHORTEST_INTERVAL, _LONGEST_INTERVAL = 1.0, 240.0
"""Prometheus forgets a value after 5 minutes: the next one has to be there before."""
_SHORTEST_PERIOD, _LONGEST_PERIOD, _HOUR = 86_400.0, 366 * 86_400.0, 3_600.0
_OF_SERIES: Final = ("le", "quantile", "result", "state", "outcome", "instance")
"""Labels by which series of one metric differ, beside those that alerts have."""
_OF_SCRAPES: Final = ("job", "instance")
_KUBERNETES_NAME: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_OBJECT_LABEL: Final = r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?"
_OBJECT_VALUE: Final = r"([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?"


def selectors(texts: Sequence[str]) -> Labels:
    """Labels that all series must have, beside their job."""
    from triton_watch.conventions.alerts import RESERVED_LABELS

    for text in texts:
        name, _, value = text.partition("=")
        if name.endswith("!") or value.startswith("~"):
            raise click.UsageError(f"--selector: {text} is no LABEL=VALUE: only = can be said, and no pattern.")
    found = _labels(texts, "--selector")
    for name, _ in found:
        if name == "job":
            raise click.UsageError("--selector: a job has flags of its own: --job and --triton-job.")
        if name in (*RESERVED_LABELS, *_OF_SERIES):
            raise click.UsageError(f"--selector: {name} tells single series apart: choose a label that all have.")
    return found


def added_labels(texts: Sequence[str]) -> Labels:
    """Labels that are added to alerts, none of them one that an alert has itself."""
    from triton_watch.conventions.alerts import RESERVED_LABELS

    found = _labels(texts, "--label")
    for name, value in found:
        if name in (*RESERVED_LABELS, *_OF_SCRAPES):
            raise click.UsageError(f"--label: {name} is a label that alerts have themselves: choose another name.")
        if _TEMPLATE in value:
            raise click.UsageError(f"--label: {name} holds {_TEMPLATE}, with which a template begins: write the value.")
    return found


def object_labels(texts: Sequence[str]) -> Labels:
    """Labels of an object of Kubernetes."""
    found = _pairs(texts, "--rule-label")
    for name, value in found:
        if not (re.fullmatch(_OBJECT_LABEL, name, re.ASCII) and re.fullmatch(_OBJECT_VALUE, value, re.ASCII)):
            raise click.UsageError(
                f"--rule-label: {name}={value} is no label that Kubernetes takes: "
                "use letters, digits, -, _ and ., at most 63."
            )
    return found


def namespace(text: str | None) -> str:
    """A namespace's name; "" = none was given."""
    if text is None:
        return ""
    if not re.fullmatch(_KUBERNETES_NAME, text, re.ASCII):
        raise click.UsageError(
            f'--namespace: "{text}" is no name of a namespace: use lower-case letters, digits and -.'
        )
    return text


def renamed(texts: Sequence[str]) -> dict[AlertSeverity, str]:
    """What severities are called: `page=critical`."""
    from triton_watch.records import AlertSeverity

    known = {one.value: one for one in AlertSeverity}
    found = dict[AlertSeverity, str]()
    for name, new in _pairs(texts, "--severity"):
        if name not in known:
            raise click.UsageError(f"--severity: there is no {name}: they are {', '.join(known)}.")
        if _TEMPLATE in new:
            raise click.UsageError(
                f"--severity: {name} holds {_TEMPLATE}, with which a template begins: write the name."
            )
        found[known[name]] = new
    names = [found.get(one, one.value) for one in AlertSeverity]
    if len(set(names)) < len(names):
        raise click.UsageError("--severity: two of them would have one name: choose another.")
    return found


def interval(text: str | None, default: float) -> float:
    """How often rules are recorded, seconds."""
    return default if text is None else _duration(text, "--interval", _SHORTEST_INTERVAL, _LONGEST_INTERVAL, "1s to 4m")


def period(text: str | None) -> float | None:
    """The period of all objectives, seconds; None = as they are."""
    if text is None:
        return None
    seconds = _duration(text, "--period", _SHORTEST_PERIOD, _LONGEST_PERIOD, "1d to 366d")
    if seconds % _HOUR:
        raise click.UsageError(f"--period: {text} is no whole number of hours: give such as 7d.")
    return seconds


def public(url: str | None, flag: str) -> str:
    """Where people reach the agent, or Grafana; "" = not said."""
    from triton_watch.config import ParseError
    from triton_watch.config.addresses import public_url

    try:
        return "" if url is None else public_url(url)
    except ParseError as error:
        raise click.UsageError(f"{flag}: {error}") from None


def job(text: str, flag: str) -> str:
    """The name of a scrape job."""
    if not text.isprintable():
        raise click.UsageError(f"{flag}: holds characters that cannot be printed: give the name of the job.")
    if not text.strip():
        raise click.UsageError(f"{flag}: is empty: give the name of the job in Prometheus's configuration.")
    return text


def _duration(text: str, flag: str, least: float, most: float, allowed: str) -> float:
    from triton_watch.config import ParseError, parse_duration

    try:
        seconds = parse_duration(text)
    except ParseError as error:
        raise click.UsageError(f"{flag}: {error}") from None
    if not least <= seconds <= most:
        raise click.UsageError(f"{flag}: {text} is out of range: give {allowed}.")
    return seconds


def _labels(texts: Sequence[str], flag: str) -> Labels:
    from triton_watch.config.alert_fields import LABEL_NAME

    found = _pairs(texts, flag)
    for name, _ in found:
        if not re.fullmatch(LABEL_NAME, name, re.ASCII):
            raise click.UsageError(f"{flag}: {name} is not the name of a label: use letters, digits and _.")
    return found


def _pairs(texts: Sequence[str], flag: str) -> Labels:
    pairs = dict[str, str]()
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and name.strip() and value):
            raise click.UsageError(f"{flag}: {text} has no value: write NAME=VALUE.")
        if name.strip() in pairs:
            raise click.UsageError(f"{flag}: {name.strip()} is there twice: give it once.")
        pairs[name.strip()] = value
    return tuple(sorted(pairs.items()))
