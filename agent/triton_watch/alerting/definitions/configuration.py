"""What a check of the live server finds: TritonConfigErrors and TritonConfigDrift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.alerting.definition import AlertDefinition, Facts
from triton_watch.alerting.definitions.cases import counted, labels, sentence
from triton_watch.records import AlertCase, AlertSeverity, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from triton_watch.alerting.definition import Condition
    from triton_watch.records import Finding

DRIFT_RULES: Final = ("TW830", "TW831", "TW832", "TW833", "TW835")
"""Rules of the check that say that what is served is not what is on disk. TW834 is advice on how to keep it so."""
_DRIFT: Final = "|".join(DRIFT_RULES)
_OTHERS: Final = (*DRIFT_RULES, "TW802")
"""What other alerts tell: drift, and that the server is not ready."""
_NOT_ERRORS: Final = "|".join(_OTHERS)
_SHOWN: Final = 2
"""Findings of a model that are quoted."""


def _of_findings(counts: Callable[[Finding], bool]) -> Condition:
    def condition(facts: Facts, _threshold: float) -> Iterable[AlertCase] | None:
        return None if facts.findings is None else _by_model(filter(counts, facts.findings))

    return condition


def _by_model(findings: Iterable[Finding]) -> Iterator[AlertCase]:
    """A case for each model, and one without a model for what concerns the server."""
    by_model: dict[str, list[Finding]] = {}
    for finding in findings:
        by_model.setdefault(finding.model or "", []).append(finding)
    for model, found in sorted(by_model.items()):
        quoted = "; ".join(f"{one.rule} {' '.join(one.message.split()).rstrip('.')}" for one in found[:_SHOWN])
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        detail = sentence(f"{counted(len(found), 'finding')}: {quoted}{more}")
        yield AlertCase(labels(model=model), holds=True, detail=detail, value=float(len(found)))


def _is_error(finding: Finding) -> bool:
    return (finding.severity is Severity.ERROR or finding.red_line) and finding.rule not in _OTHERS


def _is_drift(finding: Finding) -> bool:
    return finding.rule in DRIFT_RULES


CONFIG_ERRORS = AlertDefinition(
    name="TritonConfigErrors",
    severity=AlertSeverity.TICKET,
    summary="Configuration errors on {{ $labels.target }} {{ $labels.model }}",
    description="A check of the live server counts {{ $value }} errors or crossed red lines for "
    "{{ with $labels.model }}model {{ . }} on {{ end }}{{ $labels.target }}.",
    advice="Run `triton-watch check` on the server's URL: each finding says what to write instead.",
    expr=f"""sum without (rule, severity, red_line) (
  triton_watch_config_findings{{severity="error", rule!~"{_NOT_ERRORS}"}}
  or triton_watch_config_findings{{red_line="true", rule!~"{_NOT_ERRORS}"}}
)""",
    condition=_of_findings(_is_error),
    dashboard="config",
    labels=("model",),
)

CONFIG_DRIFT = AlertDefinition(
    name="TritonConfigDrift",
    severity=AlertSeverity.TICKET,
    summary="What is served differs from what is on disk on {{ $labels.target }} {{ $labels.model }}",
    description="{{ $labels.target }} serves{{ with $labels.model }} {{ . }} with{{ end }} another model, version or "
    "configuration than its repository has: the next restart changes it.",
    advice="Load the model again, or put back on disk what is served; `triton-watch check` names each difference.",
    expr=f'sum without (rule, severity, red_line) (triton_watch_config_findings{{rule=~"{_DRIFT}"}})',
    condition=_of_findings(_is_drift),
    dashboard="config",
    labels=("model",),
)
