# ruff: noqa: E402 - it is run as a script, too: its path comes first
"""`make expressions`: ask a real Prometheus every expression of the boards and rules, and compare with the agent.

Writes docs/generated/expressions.md. Ends with 1 when an expression gives no series without a reason, or says something
else than the agent by more than 2 %. `--url` asks a stage that is up already, and writes nothing.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path[:0] = [str(Path(__file__).parents[1])]
from rich.console import Console
from rich.table import Table

from expressions.page import DOCUMENT, page
from expressions.proof import WINDOW, judged, place, proven, trickled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from expressions.judge import Comparison


def show(compared: Sequence[Comparison], console: Console) -> None:
    """Print the table of agreements."""
    table = Table("where", "expression", "model", "value", "the agent's", "difference", "")
    for one in compared:
        difference = "-" if one.difference is None else f"{one.difference:+.2%}"
        expr = " ".join(one.expression.expr.split())
        values = ("-" if value is None else f"{value:.5g}" for value in (one.value, one.agents))
        verdict = "agrees" if one.agrees else "[red]differs[/red]"
        cut = expr if len(expr) < 48 else f"{expr[:45]}..."
        table.add_row(place(one.expression), cut, one.model, *values, difference, verdict)
    console.print(table)


def main() -> int:
    """Measure, print and write; 1 when something is wrong."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended on the way out
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="of the Prometheus of a stage that is up")
    url, console = parser.parse_args().url, Console(width=180)
    if url:
        proof = judged(url, time.time() - 180)
    else:
        with tempfile.TemporaryDirectory(prefix="triton-watch-expressions-") as name:
            proof, trickle = proven(Path(name) / "stage"), trickled(Path(name))
        text = page(proof.answers, proof.compared, trickle, versions=proof.versions, window=WINDOW)
        DOCUMENT.parent.mkdir(parents=True, exist_ok=True)
        DOCUMENT.write_text(text)
    show(proof.compared, console)
    for problem in proof.problems:
        console.print(problem, style="red", markup=False, highlight=False)
    console.print(
        f"{len(proof.answers)} expressions, {len(proof.compared)} comparisons, {len(proof.problems)} problems"
    )
    return int(bool(proof.problems))


if __name__ == "__main__":
    sys.exit(main())
