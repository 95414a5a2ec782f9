"""docs/generated/expressions.md and the tables behind it beside the boards and rules that there are."""

from __future__ import annotations

from expressions.collect import Expression, default_settings, everything, of_board
from expressions.judge import unmatched
from expressions.page import DOCUMENT, listed, row_of
from expressions.tables import absences, agreements

_EXPR = 'up{job=~"$job", q="$q"}[$__rate_interval]'
_PANEL = {"title": "P", "targets": [{"refId": "A", "instant": True, "expr": _EXPR}]}


def test_the_page_lists_exactly_the_expressions_that_boards_and_rules_have() -> None:
    there, wanted = listed(DOCUMENT.read_text()), {row_of(one) for one in everything(default_settings())}
    assert there == wanted, f"run `make expressions`: {len(wanted - there)} are missing, {len(there - wanted)} are gone"


def test_each_entry_of_the_tables_means_an_expression() -> None:
    assert not unmatched(everything(default_settings()), absences(), agreements())


def test_each_absence_has_a_reason_in_words() -> None:
    assert all(len(one.reason.split()) >= 3 for one in absences())


def test_panels_in_closed_rows_are_found_and_their_variables_filled() -> None:
    choice = {"name": "q", "type": "custom", "query": "0.5,0.9", "includeAll": False}
    job = {"name": "job", "type": "custom", "query": "a,b", "includeAll": True}
    row = {"title": "R", "type": "row", "collapsed": True, "panels": [_PANEL]}
    board = {"panels": [row], "annotations": {"list": []}, "templating": {"list": [choice, job]}}
    (one,) = of_board("b", board)
    assert one == Expression("b", "P", "A", "instant", _EXPR, (("q", "0.5"), ("job", ".+")))
    assert one.filled("30s") == 'up{job=~".+", q="0.5"}[30s]'
    assert one.filled("30s", job="x") == 'up{job=~"x", q="0.5"}[30s]'


def test_what_is_no_variable_of_the_board_stays_as_it_is() -> None:
    one = Expression("b", "P", "A", "instant", 'label_replace(up{a="$other"}, "b", "$1", "c", "(.+)")')
    assert one.filled("30s", other="x") == one.expr
