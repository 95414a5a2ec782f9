"""The messages of Triton's model configuration, from tritonclient. Their types are in messages.pyi.

Importing `tritonclient.grpc` would import grpc and numpy, 0.3 s; one generated file of it is all that is needed.
"""

from __future__ import annotations

from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

_FILE = "grpc/model_config_pb2.py"


def _load() -> ModuleType:
    """Run tritonclient's generated file, without tritonclient. Raises ImportError in one sentence."""
    package = find_spec("tritonclient")
    folders = (package.submodule_search_locations if package else None) or []
    for folder in folders:
        spec = spec_from_file_location("triton_watch_model_config_pb2", Path(folder, _FILE))
        if spec is not None and spec.loader is not None and Path(folder, _FILE).is_file():
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    raise ImportError(f"tritonclient with {_FILE} is not installed: run `pip install tritonclient`")


_MODULE = _load()

BatchInput = _MODULE.BatchInput
BatchOutput = _MODULE.BatchOutput
DataType = _MODULE.DataType
ModelConfig = _MODULE.ModelConfig
ModelDynamicBatching = _MODULE.ModelDynamicBatching
ModelEnsembling = _MODULE.ModelEnsembling
ModelInput = _MODULE.ModelInput
ModelInstanceGroup = _MODULE.ModelInstanceGroup
ModelMetrics = _MODULE.ModelMetrics
ModelOperations = _MODULE.ModelOperations
ModelOptimizationPolicy = _MODULE.ModelOptimizationPolicy
ModelOutput = _MODULE.ModelOutput
ModelParameter = _MODULE.ModelParameter
ModelQueuePolicy = _MODULE.ModelQueuePolicy
ModelRateLimiter = _MODULE.ModelRateLimiter
ModelRepositoryAgents = _MODULE.ModelRepositoryAgents
ModelResponseCache = _MODULE.ModelResponseCache
ModelSequenceBatching = _MODULE.ModelSequenceBatching
ModelTensorReshape = _MODULE.ModelTensorReshape
ModelTransactionPolicy = _MODULE.ModelTransactionPolicy
ModelVersionPolicy = _MODULE.ModelVersionPolicy
ModelWarmup = _MODULE.ModelWarmup
