"""The models of a running server: what is generated takes their limits from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from triton_watch.cli.generate.ending import fail, warn
from triton_watch.cli.targets import with_discovered
from triton_watch.cli.terminal_bar import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triton_watch.records import ModelConfig, ModelState, Settings, Target
    from triton_watch.triton.client import TritonClient


def live_models(settings: Settings, target: str | None) -> tuple[ModelConfig, ...] | None:
    """Return the configurations of the models that are ready on the server, by name and in order; None without one.

    Those that are not ready are named on stderr. Exits with 3 when nothing there answers as Triton does.
    """
    if target is None:
        return None
    from triton_watch.triton.client import TritonClient
    from triton_watch.triton.errors import TritonError

    server = _target(settings, target)
    try:
        with TritonClient(server) as client:
            return tuple(_asked(client, client.repository_index()))
    except TritonError as error:
        fail(str(error))


def _asked(client: TritonClient, index: Sequence[ModelState]) -> Iterator[ModelConfig]:
    from triton_watch.records import ModelStatus

    ready = sorted({state.key.name for state in index if state.status is ModelStatus.READY})
    others = sorted({state.key.name for state in index} - set(ready))
    if others:
        warn(f"not ready, so without limits: {', '.join(others)}.")
    with progress_bar(quiet=False) as bar:
        for name in bar.track(ready, description="asking for the models' configurations"):
            yield client.model_config(name)


def _target(settings: Settings, text: str) -> Target:
    """A target of the configuration by name or URL, with its credentials; else a URL as it is."""
    from triton_watch.config import ConfigError, from_flags

    found = with_discovered(settings, may_be_none="://" in text).targets
    for one in found:
        if text == one.name or text.rstrip("/") == one.http_url:
            return one
    if "://" not in text:
        known = ", ".join(one.name for one in found)
        raise click.UsageError(f'--target: "{text}" is neither a URL nor a target of the configuration ({known}).')
    try:
        return from_flags([text]).targets[0]
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
