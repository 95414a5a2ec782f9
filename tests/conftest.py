"""What holds for all tests, alone or beside others in one process.

Hypothesis measures no time, and finds the same examples on each run of CI; tables are as wide as without a terminal;
a test that sets the agent's log up leaves it as it was.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

os.environ.pop("COLUMNS", None)  # the workers of pytest-xdist have 80

settings.register_profile(
    "triton-watch",
    deadline=None,  # machines are noisy
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("triton-watch")


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    """The agent's own logger is one for the whole process."""
    log = logging.getLogger("triton_watch")
    before = log.propagate, log.level, list(log.handlers)
    yield
    log.propagate, log.level, log.handlers = before
