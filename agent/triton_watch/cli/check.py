"""`triton-watch check`: what is wrong with model repositories, configurations, manifests and a live server."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from triton_watch.cli.check_report import COULD_NOT_RUN, report
from triton_watch.cli.default_file import default_file
from triton_watch.cli.targets import settings_from, target_options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from triton_watch.check.discover import Found
    from triton_watch.check.live import LiveServer
    from triton_watch.check.manifest import Manifest
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Rule
    from triton_watch.check.run import Checked
    from triton_watch.records import CheckSettings

Done = TypeVar("Done")
NOTHING_FOUND = 4
_PATH = click.Path(path_type=Path, readable=False)
_TARGET_FLAGS = (
    "grpc",
    "metrics_url",
    "headers",
    "bearer_token_file",
    "ca_file",
    "insecure_skip_verify",
    "timeout",
)
_WORTH_A_BAR = 200
"""Models from which on a progress bar is shown on a terminal."""


def _no_empty_path(_context: click.Context, _parameter: click.Parameter, paths: tuple[str, ...]) -> tuple[Path, ...]:
    """Refuse an empty path, which is an unset variable of a script more often than this directory."""
    if "" in paths:
        raise click.UsageError("a PATH is empty: is a variable unset? Write . for the current directory.")
    return tuple(map(Path, paths))


@click.command("check")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(readable=False), callback=_no_empty_path)
@target_options
@click.option(
    "--config", "config_file", type=_PATH, metavar="FILE", help="Its `check` section.  [default: ./triton-watch.yaml]"
)
@click.option("--select", multiple=True, metavar="RULES", help="Only these: TW402, TW4, a slug; with commas.")
@click.option("--ignore", multiple=True, metavar="RULES", help="Not these rules.")
@click.option(
    "--profile",
    type=click.Choice(["production", "dev"]),
    metavar="NAME",
    help="production, or dev: red lines do not fail.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info", "never"]),
    metavar="LEVEL",
    help="error, warning, info, never: least for exit 1.",
)
@click.option("--format", "form", default="terminal", metavar="NAME", help="terminal json sarif junit github markdown")
@click.option("--output", "-o", type=_PATH, metavar="FILE", help="Write the report there.")
@click.option("--baseline", type=_PATH, metavar="FILE", help="Known findings, not reported again.")
@click.option("--write-baseline", type=_PATH, metavar="FILE", help="Write all findings there as known.")
@click.option("--fix", is_flag=True, help="Mend what is safe to mend in config.pbtxt.")
@click.option("--diff", is_flag=True, help="Show what --fix would change.")
@click.option("--triton-version", metavar="YY.MM", help="Release that will serve the models.")
@click.option("--gpus", type=click.IntRange(0, 1024), metavar="N", help="GPUs of the server.")
@click.option("--gpu-memory", metavar="SIZE", help="Memory of each GPU, such as 80GiB.")
@click.option("--latency-objective", metavar="TIME", help="Time a request may take, such as 200ms.")
@click.option("--allow-nothing", is_flag=True, help="Exit with 0, not 4, if nothing is to check.")
@click.option("--jobs", type=click.IntRange(1, 64), metavar="N", help="Processes.")
def command(**flags: Any) -> None:  # noqa: ANN401  # the flags above
    """Check model repositories, config.pbtxt files, Kubernetes and Compose files, a server.

    Exit code: 0 clean; 1 error or red line; 2 usage; 3 could not run; 4 nothing.

    \b
    Example:
      triton-watch check models/ deploy/triton.yaml
      triton-watch check models/ --target http://localhost:8000
    """
    from triton_watch.check.selection import UnknownRuleError

    flags["began"] = time.monotonic()
    settings = _settings(flags)
    try:
        rules = _rules(flags, settings)
    except UnknownRuleError as error:
        raise click.UsageError(str(error)) from None
    writer = _writer(flags["form"])
    options = _options(flags, settings)
    found = _discover(flags["paths"], flags)
    manifests, options = _manifests(found, options)
    if not (found.repositories or manifests or flags["targets"]) or (flags["diff"] and not found.repositories):
        _nothing(flags["paths"], found.notes, allowed=flags["allow_nothing"])
    else:
        _say(found.notes)
    if flags["fix"] or flags["diff"]:
        changes = _fix(found, rules, options, write=flags["fix"] and not flags["diff"], quiet=not flags["diff"])
        if flags["diff"]:
            sys.exit(int(changes))
    live = _live(flags)
    if live is None and flags["targets"] and not (found.repositories or manifests):
        sys.exit(COULD_NOT_RUN)
    if live is not None:
        from triton_watch.check.live import informed

        options = informed(options, live)
    checked = _run(rules, options, found, manifests, live, flags["jobs"])
    status = report(checked, rules, flags, settings, options.profile, writer)
    sys.exit(COULD_NOT_RUN if flags["targets"] and live is None else status)


def _settings(flags: dict[str, Any]) -> CheckSettings:
    """Read the `check` section: of --config, or of triton-watch.yaml in this directory where there is one."""
    from triton_watch.records import CheckSettings

    path = flags["config_file"] or default_file()
    if path is None:
        return CheckSettings()
    from triton_watch.config import ConfigError, ConfigUnreadableError, load_check

    try:
        return load_check(path) or CheckSettings()
    except ConfigError as error:
        for line in str(error).splitlines():
            click.echo(f"triton-watch: {line}", err=True)
        sys.exit(COULD_NOT_RUN if isinstance(error, ConfigUnreadableError) else 2)


def _rules(flags: dict[str, Any], settings: CheckSettings) -> tuple[Rule, ...]:
    from triton_watch.check.rules import RULES
    from triton_watch.check.selection import select

    return select(RULES, _names(flags["select"]) or settings.select, [*_names(flags["ignore"]), *settings.ignore])


def _names(given: Sequence[str]) -> list[str]:
    return [name for value in given for name in value.split(",") if name.strip()]


def _writer(form: str) -> str:
    from triton_watch.check.output import FORMATS

    if form not in FORMATS:
        raise click.UsageError(f'--format: "{form}" is no format: choose one of {", ".join(FORMATS)}.')
    return form


def _options(flags: dict[str, Any], settings: CheckSettings) -> Options:
    """The options of the `check` section, and the flags over them."""
    from triton_watch.check.options import Profile, Release, options_of

    release, memory, latency = flags["triton_version"], flags["gpu_memory"], flags["latency_objective"]
    given = {
        "triton": Release(*_release(release)) if release else None,
        "gpus": flags["gpus"],
        "gpu_memory": _parsed("--gpu-memory", memory, "parse_size") if memory else None,
        "latency_objective": _parsed("--latency-objective", latency, "parse_duration") if latency else None,
        "profile": Profile(flags["profile"]) if flags["profile"] else None,
    }
    return replace(options_of(settings), **{name: value for name, value in given.items() if value is not None})


def _release(text: str) -> tuple[int, int]:
    year, _, month = text.partition(".")
    if not (year.isdecimal() and month.isdecimal() and len(year) == len(month) == 2 and 1 <= int(month) <= 12):
        raise click.UsageError(f'--triton-version: "{text}" is no release: give year and month, such as 24.10.')
    return int(year), int(month)


def _parsed(flag: str, text: str, parser: str) -> Any:  # noqa: ANN401  # a number of bytes or of seconds
    from triton_watch import config

    try:
        return getattr(config, parser)(text)
    except config.ParseError as error:
        raise click.UsageError(f"{flag}: {error}") from None


def _discover(paths: Sequence[Path], flags: dict[str, Any]) -> Found:
    from triton_watch.check.discover import Found, discover

    if not paths and not flags["targets"]:
        raise click.UsageError("check what? Give a model repository, a file, or --target http://HOST:8000.")
    aimless = [name for name in _TARGET_FLAGS if flags[name]] if not flags["targets"] else []
    if aimless:
        raise click.UsageError(
            f"--{aimless[0].rstrip('s').replace('_', '-')} is about a live server: give --target, too."
        )
    for path in paths:
        if not os.path.lexists(path):  # never raises, whatever the name
            raise click.UsageError(f"{path} does not exist: give a model repository, a model or a file.")
    try:
        return discover(paths) if paths else Found()
    except OSError as error:
        click.echo(
            f"triton-watch: {error.filename} cannot be read ({error.strerror}): check its owner and mode.", err=True
        )
        sys.exit(COULD_NOT_RUN)


def _manifests(found: Found, options: Options) -> tuple[list[Manifest], Options]:
    """Read the manifests, and take from them what they say of the server and the user does not."""
    if not (found.manifests or found.given_manifests):
        return [], options
    from triton_watch.check.files import read_bytes
    from triton_watch.check.manifest import fill_options, load_manifest
    from triton_watch.check.manifest.load import MOST_BYTES

    manifests = []
    for path in [*found.given_manifests, *found.manifests]:
        given = path in found.given_manifests
        try:
            manifest = load_manifest(path, read_bytes(path, MOST_BYTES), explicit=given)
        except OSError as error:
            found.notes.append(f"{path} cannot be read ({error.strerror})")
            continue
        if manifest is not None:
            manifests.append(manifest)
            options = fill_options(options, manifest)
        elif given:
            found.notes.append(f"{path} has no container that runs tritonserver")
    return manifests, options


def _fix(found: Found, rules: Sequence[Rule], options: Options, *, write: bool, quiet: bool) -> bool:
    """Mend what is safe to mend, and say so; or show the changes. Return whether there were any."""
    from triton_watch.check.fix import LeftAlone, fix_repository, write_fixed

    files = 0
    left: list[LeftAlone] = []
    for spec in found.repositories:
        for fixed in fix_repository(spec, rules, options, left.append):
            files += 1
            if not write:
                click.echo(fixed.diff(), nl=False)
                continue
            try:
                write_fixed(fixed)
            except OSError as error:
                click.echo(
                    f"triton-watch: {fixed.path} cannot be written ({error.strerror}): check its mode.", err=True
                )
                sys.exit(COULD_NOT_RUN)
            click.echo(f"triton-watch: mended {fixed.path} ({', '.join(dict.fromkeys(fixed.rules))})", err=True)
    _say([f"{one.path} is left alone: {one.why}" for one in left])
    if not files and not quiet:
        click.echo("triton-watch: nothing that can be mended safely.", err=True)
    return files > 0


def _live(flags: dict[str, Any]) -> LiveServer | None:
    if not flags["targets"]:
        return None
    from triton_watch.cli.check_live import collect

    settings = settings_from(None, **{name: flags[name] for name in ("targets", *_TARGET_FLAGS)})
    if len(settings.targets) > 1:
        raise click.UsageError("check looks at one live server: give --target once.")
    from triton_watch.triton.errors import TritonError

    target = settings.targets[0]
    try:
        return _with_bar(lambda progress: collect(target, progress), "asking the server")
    except TritonError as error:
        _say([f"{target.http_url}: {error}"])
        return None


def _say(notes: Sequence[str]) -> None:
    for note in notes:
        click.echo(f"triton-watch: {note}", err=True)


def _nothing(paths: Sequence[Path], notes: Sequence[str], *, allowed: bool) -> None:
    """Say that there is nothing to check, and end unless that is allowed: then an empty report follows."""
    from triton_watch.check.discover import LOOKED_FOR

    shown = ", ".join(str(path) for path in paths)
    _say([*notes, f"nothing to check in {shown}: looked for {LOOKED_FOR}."])
    if not allowed:
        sys.exit(NOTHING_FOUND)


def _run(
    rules: Sequence[Rule],
    options: Options,
    found: Found,
    manifests: Sequence[Manifest],
    live: LiveServer | None,
    jobs: int | None,
) -> Checked:
    from triton_watch.check.run import check

    def run(progress: Callable[[int, int], None] | None) -> Checked:
        return check(
            rules,
            options,
            repositories=found.repositories,
            manifests=manifests,
            live=live,
            processes=jobs,
            progress=progress,
        )

    return _with_bar(run, "checking models")


def _with_bar(run: Callable[[Callable[[int, int], None] | None], Done], what: str) -> Done:
    """Show a bar on a terminal when there is much to do. No thread draws it: the check forks."""
    if not sys.stderr.isatty():
        return run(None)
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task(what, visible=False)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=total >= _WORTH_A_BAR)
            bar.refresh()

        return run(progress)
