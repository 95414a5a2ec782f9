"""The table of models keeps names and numbers whole at any width; what has no room is named."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from rich.console import Console

from support.frames import facts, frame
from support.misbehaving import target_at
from triton_watch.cli.render import rate, status
from triton_watch.records import CanaryReason, Counter, ModelConfig, ModelKey, ModelState, ModelStatus, TargetSnapshot
from triton_watch.slo.sli import compute
from triton_watch.wording.words import seconds
from unit.canary_samples import state, states

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


def test_without_canaries_there_is_no_column_of_them(snapshot: TargetSnapshot) -> None:
    for none in (None, {}, states(state(key=ModelKey(NAMES[0], "1")))):
        assert not any("CANARY" in line for line in printed(replace(snapshot, canaries=none), 160))


def test_columns_in_which_nothing_has_a_value_are_not_shown(snapshot: TargetSnapshot) -> None:
    header = next(line for line in printed(snapshot, 160) if line.startswith("MODEL"))
    assert "GPU" not in header
    assert "CACHE" not in header


R = CanaryReason


@pytest.mark.parametrize(
    ("outcomes", "cell"),
    [
        ((R.OK, R.OK), "ok"),
        ((R.NOT_FINITE, R.NOT_FINITE), "not_finite"),
        ((R.OK, R.NOT_FINITE), "not_finite"),
        ((R.NOT_FINITE, R.OK), "not_finite"),
        ((), "–"),  # noqa: RUF001 - what stands where there is nothing
    ],
)
def test_the_canary_of_a_model_stands_beside_its_state(
    snapshot: TargetSnapshot, outcomes: tuple[CanaryReason, ...], cell: str
) -> None:
    """A failure that may be chance is shown, too; a model that was not asked has a dash beside those that were."""
    keys = [ModelKey(name, "1") for name in NAMES]
    asked = replace(snapshot, canaries=states(state(*outcomes, key=keys[0]), state(R.DEADLINE, key=keys[1])))
    header, *rows = (line.split() for line in printed(asked, 160) if line.startswith(("MODEL", *NAMES)))
    assert header[:3] == ["MODEL", "STATE", "CANARY"]
    assert [row[2] for row in rows] == [cell, "deadline"]


@pytest.mark.parametrize("width", [72, 80, 100])
def test_what_canaries_say_is_not_left_out_where_it_is_narrow(snapshot: TargetSnapshot, width: int) -> None:
    canary = state(R.TOO_MANY_RESPONSES, R.TOO_MANY_RESPONSES, key=ModelKey(NAMES[0], "1"))
    lines = printed(replace(snapshot, canaries=states(canary)), width)
    assert any("too_many_responses" in line for line in lines if line.startswith(NAMES[0][:8]))
    assert all(len(line) <= width for line in lines)


def test_a_model_in_a_namespace_has_the_canary_of_its_name_and_version(snapshot: TargetSnapshot) -> None:
    key = ModelKey("spaced", "1", "team")
    page = frame(0.0, {key: {Counter.SUCCESS: 0.0}})
    slis = compute(None, page, facts(page))
    asked = replace(snapshot, models=(), slis=slis, canaries=states(state(R.OK, key=ModelKey("spaced", "1"))))
    assert any(line.split()[-1] == "ok" for line in printed(asked, 160) if line.startswith("spaced"))


def test_what_could_be_seen_is_said_where_nothing_is_wrong(snapshot: TargetSnapshot) -> None:
    idle = replace(snapshot, slis=None)
    assert printed(idle, 160)[-1] == "Nothing wrong that the server's own metrics could show."
    asked = replace(idle, canaries=states(state(R.OK, key=ModelKey(NAMES[0], "1"))))
    assert printed(asked, 160)[-1] == "Nothing wrong that its metrics and canaries could show."


@pytest.mark.parametrize(
    ("value", "text"), [(0.0000005, "0 µs"), (0.000123, "123 µs"), (0.0123, "12.3 ms"), (1.5, "1.5 s"), (90, "90 s")]
)
def test_times_have_the_unit_that_suits_them(value: float, text: str) -> None:
    assert seconds(value) == text


def test_rates_are_short() -> None:
    assert [rate(value) for value in (0, 0.1234, 12.34, 1234.5)] == ["0", "0.123", "12.3", "1234"]
