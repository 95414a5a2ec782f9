"""Why a model does not load, by Triton's own words, and what to do: the common errors. The first that fits counts.

`triton-watch check URL` knows many more; an alert has room for one sentence.
"""

from __future__ import annotations

import re
from typing import Final

CAUSES: Final[tuple[tuple[str, str], ...]] = (
    (
        r"unable to find backend library|unable to load (shared|backend) library|backend library '",
        "its backend was not found: name one that this image has (case counts), or take the image that has it",
    ),
    (
        r"out of memory|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation|bad_alloc|Cannot allocate memory|"
        r"failed to allocate|OutOfMemoryError|No space left on device|shared memory (key|pool|region)",
        "memory ran out: fewer instances, a smaller max_batch_size, fewer models on this GPU, or more (shared) memory",
    ),
    (
        r"depends on '|not available or ambiguous|no loaded version|is not ready|not ready for inference",
        "a model that it needs is not ready: load that one first",
    ),
    (
        r"the model expects \d+ dimensions|unexpected shape|shape mismatch|expected shape|inconsistent shape|"
        r"configuration specifies dimensions|dim(ension)?s? .* (does not|doesn't) match|"
        r"shape .* (does not|doesn't) match|unable to autofill|does not support batching",
        "its shapes are not those of the model: with max_batch_size above 0 leave the batch dimension out of dims",
    ),
)
"""A regular expression over the reason (case does not count), and what it means with what to do."""

_COMPILED: Final = tuple((re.compile(pattern, re.IGNORECASE), advice) for pattern, advice in CAUSES)


def cause_of(reason: str) -> str:
    """What Triton's reason means and what to do, without a full stop; empty where it is none of the common ones."""
    return next((advice for pattern, advice in _COMPILED if pattern.search(reason)), "")
