"""Durations, percentages and sizes: what is written comes back as written, and nothing else is accepted."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.config import (
    ParseError,
    format_duration,
    format_percentage,
    format_size,
    parse_duration,
    parse_percentage,
    parse_size,
)


@given(st.integers(0, 10**6 * 86_400_000 - 1))
def test_any_number_of_milliseconds_survives_being_written(milliseconds: int) -> None:
    """Formatting a duration and parsing it gives the same time, to the millisecond."""
    seconds = milliseconds / 1000
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.integers(0, 10**9))
def test_any_percentage_survives_being_written(billionths: int) -> None:
    """Formatting a ratio and parsing it gives the same ratio."""
    ratio = billionths / 10**9
    assert parse_percentage(format_percentage(ratio)) == ratio


@given(st.integers(0, 10**12 - 1))
def test_any_size_survives_being_written(size: int) -> None:
    """Formatting a size and parsing it gives the same number of bytes."""
    assert parse_size(format_size(size)) == size


@given(st.integers(0, 99), st.integers(0, 999), st.integers(0, 99))
def test_parts_of_a_duration_add_up(hours: int, minutes: int, seconds: int) -> None:
    """A duration is the sum of its parts, also where a part is larger than the next unit."""
    assert parse_duration(f"{hours}h{minutes}m{seconds}s") == hours * 3600 + minutes * 60 + seconds


@given(st.text() | st.from_regex(r"[0-9smhd. -]{1,8}", fullmatch=True) | st.floats() | st.booleans() | st.none())
def test_parsers_answer_or_raise_one_error(value: object) -> None:
    """Whatever is given, a parser returns a finite number that is not negative, or raises ParseError."""
    for parse in (parse_duration, parse_percentage, parse_size):
        with suppress(ParseError):
            assert 0 <= parse(value) < float("inf")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5s", 5), ("250ms", 0.25), ("1m30s", 90), ("2h", 7200), ("30d", 2_592_000), ("1.5s", 1.5), ("0s", 0)],
)
def test_duration(text: str, seconds: float) -> None:
    """The forms of the documentation mean what they say."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "s", "5", "5 s", "1s1m", "5S", "1.5m", "+5s", "-5s", "1e3s", "5ss", "\u0665s", "5s\n"]
)
def test_not_a_duration(text: str) -> None:
    """What is nearly a duration is none."""
    with pytest.raises(ParseError):
        parse_duration(text)


@pytest.mark.parametrize(("text", "ratio"), [("99.9%", 0.999), ("100%", 1.0), ("0%", 0.0), ("99.99%", 0.9999)])
def test_percentage(text: str, ratio: float) -> None:
    """A percentage is the ratio nearest to it: 99.9% is 0.999, not 0.9990000000000001."""
    assert parse_percentage(text) == ratio


@pytest.mark.parametrize("text", ["", "%", "99.9", "99,9%", "100.1%", "101%", "-1%", ".5%", "99.9 %", "99.9%\n"])
def test_not_a_percentage(text: str) -> None:
    """What is nearly a percentage, or over 100, is none."""
    with pytest.raises(ParseError):
        parse_percentage(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("512B", 512), ("50MB", 50_000_000), ("50MiB", 52_428_800), ("1KB", 1000), ("2GiB", 2**31)],
)
def test_size(text: str, size: int) -> None:
    """Units are powers of 1000, with an i of 1024."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "50", "50mb", "50 MB", "1.5MB", "-1B", "50iB", "50Mb", "5B\n"])
def test_not_a_size(text: str) -> None:
    """What is nearly a size is none."""
    with pytest.raises(ParseError):
        parse_size(text)
