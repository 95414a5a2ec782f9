from __future__ import annotations

import pytest

from triton_watch.records import BurnWindow, Goal, Objective, Override, Page, SloSli
from triton_watch.store.blobs import pack_text
from triton_watch.store.objectives import pack_objectives, unpack_objectives

PLAIN = Objective("availability", SloSli.AVAILABILITY, Goal(0.999), 30 * 86_400.0, ())
EVERYTHING = Objective(
    name="fill \ud800",
    sli=SloSli.BATCH_EFFICIENCY,
    goal=Goal(0.9, low=0.5, high=1.0, quantile="0.99", min_events=7),
    period=7 * 86_400.0,
    windows=(BurnWindow(Page.PAGE, 14.4, 3600.0, 300.0, 120.0), BurnWindow(Page.TICKET, 1.0, 259_200.0, 21_600.0, 0)),
    models=("text_*", "[ab]"),
    exclude_models=("text_old",),
    targets=("gpu-?",),
    overrides=(Override(("text_big", "x"), Goal(0.5, high=2.0)), Override(("*",), Goal(0.4))),
    description="dynamic\nbatching",
)


@pytest.mark.parametrize("objectives", [(), (PLAIN,), (EVERYTHING, PLAIN)])
def test_objectives_come_back_as_they_were(objectives: tuple[Objective, ...]) -> None:
    read = unpack_objectives(pack_objectives(objectives))
    assert read == objectives
    assert [type(one.sli) for one in read] == [SloSli] * len(objectives)
    assert all(isinstance(window.severity, Page) for one in read for window in one.windows)


@pytest.mark.parametrize(
    "document",
    [[], {}, {"form": 2, "objectives": []}, {"form": 1, "objectives": [{}]}, {"form": 1, "objectives": [[]]}],
)
def test_another_form_is_refused(document: object) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        unpack_objectives(pack_text(document))
