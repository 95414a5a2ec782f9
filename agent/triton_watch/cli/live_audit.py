"""`triton-watch check` on a server that the agent watches: what the alerts about configurations live on."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from triton_watch.check.discover import Found
    from triton_watch.records import CheckSettings, Finding, Target


_LONGEST: Final = 60.0
"""Seconds that the check of a server may take: others wait meanwhile."""
_CHILD: Final = "import sys; sys.path[:] = {path!r}; from triton_watch.cli.live_audit import answer; answer()"


class AuditError(Exception):
    """A server could not be checked. The message is one sentence."""


def audit(target: Target, settings: CheckSettings) -> tuple[Finding, ...]:
    """Check a live server and the repositories that the configuration names for it; in this process alone.

    The rules, facts and known findings are those of the `check` section. Raises `TritonError` when the server does
    not answer, and `AuditError`, `OSError`, `BaselineError` or `UnknownRuleError` when something that is named cannot
    be used.
    """
    from triton_watch.check.baseline import load_baseline
    from triton_watch.check.discover import Found
    from triton_watch.check.live import informed
    from triton_watch.check.options import options_of
    from triton_watch.check.rules import RULES
    from triton_watch.check.run import check
    from triton_watch.check.selection import select
    from triton_watch.cli.check_live import collect

    rules = select(RULES, settings.select, settings.ignore)
    live = collect(target)
    options = informed(options_of(settings), live)
    found = _discovered(target) if target.model_repositories else Found()
    checked = check(rules, options, repositories=found.repositories, live=live, processes=1)
    if settings.baseline is None:
        return tuple(checked.findings)
    roots = [str(path) for path in target.model_repositories]
    new, _, _ = load_baseline(settings.baseline).filter(checked.findings, roots)
    return tuple(new)


def _discovered(target: Target) -> Found:
    """Find the models in the target's repositories. Raises `AuditError` for one that cannot be read."""
    from triton_watch.check.discover import discover

    try:
        return discover(target.model_repositories)
    except OSError as error:
        where = error.filename or ", ".join(map(str, target.model_repositories))
        raise AuditError(
            f"model_repository: {where} cannot be read ({error.strerror or error}): mount it where the agent runs, or "
            "correct the setting"
        ) from error


def audit_apart(target: Target, settings: CheckSettings) -> tuple[Finding, ...]:
    """Do what `audit` does in a child process: the rules hold megabytes that a daemon needs for a moment.

    Raises `AuditError`, whatever went wrong.
    """
    command = [sys.executable, "-c", _CHILD.format(path=sys.path)]
    try:
        done = subprocess.run(  # noqa: S603 - this very interpreter, and our own code
            command,
            input=pickle.dumps((target, settings)),
            stdout=subprocess.PIPE,
            timeout=_LONGEST,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise AuditError(
            f"it took longer than {_LONGEST:.0f} s: see what keeps the server busy, or set alerts.config_check to off."
        ) from None
    except (OSError, subprocess.SubprocessError) as error:
        raise AuditError(f"the child process that checks it failed ({error}).") from error
    reply: tuple[Finding, ...] | str = pickle.loads(done.stdout)  # noqa: S301 - both ends of the pipe are this program
    if isinstance(reply, str):
        raise AuditError(reply)
    return reply


def answer() -> None:
    """Be the child: read a request from standard input, write what became of it to standard output."""
    target, settings = pickle.load(sys.stdin.buffer)  # noqa: S301 - as above
    reply: tuple[Finding, ...] | str
    try:
        reply = audit(target, settings)
    except Exception as error:  # noqa: BLE001 - told by the parent, whatever it is
        reply = str(error) or type(error).__name__
    sys.stdout.buffer.write(pickle.dumps(reply))
