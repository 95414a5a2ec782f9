"""What goes wrong while targets are looked for."""

from __future__ import annotations


class DiscoveryError(Exception):
    """A source could not say which targets there are: what it said last counts. `str()` is a sentence."""
