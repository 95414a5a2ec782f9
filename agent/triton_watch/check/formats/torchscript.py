"""TorchScript: the arguments of `forward`, from the code in the archive. Nothing is unpickled.

Details: forward (its arguments but self, by commas), optional (those with a default), returns (its type as
TorchScript writes it), class, version (of the archive).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from triton_watch.check.formats import zips
from triton_watch.check.formats.model import Format, FormatError, Reading

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from triton_watch.check.formats.source import Source

_MOST_CODE: Final = 1 << 20
"""Bytes of one file of code that are inflated."""
_CLASS: Final = re.compile(rb"c(__torch__[\w.]*)\n(\w+)\n")
"""The first global of data.pkl is the module's class: module and name after the opcode GLOBAL."""
_FORWARD: Final = re.compile(r"^  def forward\(([^()]*)\) -> ([^\n]*):$", re.MULTILINE)
_ARGUMENT: Final = re.compile(r"(\w+): [^=]*(=.*)?", re.DOTALL)


def read(source: Source, path: Path, known: Format) -> Reading:  # noqa: ARG001 - the signature of all readers
    """Return facts of a TorchScript archive; it names no outputs, types or shapes. Raises FormatError, OSError."""
    files = zips.directory(source)
    root = next((name.removesuffix("data.pkl") for name in files if re.fullmatch(r"[^/]+/data\.pkl", name)), None)
    if root is None:
        return Reading(problem="has no data.pkl in it, so it is no complete TorchScript archive")
    detail: dict[str, str] = {}
    if root + "version" in files:
        detail["version"] = zips.content(source, files[root + "version"], 20).decode("ascii", "replace").strip()
    pickled = zips.content(source, files[root + "data.pkl"], 4096)
    found = _CLASS.search(pickled)
    if found:
        module, name = found[1].decode("ascii", "replace"), found[2].decode("ascii", "replace")
        detail["class"] = name
        detail.update(_forward(source, files, f"{root}code/{module.replace('.', '/')}.py", name))
    return Reading(detail=detail, problem=zips.damage(source, files))


def _forward(source: Source, files: Mapping[str, zips.Entry], name: str, of: str) -> Mapping[str, str]:
    """Return arguments and result of a class's forward, or nothing when the code does not show them."""
    try:
        code = zips.content(source, files[name], _MOST_CODE).decode("utf-8", "replace")
    except (KeyError, FormatError):
        return {}
    start = code.find(f"class {of}(Module):")
    end = code.find("\nclass ", start + 1)
    found = _FORWARD.search(code, max(start, 0), len(code) if end < 0 else end)
    if start < 0 or found is None:
        return {}
    arguments = _arguments(found[1])
    optional = [name for name, default in arguments if default]
    facts = {"forward": ",".join(name for name, _ in arguments), "optional": ",".join(optional), "returns": found[2]}
    return {key: value for key, value in facts.items() if value}


def _arguments(text: str) -> list[tuple[str, bool]]:
    """Return names of a signature but the first (self), and whether each has a default. Brackets hold commas too."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "[{(") - (character in ")}]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    found = (_ARGUMENT.match(part.strip()) for part in parts[1:])
    return [(match[1], bool(match[2])) for match in found if match]
