# Types of Triton's model configuration as tritonclient has it; test_messages.py compares them with the descriptor.
# ruff: noqa: N802 - the names are protobuf's

from abc import ABCMeta
from collections.abc import Mapping, MutableMapping, MutableSequence
from typing import ClassVar, Protocol, TypeVar

from typing_extensions import Self

_T = TypeVar("_T")
_K = TypeVar("_K")

class EnumValueDescriptor(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def number(self) -> int: ...

class EnumDescriptor(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def values(self) -> list[EnumValueDescriptor]: ...

class OneofDescriptor(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def fields(self) -> list[FieldDescriptor]: ...

class FieldDescriptor(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def cpp_type(self) -> int: ...
    @property
    def label(self) -> int: ...
    @property
    def has_presence(self) -> bool: ...
    @property
    def message_type(self) -> Descriptor | None: ...
    @property
    def enum_type(self) -> EnumDescriptor | None: ...
    @property
    def containing_oneof(self) -> OneofDescriptor | None: ...

class MessageOptions(Protocol):
    @property
    def map_entry(self) -> bool: ...

class Descriptor(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def full_name(self) -> str: ...
    @property
    def fields(self) -> list[FieldDescriptor]: ...
    @property
    def fields_by_name(self) -> Mapping[str, FieldDescriptor]: ...
    @property
    def oneofs(self) -> list[OneofDescriptor]: ...
    @property
    def enum_types(self) -> list[EnumDescriptor]: ...
    @property
    def nested_types(self) -> list[Descriptor]: ...
    def GetOptions(self) -> MessageOptions: ...

# An enumeration; its values are plain integers. Name() and Value() raise ValueError for what is not there.
class EnumType:
    DESCRIPTOR: EnumDescriptor
    def Name(self, number: int) -> str: ...
    def Value(self, name: str) -> int: ...
    def keys(self) -> list[str]: ...
    def values(self) -> list[int]: ...
    def items(self) -> list[tuple[str, int]]: ...

class Message:
    DESCRIPTOR: ClassVar[Descriptor]
    def __init__(self) -> None: ...
    def ByteSize(self) -> int: ...
    def Clear(self) -> None: ...
    def ClearField(self, field_name: str) -> None: ...
    def SetInParent(self) -> None: ...
    def CopyFrom(self, other: Self) -> None: ...
    def MergeFrom(self, other: Self) -> None: ...
    def HasField(self, field_name: str) -> bool: ...
    def WhichOneof(self, oneof_group: str) -> str | None: ...
    def SerializeToString(self) -> bytes: ...

# A repeated message.
class Messages(MutableSequence[_T], metaclass=ABCMeta):
    def add(self) -> _T: ...

# A map of messages: reading a key makes its message.
class MessageMap(Mapping[_K, _T], metaclass=ABCMeta):
    def get_or_create(self, key: _K) -> _T: ...
    def __delitem__(self, key: _K) -> None: ...

DataType: EnumType

class BatchInput(Message):
    Kind: ClassVar[EnumType]
    BATCH_ELEMENT_COUNT: ClassVar[int]
    BATCH_ACCUMULATED_ELEMENT_COUNT: ClassVar[int]
    BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO: ClassVar[int]
    BATCH_MAX_ELEMENT_COUNT_AS_SHAPE: ClassVar[int]
    BATCH_ITEM_SHAPE: ClassVar[int]
    BATCH_ITEM_SHAPE_FLATTEN: ClassVar[int]
    kind: int
    target_name: MutableSequence[str]
    data_type: int
    source_input: MutableSequence[str]

class BatchOutput(Message):
    Kind: ClassVar[EnumType]
    BATCH_SCATTER_WITH_INPUT_SHAPE: ClassVar[int]
    target_name: MutableSequence[str]
    kind: int
    source_input: MutableSequence[str]

class ModelConfig(Message):
    name: str
    platform: str
    backend: str
    runtime: str
    version_policy: ModelVersionPolicy
    max_batch_size: int
    input: Messages[ModelInput]
    output: Messages[ModelOutput]
    batch_input: Messages[BatchInput]
    batch_output: Messages[BatchOutput]
    optimization: ModelOptimizationPolicy
    dynamic_batching: ModelDynamicBatching
    sequence_batching: ModelSequenceBatching
    ensemble_scheduling: ModelEnsembling
    instance_group: Messages[ModelInstanceGroup]
    default_model_filename: str
    cc_model_filenames: MutableMapping[str, str]
    metric_tags: MutableMapping[str, str]
    parameters: MessageMap[str, ModelParameter]
    model_warmup: Messages[ModelWarmup]
    model_operations: ModelOperations
    model_transaction_policy: ModelTransactionPolicy
    model_repository_agents: ModelRepositoryAgents
    response_cache: ModelResponseCache
    model_metrics: ModelMetrics

class ModelDynamicBatching(Message):
    preferred_batch_size: MutableSequence[int]
    max_queue_delay_microseconds: int
    preserve_ordering: bool
    priority_levels: int
    default_priority_level: int
    default_queue_policy: ModelQueuePolicy
    priority_queue_policy: MessageMap[int, ModelQueuePolicy]

class ModelEnsembling(Message):
    class Step(Message):
        model_name: str
        model_version: int
        input_map: MutableMapping[str, str]
        output_map: MutableMapping[str, str]
        model_namespace: str

    step: Messages[ModelEnsembling.Step]
    max_inflight_requests: int

class ModelInput(Message):
    Format: ClassVar[EnumType]
    FORMAT_NONE: ClassVar[int]
    FORMAT_NHWC: ClassVar[int]
    FORMAT_NCHW: ClassVar[int]
    name: str
    data_type: int
    format: int
    dims: MutableSequence[int]
    reshape: ModelTensorReshape
    is_shape_tensor: bool
    allow_ragged_batch: bool
    optional: bool
    is_non_linear_format_io: bool

class ModelInstanceGroup(Message):
    Kind: ClassVar[EnumType]
    KIND_AUTO: ClassVar[int]
    KIND_GPU: ClassVar[int]
    KIND_CPU: ClassVar[int]
    KIND_MODEL: ClassVar[int]
    class SecondaryDevice(Message):
        SecondaryDeviceKind: ClassVar[EnumType]
        KIND_NVDLA: ClassVar[int]
        kind: int
        device_id: int

    name: str
    kind: int
    count: int
    rate_limiter: ModelRateLimiter
    gpus: MutableSequence[int]
    secondary_devices: Messages[ModelInstanceGroup.SecondaryDevice]
    profile: MutableSequence[str]
    passive: bool
    host_policy: str

class ModelMetrics(Message):
    class MetricControl(Message):
        class MetricIdentifier(Message):
            family: str

        class HistogramOptions(Message):
            buckets: MutableSequence[float]

        metric_identifier: ModelMetrics.MetricControl.MetricIdentifier
        histogram_options: ModelMetrics.MetricControl.HistogramOptions

    metric_control: Messages[ModelMetrics.MetricControl]

class ModelOperations(Message):
    op_library_filename: MutableSequence[str]

class ModelOptimizationPolicy(Message):
    ModelPriority: ClassVar[EnumType]
    PRIORITY_DEFAULT: ClassVar[int]
    PRIORITY_MAX: ClassVar[int]
    PRIORITY_MIN: ClassVar[int]
    class Graph(Message):
        level: int

    class Cuda(Message):
        class GraphSpec(Message):
            class Shape(Message):
                dim: MutableSequence[int]

            class LowerBound(Message):
                batch_size: int
                input: MessageMap[str, ModelOptimizationPolicy.Cuda.GraphSpec.Shape]

            batch_size: int
            input: MessageMap[str, ModelOptimizationPolicy.Cuda.GraphSpec.Shape]
            graph_lower_bound: ModelOptimizationPolicy.Cuda.GraphSpec.LowerBound

        graphs: bool
        busy_wait_events: bool
        graph_spec: Messages[ModelOptimizationPolicy.Cuda.GraphSpec]
        output_copy_stream: bool

    class ExecutionAccelerators(Message):
        class Accelerator(Message):
            name: str
            parameters: MutableMapping[str, str]

        gpu_execution_accelerator: Messages[ModelOptimizationPolicy.ExecutionAccelerators.Accelerator]
        cpu_execution_accelerator: Messages[ModelOptimizationPolicy.ExecutionAccelerators.Accelerator]

    class PinnedMemoryBuffer(Message):
        enable: bool

    graph: ModelOptimizationPolicy.Graph
    priority: int
    cuda: ModelOptimizationPolicy.Cuda
    execution_accelerators: ModelOptimizationPolicy.ExecutionAccelerators
    input_pinned_memory: ModelOptimizationPolicy.PinnedMemoryBuffer
    output_pinned_memory: ModelOptimizationPolicy.PinnedMemoryBuffer
    gather_kernel_buffer_threshold: int
    eager_batching: bool

class ModelOutput(Message):
    name: str
    data_type: int
    dims: MutableSequence[int]
    reshape: ModelTensorReshape
    label_filename: str
    is_shape_tensor: bool
    is_non_linear_format_io: bool

class ModelParameter(Message):
    string_value: str

class ModelQueuePolicy(Message):
    TimeoutAction: ClassVar[EnumType]
    REJECT: ClassVar[int]
    DELAY: ClassVar[int]
    timeout_action: int
    default_timeout_microseconds: int
    allow_timeout_override: bool
    max_queue_size: int

class ModelRateLimiter(Message):
    class Resource(Message):
        name: str
        # `global: bool` is a keyword of Python: getattr reads it.
        count: int

    resources: Messages[ModelRateLimiter.Resource]
    priority: int

class ModelRepositoryAgents(Message):
    class Agent(Message):
        name: str
        parameters: MutableMapping[str, str]

    agents: Messages[ModelRepositoryAgents.Agent]

class ModelResponseCache(Message):
    enable: bool

class ModelSequenceBatching(Message):
    class Control(Message):
        Kind: ClassVar[EnumType]
        CONTROL_SEQUENCE_START: ClassVar[int]
        CONTROL_SEQUENCE_READY: ClassVar[int]
        CONTROL_SEQUENCE_END: ClassVar[int]
        CONTROL_SEQUENCE_CORRID: ClassVar[int]
        kind: int
        int32_false_true: MutableSequence[int]
        fp32_false_true: MutableSequence[float]
        bool_false_true: MutableSequence[bool]
        data_type: int

    class ControlInput(Message):
        name: str
        control: Messages[ModelSequenceBatching.Control]

    class InitialState(Message):
        data_type: int
        dims: MutableSequence[int]
        zero_data: bool
        data_file: str
        name: str

    class State(Message):
        input_name: str
        output_name: str
        data_type: int
        dims: MutableSequence[int]
        initial_state: Messages[ModelSequenceBatching.InitialState]
        use_same_buffer_for_input_output: bool
        use_growable_memory: bool

    class StrategyDirect(Message):
        max_queue_delay_microseconds: int
        minimum_slot_utilization: float

    class StrategyOldest(Message):
        max_candidate_sequences: int
        preferred_batch_size: MutableSequence[int]
        max_queue_delay_microseconds: int
        preserve_ordering: bool

    direct: ModelSequenceBatching.StrategyDirect
    oldest: ModelSequenceBatching.StrategyOldest
    max_sequence_idle_microseconds: int
    control_input: Messages[ModelSequenceBatching.ControlInput]
    state: Messages[ModelSequenceBatching.State]
    iterative_sequence: bool

class ModelTensorReshape(Message):
    shape: MutableSequence[int]

class ModelTransactionPolicy(Message):
    decoupled: bool

class ModelVersionPolicy(Message):
    class Latest(Message):
        num_versions: int

    class All(Message): ...

    class Specific(Message):
        versions: MutableSequence[int]

    latest: ModelVersionPolicy.Latest
    all: ModelVersionPolicy.All
    specific: ModelVersionPolicy.Specific

class ModelWarmup(Message):
    class Input(Message):
        data_type: int
        dims: MutableSequence[int]
        zero_data: bool
        random_data: bool
        input_data_file: str

    name: str
    batch_size: int
    inputs: MessageMap[str, ModelWarmup.Input]
    count: int
