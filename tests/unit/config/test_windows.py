"""Burn windows: the table as it stands for 30 days, and what a period makes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.config.windows import burn_windows
from triton_watch.records import BurnWindow, Page

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
BOTH = (Page.PAGE, Page.TICKET)
OF_30_DAYS = (
    BurnWindow(Page.PAGE, 14.4, HOUR, 5 * MINUTE, 2 * MINUTE),
    BurnWindow(Page.PAGE, 6.0, 6 * HOUR, 30 * MINUTE, 15 * MINUTE),
    BurnWindow(Page.TICKET, 3.0, DAY, 2 * HOUR, HOUR),
    BurnWindow(Page.TICKET, 1.0, 3 * DAY, 6 * HOUR, 3 * HOUR),
)


def lengths(period: float) -> list[tuple[float, float]]:
    return [(window.long, window.short) for window in burn_windows(period, BOTH)]


def test_thirty_days_have_the_table_of_the_workbook() -> None:
    """Not a rounded image of it: the very numbers."""
    assert burn_windows(30 * DAY, BOTH) == OF_30_DAYS


@pytest.mark.parametrize(("severity", "rows"), [(Page.PAGE, OF_30_DAYS[:2]), (Page.TICKET, OF_30_DAYS[2:])])
def test_only_the_severities_asked_for_are_there(severity: Page, rows: tuple[BurnWindow, ...]) -> None:
    """An objective for tickets alone has no paging window."""
    assert burn_windows(30 * DAY, (severity,)) == rows
    assert burn_windows(30 * DAY, ()) == ()


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (60 * DAY, [(2 * HOUR, 600), (12 * HOUR, HOUR), (2 * DAY, 4 * HOUR), (6 * DAY, 12 * HOUR)]),
        (7 * DAY, [(840, 70), (5040, 420), (20_160, 1680), (60_480, 5040)]),
        (1 * DAY, [(120, 60), (720, 60), (2880, 240), (8640, 720)]),
        (1 * HOUR, [(120, 60), (120, 60), (120, 60), (360, 60)]),
    ],
)
def test_windows_scale_with_the_period(period: float, expected: list[tuple[float, float]]) -> None:
    """In whole 10 s, none under a minute; where both would be a minute, the long one is two."""
    assert lengths(period) == expected


@given(st.floats(HOUR, 366 * DAY))
def test_whatever_the_period_windows_can_be_watched(period: float) -> None:
    """Whole 10 s, at least a minute, the long one longer; factor and hold are the table's."""
    for window, usual in zip(burn_windows(period, BOTH), OF_30_DAYS, strict=True):
        assert window.long % 10 == window.short % 10 == 0
        assert 60 <= window.short < window.long < period
        assert (window.severity, window.factor, window.hold) == (usual.severity, usual.factor, usual.hold)
        if window.long > 120:
            assert abs(window.long - usual.long * period / (30 * DAY)) <= 5.001
