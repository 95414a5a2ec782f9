"""PromQL as it is written for rules: values, texts, patterns, and matchers on the series that have the label."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from triton_watch.alerting.promql import Matcher, any_glob, any_of, filled, inside, narrowed, number

TEXTS = st.text(st.sampled_from('ab.*?+|()^$\\{}[]-_/ "'), max_size=6)
GLOBS = TEXTS | st.text(st.sampled_from("ab.-!^[]"), max_size=7)


@given(TEXTS, TEXTS)
def test_texts_match_themselves_alone(text: str, other: str) -> None:
    pattern = re.compile(any_of([text, "z"]))
    assert pattern.fullmatch(text)
    assert bool(pattern.fullmatch(other)) == (other in (text, "z"))


@given(GLOBS, TEXTS)
@example("[!]a]", "b")
@example("[]-b]", "a")
@example("[a-b-]", "-")
@example("[b-a]", "a")
@example("[!b-a]", "b")
@example("[ab", "[ab")
@example("[^a]", "^")
def test_globs_match_as_they_do_in_the_configuration(glob: str, name: str) -> None:
    """Python's expressions stand for RE2's, which has all that is in these."""
    try:
        expected = fnmatchcase(name, glob)
    except re.error:
        assume(False)  # Python 3.10 knows no range that ends before it begins
    assert bool(re.fullmatch(any_glob([glob]), name, re.DOTALL)) == expected


@pytest.mark.parametrize(
    ("glob", "pattern"),
    [
        ("gpu-[0-9]", "gpu-[0-9]"),
        ("[!abc]*", "[^abc].*"),
        ("[^.]", r"[\^.]"),
        ("a[b", r"a\[b"),
        ("[]]", r"[\]]"),
        ("[z-a]", r"[^\s\S]"),
    ],
)
def test_a_set_of_characters_is_one_in_the_pattern(glob: str, pattern: str) -> None:
    assert any_glob([glob]) == pattern
    assert any_glob(["x", glob]) == f"x|{pattern}"


def test_matchers_go_to_the_series_that_have_the_label() -> None:
    expr = 'triton_watch_model_ready{state="x"} == 0 unless on (target) triton_watch_target_heard or up{job="y"}'
    model, target = Matcher("model", "a\\.b"), Matcher("target", "t", is_not=True)
    assert narrowed(expr, [model, target]) == (
        'triton_watch_model_ready{state="x", model=~"a\\\\.b", target!~"t"} == 0 unless on (target) '
        'triton_watch_target_heard{target!~"t"} or up{job="y"}'
    )
    assert narrowed(expr, []) == expr


def test_values_are_put_in_and_a_forgotten_one_is_an_error() -> None:
    assert filled("a > $threshold", {"threshold": number(0.95), "more": "x"}) == "a > 0.95"
    with pytest.raises(KeyError):
        filled("a > $threshold", {})


@pytest.mark.parametrize(
    ("value", "text"), [(2.0, "2"), (14.4, "14.4"), (0.1, "0.1"), (1e-9, "1e-09"), (1e6, "1000000")]
)
def test_numbers_are_short_and_exact(value: float, text: str) -> None:
    assert number(value) == text


def test_texts_stand_safely_between_quotes() -> None:
    assert inside('a"b\\c\n') == 'a\\"b\\\\c\\n'
