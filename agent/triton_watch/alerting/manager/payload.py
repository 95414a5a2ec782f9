"""An alert as Alertmanager takes it: its labels, its texts, its times.

The labels alone are its identity there. Facts about the API were seen on Alertmanager 0.25.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from triton_watch.alerting.effective import added_labels
from triton_watch.alerting.links import runbook_url, shown_at
from triton_watch.records import AlertPhase, Labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from triton_watch.alerting.definition import AlertDefinition
    from triton_watch.records import AlertSettings, AlertState

AHEAD: Final = 4.0
"""Resend intervals after which a firing alert of which nothing more is heard ends."""
_LABEL_LENGTH: Final = 1024
"""Characters; Mimir's own limit is 2048 bytes."""
_TEXT_LENGTH: Final = 4000
_URI = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+", re.ASCII)
"""Anything else as generatorURL is a 422, and the whole batch is refused."""


@dataclass(frozen=True, slots=True)
class Payload:
    """One alert. Times are Unix seconds; `resolved_at` None = it fires. `generator_url` may be empty."""

    labels: Labels
    annotations: Labels
    starts_at: float
    resolved_at: float | None = None
    generator_url: str = ""

    @property
    def times(self) -> tuple[float, float | None]:
        """What differs as soon as it fires anew or resolves."""
        return self.starts_at, self.resolved_at

    def name(self) -> str:
        """The alert as a sentence names it: `TritonNotReady{target="gpu-7"}`."""
        labels = dict(self.labels)
        name = labels.pop("alertname", "")
        return f"{name}{{{', '.join(f'{label}={json.dumps(value)}' for label, value in labels.items())}}}"

    def wire(self, now: float, resend_interval: float) -> dict[str, Any]:
        """The JSON value to send now. It never ends before it starts, which would be a 400."""
        ends = now + AHEAD * resend_interval if self.resolved_at is None else self.resolved_at
        alert: dict[str, Any] = {
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "startsAt": rfc3339(self.starts_at),
            "endsAt": rfc3339(max(ends, self.starts_at)),
        }
        if self.generator_url:
            alert["generatorURL"] = self.generator_url
        return alert


def payload_of(
    state: AlertState, definition: AlertDefinition | None, settings: AlertSettings, external_url: str
) -> Payload:
    """The payload of a firing or resolved alert; `definition` None where none has its name any more."""
    resolved = state.phase is AlertPhase.RESOLVED
    return Payload(
        labels=_labels(state, definition, settings),
        annotations=_annotations(state, definition, settings, external_url),
        starts_at=state.active_at if state.fired_at is None else state.fired_at,
        resolved_at=(state.resolved_at or state.fired_at or state.active_at) if resolved else None,
        generator_url=generator_url(external_url, state.key.alert, dict(state.key.labels).get("target", "")),
    )


def merged(payloads: Iterable[Payload]) -> dict[Labels, Payload]:
    """The payloads by identity. Of two with the same labels a firing one wins, then the one that began first.

    That happens where the severities `page` and `ticket` are renamed to the same word.
    """
    found: dict[Labels, Payload] = {}
    for payload in payloads:
        other = found.get(payload.labels)
        if other is None or _weight(payload) < _weight(other):
            found[payload.labels] = payload
    return found


def generator_url(external_url: str, alert: str, target: str) -> str:
    """The status page about one alert; empty where `external_url` gives no URL that Alertmanager takes."""
    query = urlencode({"alert": alert, "target": target}, quote_via=quote, errors="replace")
    url = f"{external_url.rstrip('/')}/?{query}"
    return url if _URI.fullmatch(url) else ""


def label_pairs(labels: Mapping[str, str]) -> Labels:
    """Labels fit to be sent: sorted, without empty ones, not too long."""
    pairs = ((name, _fit(value, _LABEL_LENGTH)) for name, value in labels.items())
    return tuple(sorted((name, value) for name, value in pairs if value))


def text_pairs(texts: Mapping[str, str]) -> Labels:
    """Annotations fit to be sent."""
    pairs = ((name, _fit(text, _TEXT_LENGTH)) for name, text in texts.items())
    return tuple(sorted((name, text) for name, text in pairs if text))


def rfc3339(at: float) -> str:
    """Unix seconds in UTC, to the millisecond, as Alertmanager itself writes them."""
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _labels(state: AlertState, definition: AlertDefinition | None, settings: AlertSettings) -> Labels:
    key = state.key
    own = {"alertname": key.alert, "severity": settings.severity_label(key.severity)}
    of = dict(key.labels)
    target, model = of.get("target", ""), of.get("model", "")
    added = () if definition is None else added_labels(definition, settings, target, model)
    # From the weakest to the strongest: an alert's own labels are never replaced.
    return label_pairs({**dict(settings.external_labels), **dict(added), **of, **own})


def _annotations(
    state: AlertState, definition: AlertDefinition | None, settings: AlertSettings, external_url: str
) -> Labels:
    name = state.key.alert
    advice = "" if definition is None else definition.advice
    board = "" if definition is None else definition.dashboard
    has_value = state.value is not None and math.isfinite(state.value)
    return text_pairs(
        {
            "summary": state.summary or name,
            "description": " ".join(part for part in (state.detail, advice) if part),
            "runbook_url": runbook_url(settings, external_url, name),
            "dashboard_url": shown_at(settings, external_url, board, dict(state.key.labels)),
            "value": f"{state.value:.6g}" if has_value else "",
        }
    )


def _weight(payload: Payload) -> tuple[bool, float]:
    resolved = payload.resolved_at
    return (False, payload.starts_at) if resolved is None else (True, -resolved)


def _fit(text: str, length: int) -> str:
    """The text without lone surrogates, cut where it is too long."""
    text = text.encode(errors="replace").decode()
    return text if len(text) <= length else f"{text[: length - 1]}…"
