"""The repository index, read: which models there are, and in which state."""

from __future__ import annotations

from triton_watch.records import ModelKey, ModelState, ModelStatus
from triton_watch.triton.fields import Fields

_STATES = frozenset({"READY", "UNAVAILABLE", "LOADING", "UNLOADING"})


def from_json(items: list[object], url: str = "") -> tuple[ModelState, ...]:
    """The states in POST /v2/repository/index, in its order. Raises GarbageError.

    A model that was never loaded, or was refused when the repository was read, has only its name
    there; one that was unloaded is UNAVAILABLE with the reason "unloaded" (2.51, real server).
    """
    return tuple(_state(Fields(item, f"[{number}]", url)) for number, item in enumerate(items))


def _state(item: Fields) -> ModelState:
    key = ModelKey(item.text("name"), item.text("version", ""), item.text("namespace", ""))
    reason = item.text("reason", "")
    return ModelState(key, _status(item.text("state", ""), reason, key.version), reason)


def _status(state: str, reason: str, version: str) -> ModelStatus:
    if state == "UNAVAILABLE" and reason == "unloaded":
        return ModelStatus.UNLOADED
    if state in _STATES:
        return ModelStatus(state)
    return ModelStatus.UNKNOWN if state or version else ModelStatus.NOT_LOADED
