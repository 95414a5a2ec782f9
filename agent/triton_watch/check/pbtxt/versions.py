"""Which fields came with which release of Triton: an older server refuses a file that has them.

Found by comparing `model_config_pb2.py` of tritonclient's wheels from 2.31.0 (23.02) to 2.73.0 (mid-2026).
A release is named as NVIDIA's containers are, year and month.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELD_SINCE: Mapping[str, str] = MappingProxyType(
    {
        "ModelConfig.model_metrics": "24.11",
        "ModelConfig.runtime": "24.01",
        "ModelEnsembling.max_inflight_requests": "25.11",
        "ModelInput.is_non_linear_format_io": "24.08",
        "ModelOutput.is_non_linear_format_io": "24.08",
        "ModelSequenceBatching.State.use_growable_memory": "23.11",
        "ModelSequenceBatching.State.use_same_buffer_for_input_output": "23.11",
        "ModelSequenceBatching.iterative_sequence": "23.11",
    }
)
"""`Message.field` to the first release that knows it."""

NEWER_FIELDS: Mapping[str, str] = MappingProxyType({})
"""The same for fields that came after the tritonclient that we read the schema from: they are passed over."""
