"""Where the linter and the judge may differ, and why. Everything else must agree."""

from __future__ import annotations

import re
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

_PROVIDED = "model configuration is not provided for model"
_COMPLETERS = re.compile(r'"(?:tensorrt|tensorrt_plan|tensorflow|tensorflow_\w+|openvino)"')
"""Backends that complete a tensor of which the configuration says only a part; ONNX Runtime completes whole lists."""
_CHANGE = re.compile(r"(?P<model>\S+): (?P<what>.*)$")
_PART_OF_TENSOR = re.compile(
    r"(?:(?:removed|moved) |changed \w+ to TYPE_INVALID in )(?:input|output)\.(?:data_type|dims)$"
)
_WHOLE_TENSOR = re.compile(r"removed (?:input|output)$")
_RENAMED = re.compile(r'changed "\w+" to "(?:x|1)" in backend$')


def excepted(case: Case, verdict: Verdict) -> str | None:
    """Return the reason why a difference is no defect, or None."""
    if case.name in NAMED:
        return NAMED[case.name]
    if not verdict.refused:
        return None
    if "stand-in" in case.tags or _PROVIDED in verdict.reason:
        return _COMPLETES
    return _of_mutation(case) if case.name.startswith("mutation-") else None


def _of_mutation(case: Case) -> str | None:
    """Return why one random change is judged otherwise: `note` says which model was changed, and how."""
    change = _CHANGE.search(case.note)
    if change is None:
        return None
    what = change["what"]
    if _RENAMED.search(what):
        return _CUSTOM
    config = case.repositories[0].get(change["model"], {}).get("config.pbtxt")
    text = config if isinstance(config, str) else ""
    completes = _COMPLETERS.search(text) or (_WHOLE_TENSOR.search(what) and "onnxruntime" in text)
    return _COMPLETES if completes and (_PART_OF_TENSOR.search(what) or _WHOLE_TENSOR.search(what)) else None
