"""What conditions share: labels of their subjects, what of a snapshot is of this very poll, and how to end a detail."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from triton_watch.records import AlertCase
from triton_watch.slo.words import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from triton_watch.records import Labels, ModelKey, ModelState, TargetSnapshot

MODEL: Final = ("model", "version")
"""The labels of an alert about a model version."""
_CACHED: Final = 16_384


def labels(**names: str) -> Labels:
    """Labels as a case has them: sorted, the empty ones left out."""
    return tuple(sorted((name, value) for name, value in names.items() if value))


@lru_cache(_CACHED)
def of_model(key: ModelKey) -> Labels:
    """The labels of a model version, the same object each time: there may be thousands at each poll."""
    return labels(model=key.name, version=key.version, model_namespace=key.namespace)


@lru_cache(_CACHED)
def unknown_of(key: ModelKey) -> AlertCase:
    """A model version of which nothing is known, the same object each time: that may be all of them at each poll."""
    return AlertCase(of_model(key), holds=None)


def states_now(snapshot: TargetSnapshot) -> tuple[ModelState, ...] | None:
    """The repository index as this cycle read it; None = it could not, and the last one is old."""
    index = snapshot.probes.get("index")
    return snapshot.models if index is None or index.ok else None


def versions_in(states: Iterable[ModelState]) -> frozenset[tuple[str, str]]:
    """Name and version of each state."""
    return frozenset([state.key[:2] for state in states])


def sentence(text: str) -> str:
    """A text on one line that ends with one full stop."""
    said = " ".join(text.split()).rstrip(" .;:,")
    return said if said.endswith("?") else f"{said}."


def counted(count: int, noun: str) -> str:
    """`1 model`, `3 models`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def named(keys: Iterable[ModelKey]) -> str:
    """The names of models in a sentence, each once; many are counted."""
    return listed(list(_once(key.name for key in keys)))


def _once(names: Iterable[str]) -> Iterator[str]:
    return iter(dict.fromkeys(names))
