"""What the name of a container image says about the Triton in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from triton_watch.check.options import Release

if TYPE_CHECKING:
    from triton_watch.check.pbtxt import Span

OFFICIAL = "nvcr.io/nvidia/tritonserver"
_RELEASE = re.compile(r"(?:^|[^0-9])(\d{2})\.(\d{2})(?:[.-]|$)")
_VARIABLE = re.compile(r"\$[({]?\w|\{\{|<[^<>]*>")


@dataclass(frozen=True, slots=True)
class Image:
    """An image's name as written, taken apart. `unknown` says that variables stand for part of it."""

    text: str
    span: Span
    repository: str
    tag: str
    digest: str
    unknown: bool

    @property
    def is_triton(self) -> bool:
        """Whether its name says that there is a tritonserver in it."""
        return "tritonserver" in self.repository.lower()

    @property
    def is_official(self) -> bool:
        """Whether NVIDIA built it."""
        return self.repository == OFFICIAL

    @property
    def release(self) -> Release | None:
        """The release in the tag of a Triton image, as in `24.10-py3`."""
        found = _RELEASE.search(self.tag) if self.is_triton else None
        return Release(int(found[1]), int(found[2])) if found and 1 <= int(found[2]) <= 12 else None

    @property
    def variant(self) -> str:
        """`sdk`, `min` or another part of the tag behind the release; empty for none."""
        found = _RELEASE.search(self.tag)
        return "" if found is None else self.tag[found.end() :].removeprefix("py3").strip("-")


def read_image(text: str, span: Span) -> Image:
    """Take an image's name apart: `registry:5000/name:tag@sha256:…`."""
    name, _, digest = text.strip().partition("@")
    head, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        head, tag = name, ""
    return Image(text, span, head, tag, digest, bool(_VARIABLE.search(text)))
