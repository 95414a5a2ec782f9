"""Rules 760-772: shared memory, GPUs, memory and the image of a container that runs Triton."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.manifest.records import Manifest, Platform
from triton_watch.check.manifest.units import compose_bytes, kubernetes_bytes
from triton_watch.check.rule import Box, Hit, Rule, Scope
from triton_watch.check.rules.manifest_parts import pod, served
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip, listed, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.manifest.records import Container, Mount
    from triton_watch.check.options import Options

SHM = "/dev/shm"  # noqa: S108 - the mount that python models share memory in
GPU_BACKENDS = frozenset({"tensorrt", "tensorrtllm"})
"""Backends that serve on GPUs only."""
_IN_MEMORY = "{name: triton, emptyDir: {medium: Memory, sizeLimit: 1Gi}}"


def _shm(container: Container) -> Mount | None:
    return next((mount for mount in container.mounts if mount.path == SHM), None)


def _no_shm(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    python = sorted(name for name, model in manifest.models.items() if model.backend == "python")
    if manifest.models and not python:
        return
    for container in served(manifest):
        if _shm(container) is not None or container.shm_size is not None or container.ipc_host:
            continue
        if container.platform is Platform.COMPOSE:
            fix = "shm_size: 1gb"
        else:
            fix = f"an emptyDir with medium: Memory and a sizeLimit, mounted at {SHM}"
        if python:
            what = f"has 64 MB of shared memory, the default, for its python models ({listed(python, 3)})"
        else:
            what = "has 64 MB of shared memory, the default: too little if it has python models"
        yield manifest.hit(
            container,
            f"{what}; when it is used up, their tensors no longer get through",
            fix=fix,
            severity=None if python else Severity.INFO,
        )


def _disk_shm(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container in served(manifest):
        mount = _shm(container)
        if mount is not None and container.platform is Platform.KUBERNETES and not mount.memory and mount.source:
            yield manifest.hit(
                container,
                f"has a volume at {SHM} that is not in memory: tensors of python models go through a disk",
                mount.span,
                fix=f"emptyDir: {{medium: Memory}} for the volume '{clip(mount.source)}'",
                confidence=Confidence.MEDIUM,
            )


def _shm_over_limit(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container in served(manifest):
        mount, limit = _shm(container), _memory(container)
        size = None if mount is None or mount.size is None else mount.size.number
        if mount is not None and mount.size is not None and size is not None and limit is not None and size >= limit:
            yield manifest.hit(
                container,
                f"may fill {mount.size.text} of shared memory, which counts for its memory limit of "
                f"{container.memory_limit.text if container.memory_limit else ''}: it is killed before",
                mount.size.span,
                fix="raise the memory limit by the size of the shared memory",
            )


def _memory(container: Container) -> float | None:
    limit = container.memory_limit
    if limit is None:
        return None
    return (compose_bytes if container.platform is Platform.COMPOSE else kubernetes_bytes)(limit.text)


def _no_memory_limit(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container in served(manifest):
        if container.memory_limit is None:
            yield manifest.hit(
                container,
                "has no memory limit: a model that leaks takes the node's other work down with it",
                fix="resources: {limits: {memory: …}}, with room for models, pinned (256 MB) and shared memory"
                if container.platform is Platform.KUBERNETES
                else "deploy: {resources: {limits: {memory: 16g}}}, with room for models and pinned memory (256 MB)",
            )


def _no_gpu(manifest: Manifest, options: Options) -> Iterator[Hit]:
    asking = sorted(
        name
        for name, model in manifest.models.items()
        if any(group.kind == "KIND_GPU" for group in model.groups) or model.backend in GPU_BACKENDS
    )
    if not asking or options.gpus == 0:
        return
    for container in served(manifest):
        if container.gpus is not None:
            continue
        fix = (
            "resources: {limits: {nvidia.com/gpu: 1}}"
            if container.platform is Platform.KUBERNETES
            else "gpus: all (or deploy.resources.reservations.devices with capabilities: [gpu])"
        )
        yield manifest.hit(
            container,
            f"gets no GPU, and {listed(asking, 3)} {'asks' if len(asking) == 1 else 'ask'} for one: they do not load",
            fix=fix,
        )


def _gpu_beyond(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    groups = [group for model in manifest.models.values() for group in model.groups]
    wanted = max((gpu for group in groups for gpu in group.gpus), default=-1)
    for container in served(manifest):
        count = None if container.gpus is None else container.gpus.number
        if container.gpus is not None and count is not None and 0 < count <= wanted:
            yield manifest.hit(
                container,
                f"gets {plural(int(count), 'GPU')}, numbered from 0, and a model asks for GPU {wanted}",
                container.gpus.span,
                fix=f"give it {wanted + 1} GPUs, or leave `gpus` out of the instance groups",
            )


def _not_pinned(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container in manifest.containers:
        image = container.image
        if image is None or image.digest or image.unknown or image.tag not in {"", "latest"}:
            continue
        if not image.is_triton and container.managed:
            continue
        what = "has an image without a tag" if not image.tag else "runs whatever `latest` is"
        yield manifest.hit(
            container,
            f"{what}: two pods, or the same one tomorrow, may run different releases of Triton",
            image.span,
            fix="name the release, as in nvcr.io/nvidia/tritonserver:24.10-py3, or a digest",
        )


def _wrong_image(manifest: Manifest, _options: Options) -> Iterator[Hit]:
    for container in manifest.containers:
        image = container.image
        if image is None or not image.is_official or container.server is None:
            continue
        if image.variant == "sdk":
            message = "runs tritonserver from the SDK image, which has clients and tools and no server"
            yield manifest.hit(container, message, image.span, fix=f"{image.repository}:{_plain(image.tag)}")
        elif image.variant == "min":
            message = "runs tritonserver from the `min` image, which is a base to build on and has no backends"
            yield manifest.hit(
                container, message, image.span, fix=f"{image.repository}:{_plain(image.tag)}", severity=Severity.WARNING
            )


def _plain(tag: str) -> str:
    return tag.removesuffix("-sdk").removesuffix("-min")


def _more(number: int, slug: str, title: str, bad: str, good: str, **more: object) -> Rule:
    fields = {"severity": Severity.WARNING, "scope": Scope.MANIFEST, **more}
    return Rule(id=f"TW{number}", slug=slug, title=title, bad=bad, good=good, **fields)  # type: ignore[arg-type]


_PYTHON = '--- ranker/config.pbtxt\nbackend: "python"\n'
_GPU = '--- ranker/config.pbtxt\nplatform: "onnxruntime_onnx"\ninstance_group [{ kind: KIND_GPU, gpus: [1] }]\n'
_MOUNTED = pod("volumeMounts: [{name: shm, mountPath: /dev/shm}]")
_ONE, _TWO = (f"resources: {{limits: {{nvidia.com/gpu: {count}}}}}" for count in (1, 2))

RULES: tuple[Rule, ...] = (
    _more(
        760,
        "shared-memory-too-small",
        "Python models have enough shared memory",
        pod() + _PYTHON,
        _MOUNTED + f"  volumes: [{_IN_MEMORY.replace('triton', 'shm')}]\n" + _PYTHON,
        problem="Nothing gives /dev/shm more than the 64 MB that containers have.",
        why="Every tensor of a python model goes through shared memory, and every instance reserves some of it. When "
        "it is full, models fail to load or requests fail.",
        source="Triton's documentation of the Python backend; tritonserver 2.51.0 (measured)",
        check=_no_shm,
    ),
    _more(
        761,
        "shared-memory-on-disk",
        "The volume at /dev/shm is in memory",
        _MOUNTED + "  volumes: [{name: shm, emptyDir: {}}]\n",
        _MOUNTED + f"  volumes: [{_IN_MEMORY.replace('triton', 'shm')}]\n",
        problem="The volume that is mounted at /dev/shm has no medium: Memory.",
        why="An emptyDir is a directory on the node's disk unless it says otherwise.",
        source="Kubernetes: volumes, emptyDir",
        check=_disk_shm,
    ),
    _more(
        762,
        "shared-memory-over-limit",
        "Shared memory fits into the memory limit",
        pod("volumeMounts: [{name: shm, mountPath: /dev/shm}]", "resources: {limits: {memory: 1Gi}}")
        + f"  volumes: [{_IN_MEMORY.replace('triton', 'shm')}]\n",
        pod("volumeMounts: [{name: shm, mountPath: /dev/shm}]", "resources: {limits: {memory: 4Gi}}")
        + f"  volumes: [{_IN_MEMORY.replace('triton', 'shm')}]\n",
        problem="The volume in memory may grow to the container's memory limit or beyond.",
        why="What is written there counts as the container's memory: the kernel kills it at the limit.",
        source="Kubernetes: volumes, emptyDir",
        check=_shm_over_limit,
    ),
    _more(
        763,
        "no-memory-limit",
        "The container has a memory limit",
        pod(),
        pod("resources: {limits: {memory: 16Gi}}"),
        severity=Severity.INFO,
        problem="No limit on memory.",
        why="Without a limit the kernel chooses whom to kill when the node's memory ends.",
        source="Kubernetes: resources of containers",
        check=_no_memory_limit,
    ),
    _more(
        764,
        "no-gpu-limit",
        "A container gets the GPUs that its models ask for",
        pod() + _GPU,
        pod(_TWO) + _GPU,
        problem="Models of the repositories in this check ask for KIND_GPU, and the container gets no GPU.",
        why="A model with KIND_GPU does not load where there is none.",
        source="tritonserver 2.51.0 (measured)",
        check=_no_gpu,
        box=Box.INSTANCES,
    ),
    _more(
        765,
        "gpu-beyond-limit",
        "Instance groups name GPUs that the container gets",
        pod(_ONE) + _GPU,
        pod(_TWO) + _GPU,
        problem="A model names a GPU id beyond the number of GPUs in the container's limit.",
        why="In the container GPUs count from 0, whatever their number on the node. Triton refuses the others.",
        source='tritonserver 2.51.0 (measured): "specifies invalid or unsupported gpu id"',
        check=_gpu_beyond,
        box=Box.INSTANCES,
    ),
    _more(
        770,
        "image-not-pinned",
        "The image names its release",
        pod(image="nvcr.io/nvidia/tritonserver:latest"),
        pod(),
        problem="The image has the tag `latest`, or none.",
        why="Releases differ in backends, model formats and flags: a TensorRT plan of one release does not load in the "
        "next, and the TensorFlow backend is gone since 25.03.",
        source="Triton's release notes",
        check=_not_pinned,
    ),
    _more(
        771,
        "image-without-server",
        "The image has a server in it",
        pod(image="nvcr.io/nvidia/tritonserver:24.10-py3-sdk"),
        pod(),
        severity=Severity.ERROR,
        problem="tritonserver is started from an image of clients (sdk), or from the base of builds (min).",
        why="The SDK image has perf_analyzer, client libraries and examples; there is no tritonserver to start.",
        source="Triton's images on NGC",
        check=_wrong_image,
    ),
)
