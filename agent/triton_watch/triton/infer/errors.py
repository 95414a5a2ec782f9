"""An inference that was not answered with a result: why, and in which words of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from triton_watch.records import CanaryReason


class InferError(Exception):
    """`reason` is one of those without a result; `hint` says what to do where that is known; `seconds` it took.

    The text is the server's own, or the network's.
    """

    def __init__(self, reason: CanaryReason, text: str, *, hint: str = "", seconds: float = 0.0) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text
        self.hint = hint
        self.seconds = seconds
