"""What an ensemble's time is made of: the SLIs of its members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from triton_watch.records import ModelConfig, ModelKey, NoData, Sli, SliTable, SliValue
from triton_watch.slo.sli import value_of

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class MemberSlis:
    """One step of an ensemble.

    Times are seconds and cover all of the member's callers, not this ensemble's alone: Triton counts a
    member's requests in one place, whoever sent them.
    """

    key: ModelKey
    request_rate: SliValue | NoData
    queue_time: SliValue | NoData
    compute_infer_time: SliValue | NoData
    request_time: SliValue | NoData


@dataclass(frozen=True, slots=True)
class EnsembleBreakdown:
    """An ensemble's request time (seconds) beside its members'.

    `overhead` is what is left of the request time once the members' request times are taken off; steps
    that run side by side make it negative, and then it is None.
    """

    key: ModelKey
    request_time: SliValue | NoData
    members: tuple[MemberSlis, ...]
    overhead: float | None


def breakdown(table: SliTable, key: ModelKey, configs: Mapping[str, ModelConfig]) -> EnsembleBreakdown | None:
    """Return the breakdown of an ensemble by member, or None when the model is not known to be one."""
    config = configs.get(key.name)
    if config is None or not config.steps:
        return None
    members = tuple(_member(table, _member_key(table, step.model, step.model_version, key)) for step in config.steps)
    whole = value_of(table, key, Sli.REQUEST_TIME)
    return EnsembleBreakdown(key, whole, members, _overhead(whole, members))


def _member(table: SliTable, key: ModelKey) -> MemberSlis:
    return MemberSlis(
        key=key,
        request_rate=value_of(table, key, Sli.REQUEST_RATE),
        queue_time=value_of(table, key, Sli.QUEUE_TIME),
        compute_infer_time=value_of(table, key, Sli.COMPUTE_INFER_TIME),
        request_time=value_of(table, key, Sli.REQUEST_TIME),
    )


def _member_key(table: SliTable, name: str, version: int, ensemble: ModelKey) -> ModelKey:
    """Return the key of a step's model; version -1 is the latest that is loaded."""
    if version > 0:
        return ModelKey(name, str(version), ensemble.namespace)
    loaded = [k for k in table.models.keys if k.name == name and k.namespace == ensemble.namespace]
    numbered = [k for k in loaded if k.version.isdecimal()]
    return max(numbered, key=lambda k: int(k.version)) if numbered else ModelKey(name, "", ensemble.namespace)


def _overhead(whole: SliValue | NoData, members: tuple[MemberSlis, ...]) -> float | None:
    parts = [member.request_time for member in members]
    if isinstance(whole, NoData) or any(isinstance(part, NoData) for part in parts):
        return None
    rest = whole.value - sum(part.value for part in parts if isinstance(part, SliValue))
    return rest if rest >= 0 else None
