"""Details of alerts are one line with one mark at its end."""

from __future__ import annotations

import pytest

from triton_watch.alerting.definitions.cases import sentence


@pytest.mark.parametrize(
    ("text", "line"),
    [("it is\n so", "it is so."), ("it is so.;", "it is so."), ("is the port right?", "is the port right?")],
)
def test_a_question_stays_one_and_anything_else_ends_with_a_full_stop(text: str, line: str) -> None:
    assert sentence(text) == line
