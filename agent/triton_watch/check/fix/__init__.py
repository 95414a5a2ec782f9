"""`--fix` and `--diff`: mends that are safe, written into config.pbtxt with its comments and layout kept.

A mend belongs to a rule (`mends.MENDS`). It is made when the rule finds something that no comment of the file
silences; then the rules run again on the new text, until nothing more can be mended. So a mended file gives
no more mends.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from triton_watch.check import suppress
from triton_watch.check.engine import run_rules
from triton_watch.check.fix import edits
from triton_watch.check.fix.mends import MENDS
from triton_watch.check.pbtxt import parse_config
from triton_watch.check.repository import Repository
from triton_watch.check.rule import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triton_watch.check.discover import RepositorySpec
    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Rule

_MOST_ROUNDS = 50


class Fixed(NamedTuple):
    """One mended file. `rules` are the ids of the rules whose findings were mended, in the order of mending."""

    path: Path
    before: str
    after: str
    rules: tuple[str, ...]

    def diff(self) -> str:
        """Return the change as a unified diff."""
        lines = difflib.unified_diff(
            self.before.splitlines(keepends=True),
            self.after.splitlines(keepends=True),
            f"a/{self.path}",
            f"b/{self.path}",
        )
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def fix_repository(spec: RepositorySpec, rules: Sequence[Rule], options: Options) -> Iterator[Fixed]:
    """Yield the files of a repository that can be mended, mended; nothing is written."""
    repository = Repository(spec.path, only=spec.only, given=spec.given, loose=spec.loose)
    wanted = tuple(rule for rule in rules if rule.slug in MENDS and rule.scope is Scope.MODEL)
    for name in repository.names:
        model = repository.model(name)
        if model is not None and model.config_bytes is not None:
            fixed = fix_model(model, wanted, options)
            if fixed is not None:
                yield fixed


def fix_model(model: Model, rules: Sequence[Rule], options: Options) -> Fixed | None:
    """Mend one model's configuration as far as it goes; None when nothing can be mended."""
    before = _text(model)
    if before is None:
        return None
    text, mended = before, list[str]()
    for _ in range(_MOST_ROUNDS):
        step = _step(model, rules, options)
        if step is None:
            break
        text, rule = step
        mended.append(rule)
        model = model.with_config(text.encode())
    return Fixed(model.config_path, before, text, tuple(mended)) if text != before else None


def _text(model: Model) -> str | None:
    """Return a configuration that can be written back as it was read; one that is not UTF-8 is left alone."""
    try:
        return (model.config_bytes or b"").decode()
    except UnicodeDecodeError:
        return None


def _step(model: Model, rules: Sequence[Rule], options: Options) -> tuple[str, str] | None:
    """Make the first mend that changes the text and does not break it."""
    config = model.config
    if config is None:
        return None
    found, _ = suppress.apply(run_rules(rules, Scope.MODEL, model, options), model, rules)
    for finding in found:
        mend = MENDS.get(finding.slug)
        if mend is None:
            continue
        text = edits.apply(config.text, mend(model, options, finding))
        if text != config.text and _no_worse(model, text):
            return text, finding.rule
    return None


def _no_worse(model: Model, text: str) -> bool:
    """Whether a new text has fewer problems than the old, or none: a mend never breaks a file."""
    old = model.config
    new = parse_config(text.encode())
    refused = sum(problem.refused for problem in new.problems)
    return refused == 0 or (old is not None and refused < sum(problem.refused for problem in old.problems))


def write_fixed(fixed: Fixed) -> None:
    """Write a mended file in one step, with the mode that it had. Raises `OSError`."""
    path = Path(os.path.realpath(fixed.path))
    mode = path.stat().st_mode & 0o7777
    handle, name = tempfile.mkstemp(prefix=".config.pbtxt.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(fixed.after)
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
