"""Configuration: `triton-watch.yaml` or flags in, one validated `Settings` out, and its documentation."""

from triton_watch.config.errors import ConfigError, ConfigUnreadableError, ParseError, Problem
from triton_watch.config.flags import from_flags
from triton_watch.config.json_schema import schema
from triton_watch.config.load import load
from triton_watch.config.show import masked, masked_yaml
from triton_watch.config.units import (
    format_duration,
    format_percentage,
    format_size,
    parse_duration,
    parse_percentage,
    parse_size,
)

__all__ = [
    "ConfigError",
    "ConfigUnreadableError",
    "ParseError",
    "Problem",
    "format_duration",
    "format_percentage",
    "format_size",
    "from_flags",
    "load",
    "masked",
    "masked_yaml",
    "parse_duration",
    "parse_percentage",
    "parse_size",
    "schema",
]
