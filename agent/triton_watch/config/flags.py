"""Settings from the flags of a command, checked like a file's; messages name the flag instead of the path."""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from triton_watch.config.document import Document
from triton_watch.config.errors import ConfigError, Problem
from triton_watch.config.loading import settings_of
from triton_watch.config.overrides import with_canary_flags, with_slo_flags

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from triton_watch.records import Settings

SOURCE = "command line"
_FLAGS: Mapping[str, str] = MappingProxyType(
    {
        "targets": "--target",
        "url": "--target",
        "name": "--name",
        "grpc": "--grpc",
        "metrics_url": "--metrics-url",
        "interval": "--interval",
        "timeouts": "--timeout",
        "headers": "--header",
        "basic_auth.username": "--username",
        "basic_auth": "--password-file",
        "bearer_token_file": "--bearer-token-file",
        "tls.ca_file": "--ca-file",
        "tls": "--insecure-skip-verify",
        "expected_models": "--expect-model",
        "web": "--listen",
        "log.level": "--log-level",
        "log.format": "--log-format",
    }
)
"""Setting, below its target, -> the flag that gives it. The longest prefix counts."""


def from_flags(  # noqa: PLR0913 - one argument a flag
    targets: Sequence[str],
    *,
    name: str | None = None,
    grpc: str | None = None,
    metrics_url: str | None = None,
    headers: Sequence[str] = (),
    username: str | None = None,
    password_file: str | None = None,
    bearer_token_file: str | None = None,
    ca_file: str | None = None,
    insecure_skip_verify: bool = False,
    interval: str | None = None,
    timeout: str | None = None,
    expected_models: Sequence[str] = (),
    listen: str | None = None,
    log_level: str | None = None,
    log_format: str | None = None,
    state: str | None = None,
    history: str | None = None,
    canary: bool | None = None,
) -> Settings:
    """Build settings for servers given as URLs, without a file.

    A URL with port P stands for gRPC on P+1 and metrics on P+2 (8001 and 8002 for Triton's own 8000),
    unless `grpc` and `metrics_url` say otherwise. `name`, `grpc` and `metrics_url` go with a single
    target; everything else holds for all. `headers` are `Name: value`; `interval` and `timeout` (of a
    whole request) are durations such as `5s`; relative paths start at the working directory. `state` and
    `history` are as for `with_slo_flags`; `canary` is `enabled` of `with_canary_flags`.

    Raises:
        ConfigError: each problem names the flag.

    """
    alone = {"name": name, "grpc": grpc, "metrics_url": metrics_url}
    login = _some({"username": username, "password_file": password_file})
    common = {
        "headers": _headers(headers),
        "basic_auth": login,
        "bearer_token_file": bearer_token_file,
        "tls": _some({"ca_file": ca_file, "insecure_skip_verify": insecure_skip_verify or None}),
        "interval": interval,
        "timeouts": _some({"total": timeout}),
        "expected_models": list(expected_models),
    }
    _refuse_misuse(targets, alone, login)
    value = {
        "targets": [{"url": url, **_some(alone), **_some(common)} for url in targets],
        "web": _some({"listen": listen}),
        "log": _some({"level": log_level, "format": log_format}),
    }
    try:
        settings = settings_of(Document(SOURCE, value, {}), Path())
    except ConfigError as error:
        problems = dict.fromkeys(
            Problem(problem.message, _flag(problem.path, many=len(targets) > 1)) for problem in error.problems
        )
        raise ConfigError(SOURCE, list(problems)) from None
    return with_canary_flags(with_slo_flags(settings, state, history), enabled=canary, goldens=None)


def _some(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None and value not in ({}, [])}


def _headers(lines: Sequence[str]) -> dict[str, str]:
    result: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise ConfigError(SOURCE, [Problem('has no colon: write "Name: value".', "--header")])
        if name.strip() in result:
            raise ConfigError(SOURCE, [Problem(f"gives {name.strip()} twice: keep one.", "--header")])
        result[name.strip()] = value.strip()
    return result


def _refuse_misuse(targets: Sequence[str], alone: Mapping[str, str | None], login: Mapping[str, str]) -> None:
    """Refuse what is wrong only between flags. Raises `ConfigError`."""
    problems = []
    if not targets:
        problems.append(Problem("is missing: give the URL of a server, such as http://localhost:8000.", "--target"))
    if len(targets) > 1:
        text = "goes with a single --target: write several servers into a configuration file."
        problems += [Problem(text, _FLAGS[key]) for key, value in alone.items() if value is not None]
    if len(login) == 1:
        problems.append(Problem("and --password-file go together: give both.", "--username"))
    if problems:
        raise ConfigError(SOURCE, problems)


def _flag(path: str, *, many: bool) -> str:
    if many and path.endswith(".name"):
        return "--target"
    setting = re.sub(r"^(?:targets\[\d+\]|defaults)\.?", "", path)
    prefixes = [prefix for prefix in _FLAGS if setting == prefix or setting.startswith((f"{prefix}.", f"{prefix}["))]
    return _FLAGS[max(prefixes, key=len)] if prefixes else "--target"
