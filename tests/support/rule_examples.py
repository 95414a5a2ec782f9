"""Examples of rules with what `check_examples` has no words for: links, large files, facts about the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.check_examples import findings, write_repository
from triton_watch.check.engine import run_rules
from triton_watch.check.options import Options
from triton_watch.check.repository import Repository
from triton_watch.check.rule import Scope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from triton_watch.check.rule import Rule
    from triton_watch.records import Finding


def write(example: str, folder: Path) -> Path:
    """Write an example. A file of one line `link: TARGET` becomes a symbolic link, `size: N` a sparse file."""
    repository = write_repository(example, folder)
    for path in [path for path in repository.rglob("*") if path.is_file() and path.stat().st_size < 500]:
        head, _, rest = path.read_bytes().partition(b": ")
        if head == b"link":
            path.unlink()
            path.symlink_to(rest.decode().strip())
        elif head == b"size":
            with path.open("wb") as file:
                file.truncate(int(rest))
    return repository


def found(rules: Sequence[Rule], example: str, folder: Path, options: Options | None = None) -> list[Finding]:
    """What rules find in an example."""
    repository, options = write(example, folder), options or Options()
    if any(rule.scope is not Scope.MODEL for rule in rules):
        return findings(rules, repository, options)
    opened = Repository(repository)
    models = (opened.model(name) for name in opened.names)
    return [one for model in models for one in run_rules(rules, Scope.MODEL, model, options)]


def ids(findings_: Sequence[Finding], severity: str | None = None) -> list[str]:
    """The ids of findings, sorted; of one severity only."""
    return sorted(one.rule for one in findings_ if severity in (None, one.severity.value))
