"""The series of alerts: one builder for each metric of `conventions.alert_metrics`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from triton_watch.conventions import alert_metrics as a
from triton_watch.daemon.labels import LabelSet
from triton_watch.daemon.state import AlertsView
from triton_watch.records import AlertPhase, AlertSeverity, PeerStatus

if TYPE_CHECKING:
    from triton_watch.conventions import Metric

Series: TypeAlias = tuple[LabelSet, float]
Builder: TypeAlias = Callable[[AlertsView], Iterable[Series]]

_ACTIVE = (AlertPhase.PENDING, AlertPhase.FIRING)


def _heartbeat(view: AlertsView) -> Iterator[Series]:
    if view.evaluated_at is not None:
        yield LabelSet(), view.evaluated_at


def _state(view: AlertsView) -> Iterator[Series]:
    for one in view.states:
        if one.phase in _ACTIVE:
            severity, labels = view.settings.severity_label(one.key.severity), dict(one.key.labels)
            yield LabelSet(alertname=one.key.alert, severity=severity, alert_state=one.phase.value, **labels), 1.0


def _active(view: AlertsView) -> Iterator[Series]:
    said = view.settings.severity_label
    counts = Counter((said(one.key.severity), one.phase) for one in view.states)
    for severity in dict.fromkeys(map(said, AlertSeverity)):  # two may have been given one name
        for phase in _ACTIVE:
            yield LabelSet(severity=severity, alert_state=phase.value), float(counts[severity, phase])


def _of_peers(read: Callable[[PeerStatus], float | None]) -> Builder:
    def build(view: AlertsView) -> Iterator[Series]:
        for peer in view.peers:
            value = read(peer)
            if value is not None:
                yield LabelSet(alertmanager=peer.url), float(value)

    return build


def _alerts(view: AlertsView) -> Iterator[Series]:
    for peer in view.peers:
        for name, count in (("sent", peer.sent), ("refused", peer.refused), ("dropped", peer.dropped)):
            yield LabelSet(alertmanager=peer.url, notified=name), float(count)


def _findings(view: AlertsView) -> Iterator[Series]:
    for target, findings in sorted(view.findings.items()):
        counts = Counter((one.model or "", one.rule, one.severity, one.red_line) for one in findings)
        for (model, rule, severity, red_line), count in sorted(counts.items()):
            crossed = str(red_line).lower()
            labels = LabelSet(target=target, model=model, rule=rule, severity=severity.value, red_line=crossed)
            yield labels, float(count)


ALERT_BUILDERS: Mapping[Metric, Builder] = {
    a.HEARTBEAT: _heartbeat,
    a.ALERT_STATE: _state,
    a.ALERTS_ACTIVE: _active,
    a.ALERTS_REFUSED: lambda view: [(LabelSet(), float(view.refused))],
    a.ALERTMANAGER_UP: _of_peers(lambda peer: peer.up),
    a.ALERTMANAGER_ALERTS: _alerts,
    a.ALERTMANAGER_FAILURES: _of_peers(lambda peer: peer.failed),
    a.ALERTMANAGER_WAITING: _of_peers(lambda peer: peer.waiting),
    a.ALERTMANAGER_LAST_SUCCESS: _of_peers(lambda peer: peer.last_success),
    a.CONFIG_FINDINGS: _findings,
}
"""Every metric about alerts. What is not known is not yielded."""
