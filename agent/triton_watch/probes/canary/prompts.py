"""Inputs whose names have a meaning that is known: what language model backends and their frontends take.

Names and types as in NVIDIA's vLLM and TensorRT-LLM backends; short answers, and the same ones each time.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

Pair = tuple["bool | int | float | str", "bool | int | float | str"]
"""The value in the first and in the second input."""

_TOKENS = 4
_SAMPLING = f'{{"max_tokens": {_TOKENS}, "temperature": 0}}'
_PROMPTS: Pair = ("The capital of France is", "Two and two make")

KNOWN: Final[Mapping[str, Pair]] = MappingProxyType(
    {
        "text_input": _PROMPTS,
        "prompt": _PROMPTS,
        "stream": (False, False),
        "streaming": (False, False),
        "sampling_parameters": (_SAMPLING, _SAMPLING),
        "exclude_input_in_output": (True, True),
        "max_tokens": (_TOKENS, _TOKENS),
        "request_output_len": (_TOKENS, _TOKENS),
        "min_length": (1, 1),
        "beam_width": (1, 1),
        "top_k": (1, 1),
        "runtime_top_k": (1, 1),
        "temperature": (1.0, 1.0),
        "random_seed": (1, 1),
        "bad_words": ("", ""),
        "stop_words": ("", ""),
        "return_log_probs": (False, False),
        "return_context_logits": (False, False),
        "return_generation_logits": (False, False),
        "return_finish_reason": (False, False),
        "return_num_input_tokens": (False, False),
        "return_num_output_tokens": (False, False),
    }
)
"""Input name, in lower case -> values."""

ALWAYS_GIVEN: Final = frozenset({"sampling_parameters", "max_tokens", "request_output_len"})
"""Optional inputs that are given all the same: without them a model may talk for minutes."""
