"""The table of models keeps names and numbers whole at any width; what has no room is named."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from rich.console import Console

from support.frames import facts, frame
from support.misbehaving import target_at
from triton_watch.cli.render import rate, seconds, status
from triton_watch.records import Counter, ModelConfig, ModelKey, ModelState, ModelStatus, TargetSnapshot
from triton_watch.slo.sli import compute

NAMES = ("a_long_image_classifier_name", "ranker")


@pytest.fixture
def snapshot() -> TargetSnapshot:
    busy = {
        Counter.SUCCESS: 100.0, Counter.FAIL_BACKEND: 0.0, Counter.INFERENCES: 400.0, Counter.EXECUTIONS: 100.0,
        Counter.REQUEST_US: 3e7, Counter.QUEUE_US: 1.2345e6, Counter.COMPUTE_INFER_US: 2e7,
    }  # fmt: skip
    keys = [ModelKey(name, "1") for name in NAMES]
    before = frame(0.0, {key: dict.fromkeys(busy, 0.0) for key in keys})
    after = frame(10.0, dict.fromkeys(keys, busy))
    configs = {name: ModelConfig(name, max_batch_size=16, dynamic_batching=True) for name in NAMES}
    slis = compute(before, after, facts(after, *configs.values()))
    models = tuple(ModelState(key, ModelStatus.READY) for key in keys)
    return TargetSnapshot(
        target_at("http://h"), 2, 0.0, 0.0, MappingProxyType({}), True, True, None, models, configs, slis
    )


def printed(snapshot: TargetSnapshot, width: int) -> list[str]:
    console = Console(width=width, color_system=None, force_terminal=False, highlight=False)
    with console.capture() as capture:
        console.print(status(snapshot, width))
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.mark.parametrize("width", [72, 80, 100, 120, 200])
def test_names_and_numbers_are_whole_at_every_usual_width(snapshot: TargetSnapshot, width: int) -> None:
    lines = printed(snapshot, width)
    row = next(line for line in lines if line.startswith("a_long_image_classifier_name:1"))
    assert "READY" in row
    assert "300 ms" in row
    assert "…" not in "".join(lines)
    assert all(len(line) <= width for line in lines)


def test_what_has_no_room_is_named(snapshot: TargetSnapshot) -> None:
    assert any("No room for IN-FL." in line for line in printed(snapshot, 80))
    assert not any("No room" in line for line in printed(snapshot, 160))


def test_columns_in_which_nothing_has_a_value_are_not_shown(snapshot: TargetSnapshot) -> None:
    header = next(line for line in printed(snapshot, 160) if line.startswith("MODEL"))
    assert "GPU" not in header
    assert "CACHE" not in header


@pytest.mark.parametrize(
    ("value", "text"), [(0.0000005, "0 µs"), (0.000123, "123 µs"), (0.0123, "12.3 ms"), (1.5, "1.5 s"), (90, "90 s")]
)
def test_times_have_the_unit_that_suits_them(value: float, text: str) -> None:
    assert seconds(value) == text


def test_rates_are_short() -> None:
    assert [rate(value) for value in (0, 0.1234, 12.34, 1234.5)] == ["0", "0.123", "12.3", "1234"]
