"""Ask the real tritonserver about the cases and write what it says into recorded.yaml.

python tests/differential/record.py             all cases
python tests/differential/record.py NAME ...    these cases, or families, only; prints the log too with -v
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from differential.cases import RECORDED, load_cases, read_recorded
from differential.judge import Judge

if TYPE_CHECKING:
    from differential.case import Case, Verdict

HEAD = "# Written by tests/differential/record.py from the real tritonserver 2.51.0: [stage, Triton's words]\n"


def main(arguments: list[str]) -> None:
    wanted = {argument for argument in arguments if not argument.startswith("-")}
    cases = [case for case in load_cases() if not wanted or {case.name, case.family} & wanted]
    start = time.monotonic()
    with Judge() as judge:
        verdicts = judge.judge(cases)
    for case in cases:
        say(case, verdicts[case.name], log="-v" in arguments)
    write(read_recorded() | verdicts)
    refused = sum(verdict.refused for verdict in verdicts.values())
    sys.stdout.write(f"{len(cases)} cases, {refused} refused, in {time.monotonic() - start:.1f} s\n")


def say(case: Case, verdict: Verdict, *, log: bool) -> None:
    """Print one verdict, with a mark where it differs from what is recorded."""
    mark = "  " if case.recorded in (None, verdict) else "! "
    sys.stdout.write(f"{mark}{case.name}: {verdict.stage or 'ready'} {verdict.reason}\n")
    if log:
        sys.stdout.write(verdict.log)


def write(verdicts: dict[str, Verdict]) -> None:
    """Write the verdicts of all cases that there are."""
    rows = {case.name: verdicts[case.name] for case in load_cases() if case.name in verdicts}
    lines = [f"  {name}: {_row(verdict)}\n" for name, verdict in rows.items()]
    RECORDED.write_text(HEAD + "verdicts:\n" + "".join(lines), encoding="utf-8")


def _row(verdict: Verdict) -> str:
    return yaml.safe_dump(
        [verdict.stage, verdict.reason], default_flow_style=True, width=10**6, allow_unicode=True
    ).strip()


if __name__ == "__main__":
    main(sys.argv[1:])
