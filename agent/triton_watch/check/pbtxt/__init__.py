"""Reads config.pbtxt as Triton does, and knows where everything stands in it."""

from triton_watch.check.pbtxt.parser import parse_config
from triton_watch.check.pbtxt.records import Comment, ParsedConfig, Path, Place, Problem, ProblemKind, Span

__all__ = ["Comment", "ParsedConfig", "Path", "Place", "Problem", "ProblemKind", "Span", "parse_config"]
