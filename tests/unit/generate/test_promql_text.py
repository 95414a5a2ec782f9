"""The reader of expressions that the tests of boards stand on sees what it must not miss."""

from __future__ import annotations

import pytest

from support.promql_text import calls, divisors, selectors, variables

READ = [
    ("up", [("up", set(), "", "")]),
    ('rate(a_total{job=~"$job", x!="}"}[$__rate_interval])', [("a_total", {"job", "x"}, "$__rate_interval", "rate")]),
    ("sum by (model) (a_total)", [("a_total", set(), "", "sum")]),
    ("sum by (model) (a / on (b) group_left (c) d)", [("a", set(), "", "sum"), ("d", set(), "", "")]),
    ("topk(20, a and on () b) or c offset 5m == bool 1e6", [(one, set(), "", "") for one in "abc"]),
    ('label_replace(a{b="c"}, "d", "$1", "e", "f")', [("a", {"b"}, "", "label_replace")]),
    (
        "max_over_time (vllm:a_bucket[$__range] @ end()) - time()",
        [("vllm:a_bucket", set(), "$__range", "max_over_time")],
    ),
    ('{__name__=~"a"}', [("", {"__name__"}, "", "")]),
]


@pytest.mark.parametrize(("expr", "expected"), READ, ids=[expr for expr, _ in READ])
def test_selectors_are_seen_with_their_labels_range_and_function(expr: str, expected: object) -> None:
    assert [(one.metric, set(one.labels), one.span, one.function) for one in selectors(expr)] == expected


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("a / b", ["b"]),
        ("a / 1e6 / (b + c > 0)", ["1e6", "(b + c > 0)"]),
        ("a / on (x) group_left (y) (sum(b) > 0)", ["(sum(b) > 0)"]),
        ("a / (1 + sum by (x) (b))", ["(1 + sum (b))"]),
        ('a{path="/x/y"}', []),
    ],
)
def test_what_is_divided_by_is_seen_whole(expr: str, expected: list[str]) -> None:
    assert list(divisors(expr)) == expected


def test_the_arguments_of_a_call_are_seen_whole() -> None:
    assert calls("avg by (x) (a / (b > 0)) or myavg(c) or avg(d)", "avg") == ["(a / (b > 0))", "(d)"]


def test_variables_are_seen_in_each_way_to_write_them() -> None:
    assert variables('$a ${b} ${c:queryparam} "$1" ${__field.labels.x}') == {"a", "b", "c", "__field"}
