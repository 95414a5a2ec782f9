"""`triton-watch check` on a server that the agent watches: what the alerts about configurations live on."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from triton_watch.records import CheckSettings, Finding, Target


_LONGEST: Final = 60.0
"""Seconds that a server gets to tell its models' configurations: others wait meanwhile."""


class AuditError(Exception):
    """A server could not be checked. The message is one sentence."""


def audit(target: Target, settings: CheckSettings) -> tuple[Finding, ...]:
    """Check a live server and the repositories that the configuration names for it; in this process and thread alone.

    The rules, facts and known findings are those of the `check` section. Raises `TritonError` when the server does
    not answer, `AuditError` when it takes too long, and `OSError`, `BaselineError` or
    `UnknownRuleError` when something that is named cannot be used.
    """
    from triton_watch.check.baseline import load_baseline
    from triton_watch.check.discover import Found, discover
    from triton_watch.check.options import options_of
    from triton_watch.check.rules import RULES
    from triton_watch.check.run import check
    from triton_watch.check.selection import select
    from triton_watch.cli.check_live import collect

    rules = select(RULES, settings.select, settings.ignore)
    options = options_of(settings)
    live = collect(target, _Deadline())
    options = replace(
        options,
        triton=options.triton or live.release,
        cache=live.cache if options.cache is None else options.cache,
    )
    found = discover(target.model_repositories) if target.model_repositories else Found()
    checked = check(rules, options, repositories=found.repositories, live=live, processes=1)
    if settings.baseline is None:
        return tuple(checked.findings)
    roots = [str(path) for path in target.model_repositories]
    new, _, _ = load_baseline(settings.baseline).filter(checked.findings, roots)
    return tuple(new)


class _Deadline:
    """Counts the configurations that were read, until the time is up."""

    def __init__(self) -> None:
        self._end = time.monotonic() + _LONGEST

    def __call__(self, done: int, total: int) -> None:
        """Raise `AuditError` when there is no time for the rest."""
        if done < total and time.monotonic() > self._end:
            raise AuditError(
                f"it told the configurations of {done} of {total} models in {_LONGEST:.0f} s: "
                "see what keeps it busy, or set alerts.config_check to off."
            )
