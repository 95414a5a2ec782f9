"""Configuration: `triton-watch.yaml` or flags in, one validated `Settings` out, and its documentation.

Names are imported when they are first used: the daemon uses `load_apart` and the errors alone, and is
spared what the rest needs (see `apart`).
"""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.config.apart import from_flags_apart, load_apart, load_web_apart
    from triton_watch.config.errors import ConfigError, ConfigUnreadableError, ParseError, Problem
    from triton_watch.config.flags import from_flags
    from triton_watch.config.json_schema import schema
    from triton_watch.config.loading import load, load_check, load_slo
    from triton_watch.config.overrides import with_alert_flags, with_canary_flags, with_slo_flags, with_web_flags
    from triton_watch.config.show import masked, masked_yaml
    from triton_watch.config.units import (
        format_duration,
        format_percentage,
        format_size,
        parse_duration,
        parse_percentage,
        parse_size,
    )
    from triton_watch.config.web_file import load_web

__all__ = [
    "ConfigError",
    "ConfigUnreadableError",
    "ParseError",
    "Problem",
    "format_duration",
    "format_percentage",
    "format_size",
    "from_flags",
    "from_flags_apart",
    "load",
    "load_apart",
    "load_check",
    "load_slo",
    "load_web",
    "load_web_apart",
    "masked",
    "masked_yaml",
    "parse_duration",
    "parse_percentage",
    "parse_size",
    "schema",
    "with_alert_flags",
    "with_canary_flags",
    "with_slo_flags",
    "with_web_flags",
]

_HOME: Mapping[str, str] = MappingProxyType(
    {
        "from_flags": "flags",
        "from_flags_apart": "apart",
        "load": "loading",
        "load_check": "loading",
        "load_slo": "loading",
        "load_apart": "apart",
        "load_web": "web_file",
        "load_web_apart": "apart",
        "masked": "show",
        "masked_yaml": "show",
        "schema": "json_schema",
        "with_alert_flags": "overrides",
        "with_canary_flags": "overrides",
        "with_slo_flags": "overrides",
        "with_web_flags": "overrides",
        **dict.fromkeys(("ConfigError", "ConfigUnreadableError", "ParseError", "Problem"), "errors"),
    }
)
"""Name -> the module that defines it; `units` has the rest."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_HOME.get(name, 'units')}")
    return getattr(module, name)
