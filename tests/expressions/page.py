"""docs/generated/expressions.md: every expression, what it gave on the stage, and what the agent says itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from expressions.collect import Expression
    from expressions.judge import Answer, Comparison
    from expressions.trickle import Seconds

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs" / "generated" / "expressions.md"
_HEAD: Final = """\
<!-- Written by `make expressions`. -->
# Expressions, proven

Every PromQL expression of the generated boards and rules of the default configuration, as a real Prometheus answered
it. It had scraped, each second: a real Triton under steady load, a recorded page of a Triton on an H200 whose counters
go on at their rates, an agent that watches both, and the metrics of NVIDIA's DCGM exporter (values written by hand).

- **series**: how many the expression gave (`$variables` at All); **value**: of the first of them.
- **agent**: what the agent's own metrics say over the same {window} s; **difference**: how far the expression is from
  that, at the model where it is farthest. More than 2 % is a failure, or 10 % where there are only a few events.
  "same": it is made of the agent's own metrics alone.
- An expression that gives nothing needs its reason, which stands in its row.

Measured with {versions}.
"""
_COLUMNS: Final = "| {0} | query | expression | series | value | agent | difference | |"
_RULE: Final = "| --- | --- | --- | ---: | ---: | ---: | ---: | --- |"
_ROW: Final = re.compile(r"^\| (.+?) \| (\S+) \| `` (.+) `` \| [\d-]")


def listed(text: str) -> set[tuple[str, str, str, str]]:
    """Place and expression of each row of a page: what it says that there is."""
    found, where = set(), ""
    for line in text.splitlines():
        if line.startswith("## "):
            where = line.split("`")[1] if "`" in line else ""
        elif where and (row := _ROW.match(line)):
            title, ref, expr = (part.replace(r"\|", "|") for part in row.groups())
            found.add((where, title, ref, expr))
    return found


def row_of(one: Expression) -> tuple[str, str, str, str]:
    """An expression as `listed` has it."""
    return (one.where, one.title, one.ref, _in_a_line(one.expr))


def page(
    answers: Sequence[Answer],
    compared: Sequence[Comparison],
    trickle: Sequence[Seconds],
    *,
    versions: str,
    window: int,
) -> str:
    """Return the page."""
    worst = _worst(compared)
    parts = [_HEAD.format(window=window, versions=versions)]
    for where in dict.fromkeys(one.expression.where for one in answers):
        mine = [one for one in answers if one.expression.where == where]
        is_rules = mine[0].expression.kind in ("record", "alert")
        parts.append(f"## {'Rules' if is_rules else 'Board'} `{where}`\n")
        parts.append(_COLUMNS.format("rule" if is_rules else "panel") + "\n" + _RULE)
        rows = (_row(one, worst.get(one.expression.place)) for one in mine)
        parts.append("\n".join(rows) + "\n")
    return "\n".join([*parts, _trickle(trickle)])


def _worst(compared: Iterable[Comparison]) -> Mapping[tuple[str, str, str], Comparison]:
    found: dict[tuple[str, str, str], Comparison] = {}
    for one in compared:
        last = found.get(one.expression.place)
        if last is None or abs(one.difference or 0.0) > abs(last.difference or 0.0):
            found[one.expression.place] = one
    return found


def _row(one: Answer, beside: Comparison | None) -> str:
    expr = one.expression
    cells = [_cell(expr.title), _cell(expr.ref), f"`` {_cell(_in_a_line(expr.expr))} ``", str(one.series)]
    if beside is None:
        cells += [_number(one.value), "same" if one.series and expr.is_agents_own else "-", "-", one.reason]
    else:
        difference = "-" if beside.difference is None else f"{beside.difference:+.2%}"
        cells += [_number(beside.value), _number(beside.agents), difference, _of(beside)]
    return f"| {' | '.join(cells)} |"


def _of(one: Comparison) -> str:
    return (
        f"{one.agreement.indicator}, all models" if one.model == ".+" else f"{one.agreement.indicator} of {one.model}"
    )


def _trickle(found: Sequence[Seconds]) -> str:
    lines = [f"| {one.name} | `` {_cell(one.expr)} `` | {one.value * 1000:.3g} ms |" for one in found]
    return "\n".join(
        [
            "## One request in ten seconds\n",
            "Each of them waits in the queue for exactly 5 ms, for an hour, scraped each 15 s. The mean must be 5 ms;",
            "variants that keep the denominator from being 0 by padding it, as seen in published rules, are far off.\n",
            "| variant | expression | mean queue time |",
            "| --- | --- | ---: |",
            *lines,
            "",
        ]
    )


def _in_a_line(expr: str) -> str:
    return " ".join(expr.split())


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
