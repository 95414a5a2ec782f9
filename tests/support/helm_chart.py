"""The Helm chart: the files in it that are made from others, and the table of its values in its README."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CHART: Final = Path(__file__).resolve().parents[2] / "deploy" / "helm" / "triton-watch"
BEGIN: Final = "<!-- table of values: begin, by `make generate` -->"
END: Final = "<!-- table of values: end -->"
FREE: Final = ("resources", "securityContext", "updateStrategy")
"""Mappings of Kubernetes's own: a row for the whole."""
_KEY: Final = re.compile(r"( *)([A-Za-z]+):(.*)")


@dataclass(frozen=True, slots=True)
class Value:
    """A row of the table: `path` is what `--set` takes."""

    path: str
    default: Any
    text: str


def chart_files(monitoring: Mapping[str, str]) -> dict[Path, str]:
    """The chart's copies of rules and boards, out of what `triton-watch generate all` writes.

    Boards are compact: a release of Helm is a Secret of 1 MiB at most, and has the chart in it.
    """
    boards = {
        CHART / "files" / path: json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False) + "\n"
        for path, text in monitoring.items()
        if path.startswith("dashboards/") and path.endswith(".json")
    }
    return {CHART / "files" / "rules.yaml": monitoring["alerts/rules.yaml"], **boards}


def left_over(made: Mapping[Path, str]) -> list[Path]:
    """Copies in the chart of what is there no more."""
    return [path for path in sorted((CHART / "files").rglob("*")) if path.is_file() and path not in made]


def values() -> list[Value]:
    """What values.yaml has, in its order: keys, defaults, and the comments above them."""
    text = (CHART / "values.yaml").read_text()
    return list(_leaves(yaml.safe_load(text), _comments(text), ""))


def _leaves(node: Mapping[str, Any], comments: Mapping[str, str], prefix: str) -> Iterator[Value]:
    for key, value in node.items():
        path = f"{prefix}{key}"
        if (
            isinstance(value, dict)
            and value
            and key not in FREE
            and any(one.startswith(f"{path}.") for one in comments)
        ):
            if path in comments:
                yield Value(path, None, comments[path])
            yield from _leaves(value, comments, f"{path}.")
        else:
            yield Value(path, value, comments.get(path, ""))


def _comments(text: str) -> dict[str, str]:
    """The comment directly above each key, by the key's path."""
    found: dict[str, str] = {}
    path: list[str] = []
    above: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        match = _KEY.match(line)
        if stripped.startswith("#"):
            above.append(stripped.removeprefix("#").strip())
            continue
        if match:
            depth = len(match.group(1)) // 2
            path = [*path[:depth], match.group(2)]
            if above:
                found[".".join(path)] = " ".join(above)
        above = []
    return found


def table() -> str:
    """The table of values, as Markdown."""
    rows = [f"| `{one.path}` | {_shown(one)} | {_cell(one.text)} |" for one in values()]
    return "\n".join(["| value | default | what it is |", "| --- | --- | --- |", *rows])


def _shown(value: Value) -> str:
    if value.default is None:
        return ""
    if value.default == "":
        return "empty"
    return f"`{_cell(json.dumps(value.default) if not isinstance(value.default, str) else value.default)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def readme() -> str:
    """The chart's README with the table in it."""
    text = (CHART / "README.md").read_text()
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{table()}\n\n{END}{tail}"
