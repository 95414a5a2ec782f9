"""`--fix` and `--diff`: mends that are safe, written into config.pbtxt with its comments and layout kept.

A mend belongs to a rule (`mends.MENDS`). It is made when the rule finds something that no comment of the file
silences, and kept when that is then gone and nothing worse has come; then the rules run again on the new text, until
nothing more can be mended. So a mended file gives no more mends.

Left alone are files that are not UTF-8, that lie outside the repository (behind a link), and that several models
share. Where something could have been mended in one, the caller is told (`LeftAlone`).
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from triton_watch.check.fix.mends import MENDS
from triton_watch.check.fix.rounds import mend
from triton_watch.check.repository import Repository
from triton_watch.check.rule import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from triton_watch.check.discover import RepositorySpec
    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Rule

_LINES = re.compile(r"[^\n]*\n|[^\n]+")
"""Only a line feed ends a line, to `patch` and to Triton."""


class Fixed(NamedTuple):
    """One mended file. `rules` are the ids of the rules whose findings were mended, in the order of mending."""

    path: Path
    before: str
    after: str
    rules: tuple[str, ...]

    def diff(self) -> str:
        """Return the change as a unified diff, as `git apply` and `patch -p1` take it in this directory."""
        before, after = _LINES.findall(self.before), _LINES.findall(self.after)
        name = _named(self.path)
        lines = difflib.unified_diff(before, after, f"a/{name}", f"b/{name}")
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


class LeftAlone(NamedTuple):
    """One file that could be mended and was not; `why` is the end of a sentence. `rules` as in `Fixed`."""

    path: Path
    why: str
    rules: tuple[str, ...]


def _named(path: Path) -> str:
    """Return a path as the head of a diff has it: from here on where it lies below, closed with a tab if needed."""
    full = os.path.abspath(path)  # noqa: PTH100  # resolve() would follow links: a diff is about the given path
    here = os.path.relpath(full)
    name = full.lstrip("/") if here.startswith("..") else here
    return f"{name}\t" if " " in name else name


def fix_repository(
    spec: RepositorySpec,
    rules: Sequence[Rule],
    options: Options,
    leave: Callable[[LeftAlone], object] | None = None,
) -> Iterator[Fixed]:
    """Yield the files of a repository that can be mended, mended; nothing is written.

    `leave` is told of each file that is left alone although something in it could be mended.
    """
    repository = Repository(spec.path, only=spec.only, given=spec.given, loose=spec.loose)
    wanted = tuple(rule for rule in rules if rule.slug in MENDS and rule.scope is Scope.MODEL)
    root = os.path.realpath(repository.path)
    shared = _shared(repository)
    for name in repository.names:
        model = repository.model(name)
        if model is None or model.config_bytes is None:
            continue
        why = _why_left(model, root, shared)
        if why is not None and leave is None:
            continue
        mended = mend(model, frozenset(rule.id for rule in wanted), options)
        if mended is None:
            continue
        if why is None:
            yield Fixed(model.config_path, model.config_bytes.decode(), mended.text, mended.rules)
        elif leave is not None:
            leave(LeftAlone(model.config_path, why, mended.rules))


def _why_left(model: Model, root: str, shared: set[str]) -> str | None:
    """Return why a model's configuration must not be written, None when it may."""
    real = os.path.realpath(model.config_path)
    if real in shared:
        return "it is the configuration of several models, and what fits one may not fit another"
    if os.path.commonpath((root, real)) != root:
        return f"it is a link to {real}, outside the repository: mend it there"
    try:
        (model.config_bytes or b"").decode()
    except UnicodeDecodeError:
        return "it is not UTF-8, and could not be written back as it was read"
    return None


def _shared(repository: Repository) -> set[str]:
    """Return the files that links make the configuration of several models: what fits one may not fit another."""
    if repository.loose:
        return set()
    paths = (entry.path / "config.pbtxt" for entry in repository.folder.entries if entry.is_dir)
    counts = Counter(os.path.realpath(path) for path in paths)
    return {path for path, count in counts.items() if count > 1}


def write_fixed(fixed: Fixed) -> None:
    """Write a mended file in one step, with the mode (and, where allowed, the owner) that it had. Raises `OSError`."""
    path = Path(os.path.realpath(fixed.path))
    status = path.stat()
    handle, name = tempfile.mkstemp(prefix=".config.pbtxt.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(fixed.after)
        with contextlib.suppress(OSError):
            os.chown(name, status.st_uid, status.st_gid)
        Path(name).chmod(status.st_mode & 0o7777)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
