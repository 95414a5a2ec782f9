"""The end of `triton-watch check`: what a baseline knows is taken out, the report is written, the exit code found."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from triton_watch.check.options import Profile
    from triton_watch.check.report import Report
    from triton_watch.check.rule import Rule
    from triton_watch.check.run import Checked
    from triton_watch.records import CheckSettings, Finding

COULD_NOT_RUN = 3
STANDARD_OUTPUT = "-"


def report(
    checked: Checked,
    rules: Sequence[Rule],
    flags: dict[str, Any],
    settings: CheckSettings,
    profile: Profile,
    form: str,
) -> int:
    """Write the report as the flags say, and return the exit code: 1 when it fails the check, else 0."""
    from triton_watch.check.report import failed, make_report
    from triton_watch.records import Severity

    findings, baselined = _without_known(checked, flags, settings)
    made = make_report(
        findings,
        models=checked.models,
        repositories=checked.repositories,
        manifests=checked.manifests,
        live=checked.live,
        suppressed=checked.suppressed,
        baselined=baselined,
        roots=[str(path) for path in flags["paths"]],
        seconds=time.monotonic() - flags["began"],
        checked=checked.names,
        before_baseline=checked.findings,
        rules=rules,
        readable=checked.readable,
        deployments=checked.deployments,
    )
    _write(made, form, flags["output"])
    fail_on = flags["fail_on"] or settings.fail_on
    if fail_on == "never":
        return 0
    return int(failed(made, fail_on=Severity(fail_on) if fail_on else None, profile=profile))


def _write(made: Report, form: str, path: Path | None) -> None:
    """Print the report, or write it to a file; then the counts are still told on standard error."""
    from triton_watch.check.output import write

    if path is None or str(path) == STANDARD_OUTPUT:
        if form == "terminal":
            from triton_watch.cli.terminal import Terminal

            write(made, form, Terminal())
        else:
            write(made, form, sys.stdout)
        return
    import io

    from triton_watch.wording.text import plural

    text = io.StringIO()
    write(made, form, text)
    _write_text(path, text.getvalue())
    counts = made.summary()
    told = ", ".join(plural(counts[f"{kind}s"], kind) for kind in ("error", "warning", "info"))
    click.echo(f"triton-watch: {told}: {path}", err=True)


def _without_known(checked: Checked, flags: dict[str, Any], settings: CheckSettings) -> tuple[list[Finding], int]:
    """Take out what the baseline knows; with --write-baseline, write it first.

    Entries name files from their repository on, however the repository or the model was named on the command line.
    """
    from triton_watch.check.baseline import BaselineError, load_baseline, write_baseline
    from triton_watch.wording.text import plural

    findings, roots = checked.findings, list(checked.names)
    if flags["write_baseline"] is not None:
        _write_text(flags["write_baseline"], write_baseline(findings, roots))
        click.echo(f"triton-watch: {plural(len(findings), 'finding')} known now: {flags['write_baseline']}", err=True)
        return [], len(findings)
    path = flags["baseline"] or settings.baseline
    if path is None:
        return findings, 0
    try:
        kept, dropped, stale = load_baseline(path).filter(findings, roots)
    except BaselineError as error:
        click.echo(f"triton-watch: {error}", err=True)
        sys.exit(2)
    if stale and checked.whole:
        click.echo(
            f"triton-watch: {plural(stale, 'known finding')} of {path} not found any more: --write-baseline writes "
            "those that are left",
            err=True,
        )
    return kept, dropped


def _write_text(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        click.echo(f"triton-watch: {path} cannot be written ({error.strerror}): check the path.", err=True)
        sys.exit(COULD_NOT_RUN)
