"""The made-up metrics pages of the bench are like those of a healthy busy server."""

from __future__ import annotations

import re
import sys
from itertools import pairwise
from pathlib import Path
from typing import Final

sys.path.append(str(Path(__file__).parents[2] / "bench"))
from pages import render

_SERIES: Final = re.compile(r'^(\w+)\{model="(\w+)",version="1"\} (\d+)$', re.MULTILINE)
SUCCESS, PENDING = "nv_inference_request_success", "nv_inference_pending_request_count"


def read(tick: int) -> dict[str, dict[str, int]]:
    """The values of a page without labels of their own, by family and model."""
    found: dict[str, dict[str, int]] = {}
    for family, model, value in _SERIES.findall(render(200, summaries=False, tick=tick).decode()):
        found.setdefault(family, {})[model] = int(value)
    return found


PAGES: Final = [read(tick) for tick in range(15)]


def test_requests_wait_only_for_models_that_answer_some_between_two_pages() -> None:
    for before, page in pairwise(PAGES):
        waiting = [model for model, count in page[PENDING].items() if count]
        assert waiting
        assert all(page[SUCCESS][model] > before[SUCCESS][model] for model in waiting)


def test_some_models_are_idle_and_none_has_a_queue_that_grows() -> None:
    first, last = PAGES[0], PAGES[-1]
    idle = [model for model, count in last[SUCCESS].items() if count == first[SUCCESS][model]]
    assert 20 < len(idle) < 100
    depths = [[page[PENDING][model] for page in PAGES] for model in first[PENDING]]
    assert max(map(max, depths)) < 16
    assert all(min(depth) == 0 for depth in depths)
