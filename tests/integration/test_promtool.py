"""promtool, Prometheus's own judge, accepts the pages that the agent serves."""

import subprocess
from pathlib import Path

import pytest

from synthetic_state import HOSTILE, SyntheticState, budgets_of, names, state_of
from triton_watch.daemon.exporter import Exporter
from triton_watch.records import ModelKey

STATES = {
    "nothing known": SyntheticState({}),
    "plain models": state_of(names(20)),
    "hostile names": state_of([ModelKey(name, version) for name in HOSTILE for version in ("1", '"\\\n')]),
    "budgets of hostile names": SyntheticState({}, budget_view=budgets_of([ModelKey(n, "1", n) for n in HOSTILE])),
    "many models": state_of(names(2000)),
}


def check_metrics(promtool: Path, page: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, check=False, timeout=60)


@pytest.mark.parametrize("state", STATES.values(), ids=STATES.keys())
def test_promtool_accepts_the_page(promtool: Path, state: SyntheticState) -> None:
    """`promtool check metrics` finds neither an error nor anything to lint on the classic page."""
    result = check_metrics(promtool, Exporter(state).page().body)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_promtool_refuses_a_broken_page(promtool: Path) -> None:
    """The check can fail: a page that is cut inside a label is refused."""
    page = Exporter(state_of(names(1))).page().body
    assert check_metrics(promtool, page[: page.rindex(b'"')]).returncode != 0
