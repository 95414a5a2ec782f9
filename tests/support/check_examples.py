"""Writes small model repositories from one text, and runs rules on them, as the checker's engine does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.engine import run_rules
from triton_watch.check.options import Options
from triton_watch.check.repository import Repository
from triton_watch.check.resolve import DETECTED
from triton_watch.check.rule import Scope
from triton_watch.check.summary import Summaries, summarize

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from triton_watch.check.rule import Rule
    from triton_watch.records import Finding

PYTHON_MODEL = "class TritonPythonModel:\n    def execute(self, requests):\n        return []\n"
DEFAULT_FILES = {backend: name for name, backend in reversed(DETECTED)}
MODEL = "model"
"""Name of the model of an example that is one configuration."""


def write_repository(example: str, folder: Path) -> Path:
    """Write an example (see `triton_watch.check.rule.Rule`) below a new folder and return the repository.

    An example without `--- path` lines is the config.pbtxt of a model called `model`, which gets a version
    directory with a file of its backend's default name. A body of one line `hex: 00ff` is bytes.
    """
    repository = folder / "repository"
    repository.mkdir(parents=True)
    if not example.lstrip().startswith("--- "):
        return _write_one(example, repository)
    path, body = "", list[str]()
    for line in [*example.lstrip().splitlines(), "--- "]:
        if line.startswith("--- "):
            _write(repository, path, "\n".join(body) + "\n" if body else "")
            path, body = line[4:].strip(), []
        else:
            body.append(line)
    return repository


def _write_one(config: str, repository: Path) -> Path:
    _write(repository, f"{MODEL}/config.pbtxt", config)
    model = Repository(repository).model(MODEL)
    assert model is not None
    name = DEFAULT_FILES.get(model.backend)
    _write(repository, f"{MODEL}/1/", "")
    if name:
        _write(repository, f"{MODEL}/1/{name}", PYTHON_MODEL if name == "model.py" else "a model\n")
    return repository


def _write(repository: Path, path: str, body: str) -> None:
    if not path:
        return
    target = repository / path
    if path.endswith("/"):
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if body.startswith("hex:"):
        target.write_bytes(bytes.fromhex(body[4:]))
    else:
        target.write_text(body)


def findings(rules: Sequence[Rule], repository: Path, options: Options | None = None) -> list[Finding]:
    """What rules of the scopes MODEL and REPOSITORY find in a repository."""
    options = options or Options()
    opened = Repository(repository)
    models = [model for name in opened.names if (model := opened.model(name))]
    found = [one for model in models for one in run_rules(rules, Scope.MODEL, model, options)]
    summaries = Summaries(repository, {model.name: summarize(model) for model in models})
    for scope, subject in ((Scope.REPOSITORY, summaries), (Scope.COLLECTION, [summaries])):
        found += run_rules(rules, scope, subject, options)
    return found
