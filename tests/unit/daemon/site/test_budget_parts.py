"""Budgets in words, as pages say them."""

from __future__ import annotations

import pytest

from synthetic_state import SyntheticState
from triton_watch.daemon.facts.budget import Budget
from triton_watch.daemon.site.budget_parts import budget_view
from triton_watch.daemon.site.links import Linker
from triton_watch.daemon.site.visit import Visit
from triton_watch.records import Page, SloSli, Verdict

DAY = 86_400.0


def exhausted(fires: Page | None) -> Budget:
    return Budget(
        slo="availability",
        sli=SloSli.AVAILABILITY,
        target="t",
        model="m",
        version="1",
        namespace="",
        objective=0.99,
        goal="99%",
        period_seconds=30 * DAY,
        good=900.0,
        bad=100.0,
        remaining=-9.0,
        exhaustion_seconds=0.0,
        verdict=Verdict.EXHAUSTED,
        fires=fires,
        covered_seconds=DAY,
        silence_seconds=5.0,
        windows=(),
    )


@pytest.mark.parametrize(
    ("fires", "verdict", "end"),
    [
        (Page.PAGE, "exhausted, page", "where 10 may; it still burns."),
        (None, "exhausted", "where 10 may; no window burns now, it comes back as bad events grow old."),
    ],
)
def test_a_spent_budget_that_still_burns_is_not_said_to_come_back(fires: Page | None, verdict: str, end: str) -> None:
    view = budget_view(Visit(SyntheticState({}), 0.0, ("slo",), "", Linker("./")), exhausted(fires))
    assert view.verdict == verdict
    assert view.story.endswith(end)
