"""What the canary commands share: their flags, and one round of canaries on each target."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from triton_watch.cli.default_file import DEFAULT_FILE, default_file
from triton_watch.cli.targets import settings_from, target_options, with_discovered
from triton_watch.cli.terminal_bar import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triton_watch.probes.canary.canaries import TargetCanaries
    from triton_watch.probes.cycle import TargetPoller
    from triton_watch.records import ModelKey, Settings, TargetSnapshot

Function = TypeVar("Function", bound=Callable[..., Any])

UNREACHABLE: Final = 3
NOTHING: Final = 4
SETTLE: Final = 0.6
"""Seconds after the last answer by which the server has counted it."""


def canary_options(function: Function) -> Function:
    """Add the arguments that all canary commands have."""
    options = (
        click.argument("models", nargs=-1, metavar="[MODEL]..."),
        click.option("--config", "-c", "config_file", type=click.Path(path_type=Path), help="Configuration file."),
        target_options,
    )
    for option in reversed(options):
        function = option(function)
    return function


def settings_of(
    config_file: Path | None, goldens: str | None, flags: dict[str, Any], *, must_exist: bool = True
) -> Settings:
    """Return the settings of a file or of flags; canaries are on. Ends the process where they make no sense.

    `must_exist`: the folder of goldens is to be read, not to be written.
    """
    from triton_watch.config import ConfigError
    from triton_watch.config.overrides import with_canary_flags

    if config_file is None and not flags["targets"]:
        config_file = default_file()
        if config_file is None:
            raise click.UsageError(f"which server? Give --target http://HOST:8000, or --config with a {DEFAULT_FILE}.")
    try:
        settings = with_canary_flags(settings_from(config_file, **flags), enabled=True, goldens=goldens)
    except ConfigError as error:
        click.echo(f"triton-watch: {error}", err=True)
        sys.exit(2)
    folder = settings.canary.goldens
    if must_exist and folder is not None and not folder.is_dir():
        raise click.UsageError(f"there is no folder of goldens {folder}: `canary record` makes one.")
    return with_discovered(settings)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One target: what a poll before and one after the canaries found. `keys` are the models that were wanted."""

    canaries: TargetCanaries
    before: TargetSnapshot
    keys: tuple[ModelKey, ...]
    after: TargetSnapshot | None = None

    @property
    def is_heard(self) -> bool:
        """Whether anything there answered as Triton does."""
        return self.before.is_heard


class Asker:
    """Polls a target and has its models asked; `quiet` shows no progress."""

    def __init__(self, settings: Settings, models: Sequence[str], *, quiet: bool) -> None:
        self._settings = settings
        self._models = frozenset(models)
        self._quiet = quiet

    def targets(self) -> Iterator[tuple[TargetPoller, Asked]]:
        """Poll each target once and find the models that have a canary."""
        from triton_watch.probes.canary.canaries import TargetCanaries
        from triton_watch.probes.cycle import TargetPoller

        for target in self._settings.targets:
            canaries = TargetCanaries(target, self._settings.canary)
            poller = TargetPoller(target)
            try:
                snapshot = poller.cycle()
                begun = canaries.follow(snapshot).begun
                wanted = tuple(key for key in sorted(begun) if not self._models or key.name in self._models)
                yield poller, Asked(canaries, snapshot, wanted)
            finally:
                poller.close()
                canaries.close()

    def missing(self, asked: Sequence[Asked]) -> list[str]:
        """Models that were named and that no target has ready."""
        found = {key.name for one in asked for key in one.keys}
        return sorted(self._models - found)

    def each(self, asked: Asked, work: Callable[[ModelKey], object], what: str) -> None:
        """Do `work` for each model, some at the same time; a bar counts them."""
        each(asked.keys, work, what, at_once=self._settings.canary.concurrency, quiet=self._quiet)


def each(keys: Sequence[ModelKey], work: Callable[[ModelKey], object], what: str, *, at_once: int, quiet: bool) -> None:
    """Do `work` for each of the keys, so many at the same time; a bar counts them."""
    with progress_bar(quiet=quiet) as progress, ThreadPoolExecutor(at_once) as pool:
        task = progress.add_task(what, total=len(keys))
        for _ in pool.map(work, keys):
            progress.advance(task)


def settled(poller: TargetPoller) -> TargetSnapshot:
    """Poll once the server has had time to count its last answers."""
    time.sleep(SETTLE)
    return poller.cycle()


def exit_unless_heard(asked: Sequence[Asked], missing: Sequence[str], or_with: int | None = None) -> None:
    """End the process with 3 when a target did not answer, with 4 when a model or all are missing.

    `or_with` is an exit code that weighs more than missing models.
    """
    for one in asked:
        if not one.is_heard:
            said = next((result.detail for result in one.before.probes.values() if not result.ok), "it said nothing")
            click.echo(f"triton-watch: {one.before.target.name} could not be asked: {said}", err=True)
    if any(not one.is_heard for one in asked):
        sys.exit(UNREACHABLE)
    if missing:
        names = ", ".join(missing)
        click.echo(f"triton-watch: not ready on the server, or not to be asked: {names}; see `status`.", err=True)
        sys.exit(or_with or NOTHING)
    if not any(one.keys for one in asked):
        click.echo("triton-watch: no model is ready, or none is to be asked (canary.models): see `status`.", err=True)
        sys.exit(NOTHING)
