"""One targets file, in the format of Prometheus's file_sd: a list of groups with `targets` and `labels`.

- targets: [gpu-1:8000, "https://gpu-2:8443"]
- targets: [10.0.0.7:8000]
  labels: {target: search-0, team: search}

The label `target` names the only target of its group. `__grpc__` and `__metrics_url__` say where that serves
gRPC and metrics; Prometheus drops labels that begin so. All other labels are for Prometheus, and are not looked at; one
that begins with two underscores and is none of Prometheus's own is warned of, for it may be misspelt.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from triton_watch.config.addresses import bracketed, grpc_address, host_port, http_url, metrics_url
from triton_watch.config.errors import ConfigError, Location, ParseError, Problem, dotted
from triton_watch.discovery.building import target_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from triton_watch.records import Target

MAX_BYTES: Final = 4_000_000
_KEYS: Final = ("targets", "labels")
_NAME, _GRPC, _METRICS = "target", "__grpc__", "__metrics_url__"
_PROMETHEUS: Final = re.compile(r"__(?:(?:meta|param|tmp|scrape)_.*|tmp|scheme__|metrics_path__|address__)")
"""Labels with a meaning for Prometheus, or for rules that its users write."""
_LONGEST_NAME: Final = 200
_EMPTY: Final = "says nothing: write [] for no targets."


def parse(
    content: bytes, source: str, template: Target, warn: Callable[[str], None] = lambda _: None
) -> tuple[Target, ...]:
    """Read the targets of a file, in its order; `source` is its name, whose end says whether it is JSON.

    `warn` is given a sentence about each label that looks misspelt.

    Raises `ConfigError` with everything that is wrong with it.
    """
    value, lines = _read(content, source)
    groups = _Groups(lines, template)
    if not isinstance(value, list):
        groups.bad((), "is not a list: begin each group of targets with a dash (in JSON: write [ ... ]).")
    else:
        for index, group in enumerate(value):
            groups.add(group, index)
    if groups.problems:
        raise ConfigError(source, groups.problems)
    for problem in groups.doubts:
        warn(problem.text(source))
    return tuple(groups.targets)


def _read(content: bytes, source: str) -> tuple[Any, Mapping[Location, int]]:
    if len(content) > MAX_BYTES:
        raise ConfigError(source, [Problem("is over 4 MB: this is not a list of targets.")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(source, [Problem("is not UTF-8: save the file as UTF-8.", line=line)]) from error
    if not text.strip():
        raise ConfigError(source, [Problem(_EMPTY)])
    if source.endswith(".json"):
        return _of_json(text, source), {}
    # Only agents that have such files are to hold the 2 MB of yaml.
    from triton_watch.config.document import parse_any  # noqa: PLC0415

    return parse_any(text, source, empty=_EMPTY)


def _of_json(text: str, source: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        problem = Problem(f"is not valid JSON ({error.msg}): correct it here.", "", error.lineno, error.colno)
        raise ConfigError(source, [problem]) from error
    except ParseError as error:
        raise ConfigError(source, [Problem(str(error))]) from error
    except (RecursionError, ValueError) as error:  # a number of thousands of digits
        raise ConfigError(source, [Problem("is no list of targets: look at its brackets and numbers.")]) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ParseError(f"has {json.dumps(name)} twice in one mapping: keep one.")
        found[name] = value
    return found


@dataclass(frozen=True, slots=True)
class _Own:
    """What labels say about the only target of a group; None = nothing."""

    name: str | None = None
    grpc: str | None = None
    metrics: str | None = None


class _Groups:
    """Makes targets of groups, and collects what is wrong."""

    def __init__(self, lines: Mapping[Location, int], template: Target) -> None:
        self._lines = lines
        self._template = template
        self.targets: list[Target] = []
        self.problems: list[Problem] = []
        self._doubts: dict[str, Problem] = {}

    @property
    def doubts(self) -> tuple[Problem, ...]:
        """What may be wrong, once for each label."""
        return tuple(self._doubts.values())

    def bad(self, at: Location, message: str) -> None:
        """Note what is wrong at a location."""
        self.problems.append(self._problem(at, message))

    def _problem(self, at: Location, message: str) -> Problem:
        line = next((self._lines[at[:end]] for end in range(len(at), 0, -1) if at[:end] in self._lines), None)
        return Problem(message, dotted(at), line)

    def add(self, group: object, index: int) -> None:
        """Take a group in."""
        if not isinstance(group, dict):
            self.bad((index,), "is not a group: write targets, and the addresses as a list under it.")
            return
        for key in group:
            if key not in _KEYS:
                self.bad((index, key), "is not known here: a group has targets and labels.")
        addresses = group.get("targets")
        if not isinstance(addresses, list):
            what = "is missing" if "targets" not in group else "is not a list"
            self.bad((index, "targets"), f"{what}: write addresses such as [gpu-1:8000].")
            return
        own = self._own(group.get("labels", {}), len(addresses), (index, "labels"))
        for number, address in enumerate(addresses):
            self._add(address, own, (index, "targets", number))

    def _add(self, address: object, own: _Own, at: Location) -> None:
        if not isinstance(address, str):
            self.bad(at, "is not an address: write host:port in quotes.")
            return
        try:
            self.targets.append(
                target_at(self._template, _url(address), name=own.name or "", grpc=own.grpc, metrics=own.metrics)
            )
        except ParseError as error:
            self.bad(at, str(error))

    def _own(self, labels: object, addresses: int, at: Location) -> _Own:
        if not isinstance(labels, dict):
            self.bad(at, "is not a mapping: write names with a colon and a value.")
            return _Own()
        self._doubt(labels, at)
        for name in (_NAME, _GRPC, _METRICS):
            if name in labels and addresses != 1:
                text = f"is about one target, and the group has {addresses} of them: make a group for each."
                self.bad((*at, name), text)
        return _Own(
            self._label(labels, _NAME, _name, at),
            self._label(labels, _GRPC, grpc_address, at),
            self._label(labels, _METRICS, metrics_url, at),
        )

    def _doubt(self, labels: Mapping[str, object], at: Location) -> None:
        for name in labels:
            is_known = not name.startswith("__") or name in (_GRPC, _METRICS) or _PROMETHEUS.fullmatch(name)
            if not is_known and name not in self._doubts:
                text = f"is a label that is not looked at: those that are are {_NAME}, {_GRPC} and {_METRICS}."
                self._doubts[name] = self._problem((*at, name), text)

    def _label(self, labels: Mapping[str, object], name: str, check: Callable[[str], str], at: Location) -> str | None:
        value = labels.get(name)
        if name not in labels:
            return None
        if not isinstance(value, str):
            self.bad((*at, name), "is not text: put it in quotes.")
            return None
        try:
            return check(value)
        except ParseError as error:
            self.bad((*at, name), str(error))
            return None


def _url(address: str) -> str:
    """Make the URL of an address, which may be one already. Raises `ParseError`."""
    if "://" in address:
        return http_url(address)
    if ":" not in address:
        raise ParseError(f'"{address}" has no port: write it like {address or "gpu-1"}:8000.')
    host, port = host_port(address, example="gpu-1:8000")
    return http_url(f"http://{bracketed(host)}:{port}")


def _name(text: str) -> str:
    if not text.strip() or text != text.strip() or len(text) > _LONGEST_NAME or not text.isprintable():
        raise ParseError("is not a name: use 1 to 200 visible characters, without spaces at the ends.")
    return text
