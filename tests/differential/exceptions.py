"""Where the linter and the judge may differ, and why. Everything else must agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from differential.case import Case, Verdict

_COMPLETES = "the stand-in completes no configuration, the real backend does: we warn"
_CUSTOM = "a name that may be a site's own backend: we say so as advice"
_RUN = "only running the model's code shows it"
_LIMIT = "depends on --rate-limit-resource, which the linter is not told"

NAMED = {
    "agents-checksum": "the wheel lacks the checksum agent, NVIDIA's containers have it",
    "backend-model-py-in-model-directory": _CUSTOM,
    "backend-unknown": _CUSTOM,
    "pair-unknown-unknown": _CUSTOM,
    "ensemble-member-unknown-backend": _CUSTOM,
    "parameters-execution-env-missing": "an absolute path on the server's machine",
    "python-initialize-fails": _RUN,
    "warmup-python-model": _RUN,
    "group-rate-limiter-above-limit-on": _LIMIT,
    "group-rate-limiter-not-in-limits-on": _LIMIT,
    "repository-twice-in-two-namespaces": "two repositories under --model-namespacing, which the linter is not told",
}
"""Cases by name."""

_WORDS = {
    "model configuration is not provided for model": _COMPLETES,
    "unable to find backend library for backend 'x'": _CUSTOM,
}
"""Beginnings of what the server says of mutated models."""


def excepted(case: Case, verdict: Verdict) -> str | None:
    """Return the reason why a difference is no defect, or None."""
    if case.name in NAMED:
        return NAMED[case.name]
    if not verdict.refused:
        return None
    for words, reason in _WORDS.items():
        if words in verdict.reason:
            return reason
    if "stand-in" in case.tags:
        return _COMPLETES
    return None
