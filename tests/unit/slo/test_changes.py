"""What other objectives mean for what was counted so far is told, one sentence each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.objectives import DAY, availability, override, queue_time
from triton_watch.records import Goal, Objective, SloSli
from triton_watch.slo.changes import consequences

OLD = queue_time(0.05)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (OLD, []),
        (replace(OLD, description="x", no_data_after=1.0), []),
        (
            replace(OLD, models=("b",)),
            ["objective queue-time covers other models or targets now: what was counted for those left out is gone"],
        ),
        (queue_time(0.05, objective=0.999), []),
        (
            queue_time(0.03),
            ["objective queue-time has other thresholds now: what was counted so far stays as it was judged"],
        ),
        (
            replace(OLD, overrides=(override("x", Goal(0.9, high=0.2)),)),
            ["objective queue-time has other thresholds now: what was counted so far stays as it was judged"],
        ),
        (replace(OLD, period=7 * DAY), ["objective queue-time has a period of 7 days now and is counted anew"]),
        (
            replace(OLD, sli=SloSli.REQUEST_TIME),
            ["objective queue-time is about request_time now and is counted anew"],
        ),
    ],
)
def test_what_a_change_of_an_objective_does_to_its_events(new: Objective, said: list[str]) -> None:
    assert list(consequences([OLD], [new])) == said


def test_an_objective_that_got_another_name_is_gone_and_new() -> None:
    renamed = replace(OLD, name="waiting")
    assert list(consequences([OLD, availability()], [renamed, availability()])) == [
        "objective queue-time is gone, and what was counted for it with it",
        "objective waiting is new and counts from now on",
    ]
