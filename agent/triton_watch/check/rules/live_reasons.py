"""Why a model is UNAVAILABLE: Triton's reasons, what each means and what to do. The first that fits counts.

Words of the core and of the Python backend are those of tritonserver 2.51.0 (tests/differential/recorded.yaml);
those of other backends are from their sources.
"""

from __future__ import annotations

import re

from triton_watch.check.rules.live_core_reasons import CONFIGS, MEMBERS, SHAPES, Explanation, reasons

MEMORY = reasons(
    "memory",
    (
        r"CUDA_ERROR_OUT_OF_MEMORY|CUDA out of memory|cudaErrorMemoryAllocation|CUDA failure 2\b|"
        r"CUBLAS_STATUS_ALLOC_FAILED|"
        r"\bcuda\w*.*out of memory|BFCArena|OutOfMemoryError",
        "the GPU's memory is full",
        "fewer instances (instance_group count times GPUs times the model's size), a smaller max_batch_size, or fewer "
        "models on this GPU",
    ),
    (
        r"model-load-gpu-limit|exceeds? .*gpu.* limit|limit on GPU memory",
        "loading it would pass --model-load-gpu-limit",
        "raise the limit, or unload others first",
    ),
    (
        r"std::bad_alloc|Cannot allocate memory|MemoryError|failed to allocate|\bout of memory\b|\bOOM\b",
        "memory is full",
        "raise the container's memory limit, or lower instance_group count and max_batch_size",
    ),
)
SHARED_MEMORY = reasons(
    "shared-memory",
    (
        r"shared memory key|shm-size|shared memory pool|shared memory region|No space left on device",
        "shared memory (/dev/shm) is full: the Python backend has no room for an instance or its tensors",
        "shm_size: 1gb (Compose), --shm-size=1g (Docker), an emptyDir with medium: Memory at /dev/shm (Kubernetes)",
    ),
)
BACKENDS = reasons(
    "backend",
    (
        r"unable to find backend library for backend '(?P<what>[^']*)'",
        "the server has no backend '{what}'",
        "write a backend that the image has (onnxruntime, pytorch, tensorrt, python, openvino, …; case counts), or "
        "take the image that has it: vLLM and TensorRT-LLM have their own, TensorFlow is gone since 25.03",
    ),
    (
        r"unable to find (Python backend based )?backend library '(?P<what>[^']*)'",
        "the library {what} that `runtime` names is in no place where the server looks",
        "leave `runtime` out, or put the library into the backend's or the model's directory",
    ),
    (
        r"unable to load shared library|unable to load backend library",
        "the backend's library cannot be loaded",
        "see with `ldd` what it misses; is it built for this release?",
    ),
    (
        r"undefined symbol|cannot open shared object file|GLIBC(XX)?_\S+' not found",
        "a library of the backend or the model is missing, or of another version",
        "install it in the image, or build against the libraries of this release",
    ),
    (r"unexpected platform type", "neither platform nor backend say who serves it", 'write backend: "…"'),
)
VERSIONS = reasons(
    "version",
    (
        r"at least one version must be available",
        "no directory of it is a version that its version_policy wants",
        "put the model into a directory named by a number without a leading zero, such as 1/, or widen version_policy",
    ),
)
GPUS = reasons(
    "gpu",
    (
        r"has kind KIND_GPU but (no GPUs are available|server does not support)",
        "it asks for a GPU, and the server sees none",
        "give the container a GPU (--gpus all, nvidia.com/gpu: 1), or kind: KIND_CPU",
    ),
    (
        r"invalid or unsupported gpu id (?P<n>-?\d+).* are: ?(?P<all>[\d, ]*)",
        "it asks for GPU {n}, which the server does not have (usable: {all})",
        "name GPUs that are there; in a container they count from 0",
    ),
    (
        r"has kind KIND_\w+ but specifies one or more GPUs",
        "gpus are named for a kind that has none",
        "leave `gpus` out, or kind: KIND_GPU",
    ),
    (
        r"CUDA driver version is insufficient|CUDA_ERROR_SYSTEM_DRIVER_MISMATCH|"
        r"forward compatibility|cudaErrorInsufficientDriver",
        "the host's NVIDIA driver is too old for this image",
        "update the driver, or take an older release",
    ),
    (
        r"no CUDA-capable device|CUDA_ERROR_NO_DEVICE|libcuda\.so|cudaGetDevice|CUDA initialization",
        "the container sees no GPU",
        "start it with --gpus all, or a limit on nvidia.com/gpu",
    ),
    (
        r"no kernel image is available|compute capability|unsupported GPU|CUDA_ERROR_INVALID_PTX|sm_\d+ is not",
        "the model or its backend is not built for this GPU",
        "build it for this GPU's compute capability",
    ),
)
INCOMPATIBLE = reasons(
    "incompatible",
    (
        r"not compatible with this version of TensorRT|serialized engine version|magic tag does not match|"
        r"version tag does not match|stdArchiveReader|platform .* mismatch|expecting compute|incompatible device|"
        r"deserializ\w+.*(engine|cuda)",
        "the TensorRT plan was built by another TensorRT, or for another GPU",
        "build the plan in the image of this release, on this kind of GPU",
    ),
    (
        r"Unsupported model IR version|Opset \d+ is|opset (version )?\d+ .*(not|unsupported)|"
        r"ONNX Runtime only \*guarantees\*",
        "the ONNX file is newer than this release's ONNX Runtime",
        "export it with an older opset, or take a newer release",
    ),
    (
        r"is not a registered function/op|Could not find an implementation|failed to find kernel|Unknown builtin op",
        "the model uses an operator that this server does not have",
        "register the operator's library, or export the model without it",
    ),
)
FILES = reasons(
    "file",
    (
        r"git-lfs|version https://git-lfs",
        "the file is a Git LFS pointer, not the model",
        "git lfs pull, where the repository is filled",
    ),
    (
        r"unable to find '(?P<what>[^']*)' for model",
        "its version directory lacks {what}",
        "put the file there, or name the one that is there in default_model_filename",
    ),
    (
        r"failed to open text file for read (?P<what>[^:]+)",
        "a file that its configuration names is not there: {what}",
        "label files lie beside config.pbtxt, warm-up data in warmup/, initial states in initial_state/",
    ),
    (
        r"canonical path for (?P<what>\S+)|archive_read",
        "its EXECUTION_ENV_PATH is no readable archive",
        "pack it with conda-pack, and give its path ($$TRITON_MODEL_DIRECTORY/env.tar.gz)",
    ),
    (
        r"INVALID_PROTOBUF|Protobuf parsing failed|ModelProto does not have a graph",
        "the ONNX file is broken or no ONNX",
        "copy it again; is it truncated, a Git LFS pointer, or another format?",
    ),
    (
        r"PytorchStreamReader|failed finding central directory|constants\.pkl|Expected an object file|TorchScript",
        "the file is no TorchScript archive",
        "save it with torch.jit.save; a state_dict is not enough",
    ),
    (
        r"No such file or directory|failed to stat|does not exist|file too short|NoSuchFile|"
        r"Python model file not found",
        "a file is not there",
        "see what is in the version's directory, and how default_model_filename is spelt",
    ),
    (
        r"Permission denied|Access ?Denied|403 Forbidden|credential",
        "the server may not read its files",
        "give the server's user read access, or the credentials of the bucket",
    ),
)
PYTHON = reasons(
    "python",
    (
        r"No module named '?(?P<what>[\w.]+)",
        "model.py imports {what}, which the server's Python does not have",
        "install {what} in the image, or give the model an environment of its own (EXECUTION_ENV_PATH)",
    ),
    (r"ImportError", "an import of model.py fails", "import it in the server's own Python: python3 -c 'import …'"),
    (r"has no attribute 'TritonPythonModel'", "model.py has no class TritonPythonModel", "name the class so"),
    (
        r"SyntaxError|IndentationError",
        "model.py does not parse in the server's Python",
        "mend it; the server's Python may be older than yours",
    ),
    (
        r"stub process '?(?P<what>\S*)'? is not healthy|failed to preinitialize Python stub|"
        r"waiting for the stub|stub process",
        "its Python process died or did not start",
        "see the server's log: memory, /dev/shm, a crash in a library, or another version of Python",
    ),
    (
        r"(?-i:\b(?P<what>[A-Z]\w{0,60}(Error|Exception))): (?P<all>.{0,200}?(?=\s+At:|$)|.{200})",
        "its Python code raised {what} when it was loaded: {all}",
        "mend initialize (or the module's top level); the reason names file and line",
    ),
)
EXPLANATIONS: tuple[Explanation, ...] = (
    *MEMBERS,
    *VERSIONS,
    *SHARED_MEMORY,
    *MEMORY,
    *GPUS,
    *BACKENDS,
    *INCOMPATIBLE,
    *SHAPES,
    *FILES,
    *PYTHON,
    *CONFIGS,
)


def explain(reason: str) -> Explanation | None:
    """Return the explanation of a reason with its groups filled in, None when nothing fits."""
    text = reason[:2_000]
    for one in EXPLANATIONS:
        match = re.search(one.pattern, text, re.IGNORECASE | re.DOTALL)
        if match is not None:
            groups = {name: (value or "none").strip() for name, value in match.groupdict().items()}
            return Explanation(one.kind, one.pattern, one.meaning.format(**groups), one.fix.format(**groups))
    return None
