"""promtool, Prometheus's own judge, parses every expression of every board, its annotations and its variables."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.dashboards import Expression, built, expressions, filled, queries_of_variables

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BOARDS = built()


def check(promtool: Path, asked: Iterable[Expression], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run promtool over the expressions, each as a recording rule of its own; JSON is YAML, too."""
    rules = [
        {"record": f"place:{number}", "expr": filled(one.text), "labels": {"place": one.place}}
        for number, one in enumerate(asked)
    ]
    file = folder / "rules.yaml"
    file.write_text(json.dumps({"groups": [{"name": "boards", "rules": rules}]}))
    command = [str(promtool), "check", "rules", "--lint=none", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_promtool_parses_every_expression(promtool: Path, tmp_path: Path) -> None:
    asked = [
        one for board in BOARDS.values() for one in (*expressions(board), *queries_of_variables(board)) if one.text
    ]
    result = check(promtool, asked, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert f"SUCCESS: {len(asked)} rules found" in result.stdout
    assert not [one.place for one in asked if "$" in re.sub(r'"\$\d"', "", filled(one.text))]


@pytest.mark.parametrize("expr", ["rate(up[$__interval])", "sum by (job (up)", 'up{job=~"$job}', "up / on job up"])
def test_promtool_refuses_a_broken_expression(promtool: Path, tmp_path: Path, expr: str) -> None:
    """The check can fail, for a variable that nobody fills in, too."""
    assert check(promtool, [Expression("nowhere", expr)], tmp_path).returncode != 0
