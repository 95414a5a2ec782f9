"""Flags that go over a section, whether it came from a file or from other flags. No pydantic here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from triton_watch.config import addresses, files
from triton_watch.config.apart import load_web_apart
from triton_watch.config.errors import ConfigError, ParseError, Problem
from triton_watch.config.state_dir import state_dir
from triton_watch.records import Alertmanager, Credentials, PrometheusSettings, Timeouts, TlsSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch.records import Settings

QUERY_TIMEOUT: Final = 10.0
"""Seconds: a query over a month of a fleet takes longer than a scrape."""
_CONNECT: Final = 3.0
ALERTMANAGER_TIMEOUT: Final = Alertmanager("").timeouts.total


def query_timeouts(total: float = QUERY_TIMEOUT) -> Timeouts:
    """Return the deadlines of a query that may take `total` seconds: the answer begins when it is computed."""
    return Timeouts(connect=min(_CONNECT, total), read=total, total=total)


def alertmanager_timeouts(total: float) -> Timeouts:
    """Return the deadlines of a request to an Alertmanager that may take `total` seconds."""
    return Timeouts(connect=min(Alertmanager("").timeouts.connect, total), read=total, total=total)


def with_slo_flags(settings: Settings, state: str | None, history: str | None) -> Settings:
    """Put `--state` (a directory or `none`) and `--history` (`prometheus=URL`) over the settings.

    The file's credentials, timeout and selector go with the file's own URL only: another gets none of them.

    Raises:
        ConfigError: each problem names the flag.

    """
    slo = settings.slo
    if state is not None:
        slo = replace(slo, state_dir=_state(state))
    if history is not None:
        url = _history(history)
        if slo.prometheus is None or slo.prometheus.url != url:
            slo = replace(slo, prometheus=PrometheusSettings(url, query_timeouts(), Credentials(), TlsSettings()))
    return replace(settings, slo=slo)


def with_canary_flags(settings: Settings, *, enabled: bool | None, goldens: str | None) -> Settings:
    """Put `--canary`/`--no-canary` and `--goldens` (a folder) over the settings.

    False sends no canary to any model. True sends them where the section had switched them off: its overrides,
    which are off with it, come on with it.

    Raises:
        ConfigError: the problem names the flag.

    """
    canary = settings.canary
    if enabled is False or (enabled and not canary.options.enabled):
        overrides = tuple((globs, replace(options, enabled=enabled)) for globs, options in canary.overrides)
        canary = replace(canary, options=replace(canary.options, enabled=enabled), overrides=overrides)
    if goldens is not None:
        canary = replace(canary, goldens=_goldens(goldens))
    return replace(settings, canary=canary)


def with_alert_flags(settings: Settings, alertmanagers: Sequence[str]) -> Settings:
    """Put each `--alertmanager` (a URL) in place of the settings' own Alertmanagers; none leaves them.

    The file's credentials, timeout and TLS go with the file's own URLs only.

    Raises:
        ConfigError: each problem names the flag.

    """
    if not alertmanagers:
        return settings
    known = {one.url: one for one in settings.alerts.alertmanagers}
    urls: list[str] = []
    for text in alertmanagers:
        try:
            url = addresses.alertmanager_url(text)
        except ParseError as error:
            raise _error("--alertmanager", str(error)) from None
        if url in urls:
            raise _error("--alertmanager", f"gives {url} twice: keep one.")
        urls.append(url)
    peers = tuple(known.get(url) or Alertmanager(url) for url in urls)
    return replace(settings, alerts=replace(settings.alerts, alertmanagers=peers))


def with_web_flags(settings: Settings, web_config: str | None) -> Settings:
    """Put `--web-config` (a web configuration file) in place of the settings' own; None leaves that.

    Raises:
        ConfigError: the problems are the file's.

    """
    if web_config is None:
        return settings
    path = Path(web_config)
    web = replace(settings.web, config_file=path, tls=load_web_apart(path).tls is not None)
    return replace(settings, web=web)


def _goldens(text: str) -> Path:
    if not text.strip() or not text.isprintable():
        raise _error("--goldens", "is no folder: give its path.")
    try:
        return files.folder(Path(text))
    except ParseError as error:
        raise _error("--goldens", str(error)) from None


def _state(text: str) -> Path | None:
    if not text.strip() or not text.isprintable():
        raise _error("--state", "is no directory: give its path, or none to keep events in memory only.")
    return state_dir(text, Path())


def _history(text: str) -> str:
    kind, separator, url = text.partition("=")
    if kind != "prometheus" or not separator:
        raise _error("--history", "is not of the form prometheus=URL: write it like prometheus=http://prometheus:9090.")
    try:
        return addresses.prometheus_url(url)
    except ParseError as error:
        raise _error("--history", str(error)) from None


def _error(flag: str, message: str) -> ConfigError:
    return ConfigError("command line", [Problem(message, flag)])
