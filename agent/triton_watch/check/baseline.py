"""A baseline: findings that were there when somebody began to check, and are not reported again.

An entry is recognised by its rule, model, file and message. Line numbers do not count, so that a file may be
edited above it; how often it was found does, so that one more of the same is new.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from triton_watch.check.roots import Roots

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from triton_watch.records import Finding

VERSION = 1
_MOST_BYTES = 256 * 1024 * 1024
_NUMBERED = re.compile(r"\b(lines?|columns?) \d+(?:(?:, | and | to )\d+)*|(?<=[^\W\d]):\d+(?::\d+)?\b")


class BaselineError(Exception):
    """A baseline that cannot be used; the message is one sentence for the user."""


class Identity(NamedTuple):
    """What makes two findings the same. `file` is relative to its root."""

    rule: str
    model: str
    file: str
    message: str


def identity(finding: Finding, roots: Roots) -> Identity:
    """Return what a finding is recognised by, wherever the repository lies and whatever is written above it."""
    root, file = roots.split(finding.file or "")
    message = finding.message
    if root is not None and len(root) > 1:
        message = message.replace(root.rstrip("/") + "/", "")
    message = _NUMBERED.sub(lambda match: f"{match[1]} N" if match[1] else ":N", message)
    return Identity(finding.rule, finding.model or "", file, message)


def fingerprints(findings: Iterable[Finding], roots: Sequence[str] = ()) -> Iterator[str]:
    """Yield a hash of each finding's identity; the second of two equal ones gets another."""
    seen: Counter[Identity] = Counter()
    known = Roots(roots)
    for finding in findings:
        one = identity(finding, known)
        text = "\0".join([*one, str(seen[one])])
        seen[one] += 1
        yield hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def write_baseline(findings: Iterable[Finding], roots: Sequence[str] = ()) -> str:
    """Return the text of a baseline with these findings; the same findings give the same text.

    `roots` are the repositories that were checked: files are written relative to them.
    """
    known = Roots(roots)
    counts = Counter(identity(finding, known) for finding in findings)
    entries = [{**one._asdict(), "count": count} for one, count in sorted(counts.items())]
    lines = ",\n".join("    " + json.dumps(entry) for entry in entries)
    return f'{{\n  "version": {VERSION},\n  "findings": [' + (f"\n{lines}\n  " if lines else "") + "]\n}\n"


@dataclass(frozen=True)
class Baseline:
    """Known findings, and how often each may occur."""

    counts: Mapping[Identity, int]

    def filter(self, findings: Iterable[Finding], roots: Sequence[str] = ()) -> tuple[list[Finding], int, int]:
        """Return the findings that are new, how many were known, and how many known ones were not found again."""
        left, known = Counter(self.counts), Roots(roots)
        new = []
        dropped = 0
        for finding in findings:
            one = identity(finding, known)
            if left[one] > 0:
                left[one] -= 1
                dropped += 1
            else:
                new.append(finding)
        return new, dropped, left.total()


def load_baseline(path: Path | str) -> Baseline:
    """Read a baseline. Raises `BaselineError`."""
    data = _read(Path(path))
    if not isinstance(data, dict) or not isinstance(data.get("findings"), list):
        raise BaselineError(f"{path} is no baseline: write one with `triton-watch check --write-baseline`.")
    if data.get("version") != VERSION:
        version = json.dumps(data.get("version"))[:40]
        raise BaselineError(f"{path} has version {version}, this triton-watch reads {VERSION}: write it again.")
    counts: Counter[Identity] = Counter()
    for number, entry in enumerate(data["findings"]):
        one, count = _entry(entry, f"{path}: findings[{number}]")
        counts[one] += count
    return Baseline(counts)


def _read(path: Path) -> Any:  # noqa: ANN401  # JSON, judged by the caller
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise BaselineError(f"{path} is larger than {_MOST_BYTES >> 20} MiB, too large for a baseline.")
        return json.loads(content)
    except OSError as error:
        raise BaselineError(f"{path} cannot be read: {error.strerror or error}.") from None
    except json.JSONDecodeError as error:
        raise BaselineError(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}.") from None
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise BaselineError(f"{path} is not JSON.") from None


def _entry(entry: object, where: str) -> tuple[Identity, int]:
    if not isinstance(entry, dict):
        raise BaselineError(f"{where} is not an object.")
    texts = {name: text for name in Identity._fields if isinstance(text := entry.get(name), str)}
    for name in Identity._fields:
        if name not in texts:
            raise BaselineError(f"{where} has no text `{name}`.")
    count = entry.get("count", 1)
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise BaselineError(f"{where} has a `count` that is no positive number.")
    return Identity(**texts), count
