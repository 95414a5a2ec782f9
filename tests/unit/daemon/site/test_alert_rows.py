"""An alert of which each window is one of its own is one row, so that one slow burn is not read as four troubles."""

from __future__ import annotations

import re
from dataclasses import replace

from synthetic_state import SyntheticState, alerts_of
from triton_watch.records import AlertKey, AlertPhase, AlertSeverity, AlertState
from unit.daemon.site.pages import NOW, app_of, ask

ABOUT = (("model", "ranker"), ("slo", "availability"), ("target", "gpu-7"), ("version", "1"))


def burn(window: str, severity: AlertSeverity, slo: str = "availability") -> AlertState:
    labels = tuple(sorted({**dict(ABOUT), "slo": slo, "window": window}.items()))
    key = AlertKey("TritonErrorBudgetBurn", severity, labels)
    return AlertState(key, AlertPhase.PENDING, active_at=NOW - 60, summary=f"burns over {window}")


def page(*states: AlertState) -> str:
    view = replace(alerts_of(NOW), states=states)
    return ask(app_of(SyntheticState({}, alert_view=view)), "/alerts").text


def test_alerts_that_differ_in_their_window_share_a_row_that_names_the_windows() -> None:
    text = page(burn("1h", AlertSeverity.PAGE), burn("6h", AlertSeverity.PAGE), burn("3d", AlertSeverity.TICKET))
    assert text.count("<b>TritonErrorBudgetBurn</b>") == 1
    assert "window=1h, 6h, 3d (ticket)" in text
    assert "burns over 1h" in text


def test_the_heading_counts_rows_and_alerts_where_they_differ() -> None:
    text = page(burn("1h", AlertSeverity.PAGE), burn("6h", AlertSeverity.PAGE), burn("1h", AlertSeverity.PAGE, "x"))
    assert 'Pending <span class="soft">2 · 3 with each window</span>' in text
    assert 'Pending <span class="soft">1</span>' in page(burn("1h", AlertSeverity.PAGE))


def test_a_row_says_for_how_long_its_alert_is_pending() -> None:
    assert re.search(r"pending for <time data-lasting [^>]*>1 min</time>", page(burn("1h", AlertSeverity.PAGE)))


def test_alerts_of_other_objectives_have_rows_of_their_own() -> None:
    text = page(burn("1h", AlertSeverity.PAGE), burn("1h", AlertSeverity.PAGE, slo="queue-time"))
    assert text.count("<b>TritonErrorBudgetBurn</b>") == 2
