"""OpenSLO v1 documents to settings of objectives: our own exactly, others as far as they are understood."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from triton_watch.config.document import MAX_BYTES, Document
from triton_watch.config.errors import ConfigError, ConfigUnreadableError, Problem
from triton_watch.config.expand import escaped
from triton_watch.config.loading import slo_of
from triton_watch.config.openslo.foreign import understood
from triton_watch.config.openslo.node import Node, RefusalError
from triton_watch.config.openslo.own import is_own, own_settings, shared_settings
from triton_watch.config.openslo.terms import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch.records import Objective

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Named:
    """A document, where it is from, and what it is called in messages."""

    source: str
    title: str
    kind: str
    node: Node

    def problem(self, error: RefusalError) -> Problem:
        """Say what is wrong with the document, and in which field."""
        return Problem(str(error), f"{self.title}: {error.path}" if error.path else self.title)


@dataclass(slots=True)
class Imported:
    """What came of documents: objectives, and sentences about what was left out."""

    objectives: tuple[Objective, ...] = ()
    ignored: list[str] = field(default_factory=list)


def read_documents(paths: Sequence[Path]) -> list[Named]:
    """Read all YAML documents of some files.

    Raises `ConfigUnreadableError` when a file cannot be read and `ConfigError` when it is no YAML.
    """
    return [one for path in paths for one in _documents(path)]


def objectives_of(documents: Sequence[Named]) -> Imported:
    """Make objectives of documents of kind SLO, with the SLI documents that they refer to.

    Raises:
        ConfigError: a document is not understood; the first one of each file is told with its field.

    """
    result = Imported()
    indicators = {_name(one.node): one for one in documents if one.kind == "SLI"}
    settings: list[Json] = []
    owners: list[Named] = []
    for one in documents:
        if one.kind == "SLO":
            made = _attempt(one, indicators, result)
            settings += made
            owners += [one] * len(made)
        elif one.kind != "SLI":
            result.ignored.append(f"{one.source}: {one.title} is not read: only SLO and SLI are.")
    result.objectives = _checked(settings, owners)
    return result


def _documents(path: Path) -> list[Named]:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        problem = Problem(f"cannot be read ({error.strerror}): give the path of an OpenSLO file.")
        raise ConfigUnreadableError(str(path), [problem]) from error
    if len(content) > MAX_BYTES:
        raise ConfigError(str(path), [Problem("is over 4 MB: this is not a file of OpenSLO documents.")])
    try:
        values = [value for value in yaml.safe_load_all(content) if value is not None]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        text = "is not valid YAML: look at the indentation, quotes and colons here and on the line above."
        raise ConfigError(str(path), [Problem(text, line=line)]) from error
    if not values:
        raise ConfigError(str(path), [Problem("is empty: give a file with OpenSLO documents.")])
    return [_named(str(path), index, value) for index, value in enumerate(values, start=1)]


def _named(source: str, index: int, value: object) -> Named:
    node = Node(value)
    try:
        version, kind = node.at("apiVersion").text(), node.at("kind").text()
        if version != API_VERSION:
            raise node.at("apiVersion").refused(f"is not {API_VERSION}, the only version that is understood")
        return Named(source, f"{kind} {_name(node) or index}", kind, node)
    except RefusalError as error:
        raise ConfigError(source, [Problem(str(error), f"document {index}: {error.path}".rstrip(": "))]) from error


def _name(node: Node) -> str:
    name = node.at("metadata", "name").value
    return name if isinstance(name, str) else ""


def _attempt(one: Named, indicators: dict[str, Named], result: Imported) -> list[Json]:
    try:
        return _settings(one, indicators, result)
    except RefusalError as error:
        raise ConfigError(one.source, [one.problem(error)]) from error


def _settings(one: Named, indicators: dict[str, Named], result: Imported) -> list[Json]:
    spec = one.node.at("spec")
    if spec.at("alertPolicies").items():
        result.ignored.append(f"{one.source}: {one.title}: spec.alertPolicies are not read: see alerts instead.")
    entries = spec.at("objectives").items()
    if not entries:
        raise spec.at("objectives").refused("is missing or empty")
    if is_own(one.node):
        return [own_settings(one.node, entries[0])]
    indicator = _indicator(spec, indicators)
    made = []
    for index, entry in enumerate(entries, start=1):
        found = understood(indicator, entry)
        suffix = "" if len(entries) == 1 else f"-{index}"
        made.append({"name": f"{_name(one.node)}{suffix}", **shared_settings(one.node, entry), **found.settings})
        if found.left_out:
            labels = ", ".join(found.left_out)
            result.ignored.append(
                f"{one.source}: {one.title}: the labels {labels} are left out: targets say which servers."
            )
    return made


def _indicator(spec: Node, indicators: dict[str, Named]) -> Node:
    if spec.at("indicator").value is not None:
        return spec.at("indicator")
    reference = spec.at("indicatorRef")
    if reference.text() not in indicators:
        raise reference.refused(f"names the SLI {reference.text()}, which is in none of the files")
    return indicators[reference.text()].node


def _checked(settings: list[Json], owners: list[Named]) -> tuple[Objective, ...]:
    """Check settings like those of a configuration; a problem names the document instead of the list entry."""
    section = escaped({"state_dir": "none", "objectives": settings})
    try:
        return slo_of(Document("", {"slo": section}, {}), Path(), {}).objectives
    except ConfigError as error:
        problem = error.problems[0]
        place = re.match(r"slo\.objectives\[(\d+)\]\.?(.*)", problem.path)
        if place is None:
            raise
        owner = owners[int(place[1])]
        raise ConfigError(owner.source, [owner.problem(RefusalError(place[2], problem.message))]) from None
