"""Which models are the steps of which ensembles, as series."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from triton_watch.records import ModelKey, ModelStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from triton_watch.records import ModelConfig, ModelState


class Step(NamedTuple):
    """A step of an ensemble that was loaded: `number` counts from 1, in the order of the configuration."""

    ensemble: ModelKey
    number: int
    member: ModelKey
    """Its version is "" where none is ready."""


def steps(states: Iterable[ModelState], configs: Mapping[str, ModelConfig]) -> Iterator[Step]:
    """Yield the steps of every ensemble whose configuration is known."""
    known = tuple(states)
    ensembles = [one.key for one in known if one.key.name in configs and configs[one.key.name].steps]
    latest = _latest(known) if ensembles else {}
    for ensemble in ensembles:
        for number, step in enumerate(configs[ensemble.name].steps, 1):
            version = step.model_version if step.model_version > 0 else latest.get((step.model, ensemble.namespace))
            member = ModelKey(step.model, "" if version is None else str(version), ensemble.namespace)
            yield Step(ensemble, number, member)


def _latest(states: Iterable[ModelState]) -> dict[tuple[str, str], int]:
    """The highest version that is ready, by name and namespace: what a step takes that names none."""
    latest: dict[tuple[str, str], int] = {}
    for state in states:
        key = state.key
        if state.status is ModelStatus.READY and key.version.isdecimal():
            place = key.name, key.namespace
            latest[place] = max(int(key.version), latest.get(place, 0))
    return latest
