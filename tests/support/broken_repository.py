"""What the check finds in `examples/broken_repository`, as the fixture `broken_repository.json` keeps it.

`python tests/support/broken_repository.py` writes the fixture anew: look at its diff before committing it.
"""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from triton_watch.cli.check import command

ROOT = Path(__file__).resolve().parents[2]
REPOSITORY = ROOT / "examples" / "broken_repository"
CONFIG = ROOT / "examples" / "broken.yaml"
"""Facts about the server, without which some rules keep quiet."""
SUMMARY = ROOT / "tests" / "fixtures" / "broken_repository.json"


def found_rules() -> dict[str, list[str]]:
    """Sorted ids by model; by path within the repository (`.` is itself) where it is about no model."""
    arguments = [str(REPOSITORY), "--config", str(CONFIG), "--format", "json"]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 1, result.output
    rules: dict[str, set[str]] = {}
    for finding in json.loads(result.stdout)["findings"]:
        key = finding["model"] or str(Path(finding["file"]).relative_to(REPOSITORY))
        rules.setdefault(key, set()).add(finding["rule"])
    return {key: sorted(rules[key]) for key in sorted(rules)}


def summary_text(rules: dict[str, list[str]]) -> str:
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(ids)}" for key, ids in rules.items())
    return f"{{\n{lines}\n}}\n"


if __name__ == "__main__":
    SUMMARY.write_text(summary_text(found_rules()), encoding="utf-8")
