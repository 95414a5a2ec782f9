"""What has to outlive a restart: where every alert stands, and what the delivery still owes its peers."""

from __future__ import annotations

import json
import math
import zlib
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from triton_watch.records import AlertKey, AlertPhase, AlertSeverity, AlertState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from triton_watch.records import Labels

_T = TypeVar("_T")

_PHASES: Final = frozenset(one.value for one in AlertPhase)
_SEVERITIES: Final = frozenset(one.value for one in AlertSeverity)
LATEST: Final = 1e10
"""Unix seconds before which every moment is, in 2286: later ones cannot be written as a date everywhere."""
_FORM: Final = 1
_LEVEL: Final = 1
"""Of compression, which is there for its checksum as well: a database has none."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept. `peers` are plain JSON values by URL; `problem` is a sentence, "" = there is none."""

    states: tuple[AlertState, ...] = ()
    peers: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    problem: str = ""


def pack(states: Iterable[AlertState], peers: Mapping[str, object]) -> bytes:
    """Alerts, and what else is to be kept of each peer: JSON values. The same bytes for the same values."""
    document = {"form": _FORM, "states": [_packed(state) for state in states], "peers": dict(peers)}
    return zlib.compress(json.dumps(document, sort_keys=True, separators=(",", ":")).encode(), _LEVEL)


def unpack(blob: bytes) -> Kept:
    """What `pack` was given; nothing, and why, where that cannot be read. Never raises.

    An alert whose phase or severity has a name that is not known is left out: a newer triton-watch wrote it.
    """
    if not blob:
        return Kept()
    try:
        document = _object(json.loads(zlib.decompress(blob)))
        if document["form"] != _FORM:
            return Kept(problem=f"they were written in form {document['form']!r}, which this version does not know")
        read = [_object(one) for one in _list(document["states"])]
        states = tuple(_unpacked(one) for one in read if _is_known(one))
        return Kept(states, MappingProxyType(_object(document["peers"])))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, zlib.error) as error:
        return Kept(problem=f"what was stored of them is damaged ({type(error).__name__}: {error})")


def _packed(state: AlertState) -> dict[str, object]:
    return {**state.key._asdict(), **{name: getattr(state, name) for name in _FIELDS}}


def _unpacked(read: dict[str, Any]) -> AlertState:
    key = AlertKey(_text(read["alert"]), AlertSeverity(read["severity"]), _labels(read["labels"]))
    state = AlertState(key, **{name: parse(read[name]) for name, parse in _FIELDS.items()})
    told = {AlertPhase.PENDING: (), AlertPhase.FIRING: (state.fired_at,)}
    if None in told.get(state.phase, (state.fired_at, state.resolved_at)):
        raise ValueError(f"an alert is {state.phase.value}, and nothing says since when")
    return state


def _is_known(read: dict[str, Any]) -> bool:
    return _text(read["phase"]) in _PHASES and _text(read["severity"]) in _SEVERITIES


def _object(value: object) -> dict[str, Any]:
    return _of(dict, value)


def _list(value: object) -> list[Any]:
    return _of(list, value)


def _text(value: object) -> str:
    return _of(str, value)


def _bool(value: object) -> bool:
    return _of(bool, value)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"a number was expected in the place of a {type(value).__name__}")
    return float(value)


def _seconds(value: object) -> float:
    seconds = _number(value)
    if not math.isfinite(seconds):
        raise ValueError(f"a time is {seconds}")
    return seconds


def _moment(value: object) -> float:
    moment = _number(value)
    if not 0 <= moment < LATEST:
        raise ValueError(f"a moment is {moment}")
    return moment


def _labels(value: object) -> Labels:
    pairs = (_list(pair) for pair in _list(value))
    return tuple(sorted((_text(name), _text(text)) for name, text in pairs))


def _bools(value: object) -> tuple[bool, ...]:
    return tuple(_bool(one) for one in _list(value))


def _or_none(parse: Callable[[object], float]) -> Callable[[object], float | None]:
    return lambda value: None if value is None else parse(value)


def _of(kind: type[_T], value: object) -> _T:
    if not isinstance(value, kind):
        raise TypeError(f"a {kind.__name__} was expected in the place of a {type(value).__name__}")
    return value


_FIELDS: Final[Mapping[str, Callable[[object], Any]]] = MappingProxyType(
    {
        "phase": AlertPhase,
        "active_at": _moment,
        "fired_at": _or_none(_moment),
        "resolved_at": _or_none(_moment),
        "held": _seconds,
        "unmet": _seconds,
        "hold": _seconds,
        "recent": _bools,
        "is_known": _bool,
        "summary": _text,
        "detail": _text,
        "value": _or_none(_number),
    }
)
"""Every field of an alert but its key, and how it is read."""
