"""Whether the alerts that an override names can have what it gives them: a threshold, and models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.config.units import format_percentage
from triton_watch.conventions.alerts import ALERT_NAMES, MODEL_ALERTS, OTHER_THRESHOLD_ALERTS, RATIO_ALERTS
from triton_watch.records.objective import matches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triton_watch.config.alert_sections import AlertOverrideSection

_ANY: Final = ["*"]
_WHOLE: Final = 100


def unfit(section: AlertOverrideSection) -> Iterator[tuple[str, str]]:
    """Yield a setting and what is wrong with it, for each that would do nothing, or switch an alert off unseen."""
    names = [name for name in ALERT_NAMES if matches(tuple(section.alerts), name)]
    if not names:
        return
    if section.models not in (None, _ANY) and not any(name in MODEL_ALERTS for name in names):
        yield "models", "is only for alerts about a model, and alerts names none: delete it."
    if section.threshold is not None:
        text = _of_threshold(names, section.threshold)
        if text:
            yield "threshold", text


def _of_threshold(names: Sequence[str], threshold: float) -> str:
    ratios = [name for name in names if name in RATIO_ALERTS]
    others = [name for name in names if name in OTHER_THRESHOLD_ALERTS]
    if not ratios and not others:
        return "is only for alerts that have a threshold, and alerts names none: delete it."
    if not ratios or threshold <= 1:
        return ""
    if others:
        return f"{threshold:.12g} is above 1, where the ratio of {ratios[0]} ends: write an override for each of them."
    if threshold > _WHOLE:
        return f"{threshold:.12g} is above 1, where a ratio ends: write a number from 0 to 1, or a percentage."
    ratio = threshold / _WHOLE
    return f"{threshold:.12g} is above 1: write {format_percentage(ratio)} or {ratio:.12g}."
