"""Sentences of several sources on one line."""

from __future__ import annotations

import pytest

from triton_watch.conventions.sentences import joined


@pytest.mark.parametrize(
    ("sentences", "line"),
    [
        ([], ""),
        (["One."], "One."),
        (["one.", "two.", "three"], "one; two; three"),
        (["one; is it two?", "three."], "one; is it two? three."),
    ],
)
def test_no_full_stop_stands_before_a_semicolon_and_no_semicolon_behind_a_question(
    sentences: list[str], line: str
) -> None:
    assert joined(sentences) == line
