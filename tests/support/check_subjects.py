"""Runs the rules about manifests on examples, as `check_examples` does for repositories."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from support.check_examples import write_repository
from triton_watch.check.engine import run_rules
from triton_watch.check.manifest import load_manifest
from triton_watch.check.options import Options
from triton_watch.check.repository import Repository
from triton_watch.check.rule import Scope
from triton_watch.check.summary import summarize

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from triton_watch.check.rule import Rule
    from triton_watch.records import Finding


def manifest_findings(
    rules: Sequence[Rule], example: str, folder: Path, options: Options | None = None
) -> list[Finding]:
    """What rules find in the YAML files of an example; its other files are the repository beside them."""
    example = example if example.lstrip().startswith("--- ") else f"--- manifest.yaml\n{example}"
    repository = Repository(write_repository(example, folder))
    models = {name: summarize(model) for name in repository.names if (model := repository.model(name))}
    found: list[Finding] = []
    for path in sorted(repository.path.glob("*.y*ml")):
        manifest = load_manifest(path, path.read_bytes(), explicit=True)
        if manifest is not None:
            found += run_rules(rules, Scope.MANIFEST, replace(manifest, models=models), options or Options())
    return found
