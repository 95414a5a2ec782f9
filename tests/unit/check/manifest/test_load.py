"""Manifests: which files are some, what is read of them, and what no file can do to the reader."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.check.manifest import Container, Manifest, Platform, ProbeWay, facts_of, fill_options, load_manifest
from triton_watch.check.manifest.command import find_server
from triton_watch.check.manifest.flags import ABSENT_UNTIL, FLAGS
from triton_watch.check.manifest.units import compose_bytes, compose_seconds, kubernetes_bytes
from triton_watch.check.options import Options, Release

IMAGE = "nvcr.io/nvidia/tritonserver:24.10-py3"
SHM = "/dev/shm"  # noqa: S108 - the mount that python models share memory in
POD = f"""\
apiVersion: v1
kind: Pod
metadata: {{name: triton}}
spec:
  containers:
  - name: triton
    image: {IMAGE}
    args: [tritonserver, --model-repository=/models]
"""
COMPOSE = f"""\
services:
  triton:
    image: {IMAGE}
    command: tritonserver --model-repository=/models
"""
DEPLOYMENT = f"""\
# é: positions count characters
apiVersion: apps/v1
kind: Deployment
metadata:
  name: triton
spec:
  template:
    metadata:
      annotations: {{prometheus.io/port: "8002"}}
    spec:
      terminationGracePeriodSeconds: 45
      volumes:
      - name: shm
        emptyDir: {{medium: Memory, sizeLimit: 1Gi}}
      - name: models
        persistentVolumeClaim: {{claimName: models}}
      containers:
      - name: proxy
        image: envoy:1
      - name: triton
        image: {IMAGE}
        command: ["/bin/bash", "-c"]
        args:
        - |
          # tritonserver --not-this
          export MODE=explicit && \\
          exec tritonserver --model-repository=/models \\
            --model-control-mode="$MODE" --metrics-port 9002 \\
            --load-model='a b' > /dev/null 2>&1
        ports:
        - {{name: http, containerPort: 8000}}
        env:
        - {{name: LOG, value: "1"}}
        livenessProbe:
          httpGet: {{path: /v2/health/live, port: http, scheme: HTTP}}
          initialDelaySeconds: 5
          periodSeconds: 7
          failureThreshold: 4
        readinessProbe: {{exec: {{command: [curl, -f, "localhost:8000/v2/health/ready"]}}}}
        volumeMounts:
        - {{name: shm, mountPath: /dev/shm/}}
        - {{name: models, mountPath: /models}}
        resources:
          limits: {{nvidia.com/gpu: "2", memory: 16Gi}}
"""


def load(text: str | bytes, *, explicit: bool = False) -> Manifest | None:
    return load_manifest(Path("x.yaml"), text if isinstance(text, bytes) else text.encode(), explicit=explicit)


def only(text: str) -> Container:
    manifest = load(text)
    assert manifest is not None
    (container,) = manifest.containers
    return container


def test_a_deployment_is_read_whole_and_in_place() -> None:
    manifest = load(DEPLOYMENT)
    assert manifest is not None
    (found,) = manifest.containers
    lines = DEPLOYMENT.splitlines()
    assert (found.name, found.kind, found.platform) == ("triton", "Deployment", Platform.KUBERNETES)
    assert lines[found.span.line - 1][found.span.column - 1 :] == "triton"
    assert found.release == Release(24, 10)
    assert found.server is not None
    assert [(flag.name, flag.value) for flag in found.server.flags] == [
        ("--model-repository", "/models"),
        ("--model-control-mode", "$MODE"),
        ("--metrics-port", "9002"),
        ("--load-model", "a b"),
    ]
    port = found.server.last("--metrics-port")
    assert port is not None
    assert DEPLOYMENT[port.span.start : port.span.end] == "--metrics-port"
    assert lines[port.span.line - 1][port.span.column - 1 :].startswith("--metrics-port 9002")
    assert found.server.whole
    assert found.liveness is not None
    assert (found.liveness.way, found.liveness.asked, found.liveness.patience) == (ProbeWay.HTTP, "/v2/health/live", 33)
    assert found.number_of(found.liveness.port) == 8000
    assert found.readiness is not None
    assert found.readiness.asked.startswith("curl -f")
    assert found.startup is None
    assert [(mount.path, mount.memory) for mount in found.mounts] == [(SHM, True), ("/models", False)]
    assert found.mounts[0].size is not None
    assert found.mounts[0].size.number == 2**30
    assert found.gpus is not None
    assert found.gpus.number == 2
    assert found.grace is not None
    assert found.grace.number == 45
    assert found.env == {"LOG": "1"}


@pytest.mark.parametrize(
    ("kind", "indent", "path"),
    [
        ("Pod", 2, "spec:\n"),
        ("StatefulSet", 6, "spec:\n  template:\n    spec:\n"),
        ("DaemonSet", 6, "spec:\n  template:\n    spec:\n"),
        ("ReplicaSet", 6, "spec:\n  template:\n    spec:\n"),
        ("Job", 6, "spec:\n  template:\n    spec:\n"),
        ("CronJob", 10, "spec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n"),
        ("Service", 6, "spec:\n  template:\n    spec:\n"),
        ("ServingRuntime", 2, "spec:\n"),
        ("ClusterServingRuntime", 2, "spec:\n"),
        ("InferenceService", 4, "spec:\n  predictor:\n"),
    ],
)
def test_containers_are_found_in_each_kind(kind: str, indent: int, path: str) -> None:
    body = f"containers:\n- name: one\n  image: {IMAGE}\n  args: [tritonserver, --model-repository=/m]\n"
    text = f"apiVersion: x/v1\nkind: {kind}\n{path}" + "".join(" " * indent + line + "\n" for line in body.splitlines())
    assert only(text).kind == kind


def test_a_list_and_several_documents_are_read() -> None:
    pod = POD.replace("\n", "\n  ")
    text = f"{POD}---\napiVersion: v1\nkind: List\nitems:\n- {pod}\n---\n# nothing\n---\n{POD}"
    manifest = load(text)
    assert manifest is not None
    assert [one.span.line for one in manifest.containers] == [6, 18, 30]


def test_kserve_gives_command_and_release_by_itself() -> None:
    found = only(
        "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: m}\nspec:\n  predictor:\n"
        "    triton: {storageUri: 's3://x', runtimeVersion: 24.10-py3}\n"
    )
    assert found.managed
    assert found.release == Release(24, 10)


@pytest.mark.parametrize(
    ("more", "gpus"),
    [
        ("    gpus: all\n", None),
        ("    runtime: nvidia\n", None),
        ("    deploy: {resources: {reservations: {devices: [{driver: nvidia, count: 2, capabilities: [gpu]}]}}}\n", 2),
        ("    deploy: {resources: {reservations: {devices: [{device_ids: ['0'], capabilities: [gpu]}]}}}\n", 1),
    ],
)
def test_compose_gives_gpus_in_many_ways(more: str, gpus: int | None) -> None:
    found = only(COMPOSE + more)
    assert found.gpus is not None
    assert found.gpus.number == gpus
    assert only(COMPOSE).gpus is None


def test_a_compose_service_is_read_whole() -> None:
    found = only(
        COMPOSE.replace("tritonserver --model", "bash -c 'exec tritonserver --model").replace("/models", "/models'")
        + '    ports: ["8000-8001:8000-8001", "127.0.0.1:9002:8002/tcp", {target: 9}]\n    expose: [7]\n'
        "    shm_size: 2gb\n    ipc: host\n    stop_grace_period: 1m30s\n    environment: [A=b, C]\n"
        "    volumes: ['./models:/models:ro', {type: tmpfs, target: /dev/shm, tmpfs: {size: 1m}}]\n"
        "    tmpfs: /scratch\n    mem_limit: 1g\n    healthcheck: {test: curl -f x, interval: 5s, retries: 2}\n"
    )
    assert found.server is not None
    assert [flag.value for flag in found.server.flags] == ["/models"]
    assert [port.number for port in found.ports] == [8000, 8001, 8002, 9, 7]
    assert found.shm_size is not None
    assert found.shm_size.number == 2 * 2**30
    assert found.ipc_host
    assert found.grace is not None
    assert found.grace.number == 90
    assert [(mount.path, mount.memory) for mount in found.mounts] == [
        ("/models", False),
        (SHM, True),
        ("/scratch", True),
    ]
    assert found.env == {"A": "b", "C": ""}
    assert found.readiness is not None
    assert found.readiness.patience == 10


def test_anchors_and_merges_are_resolved() -> None:
    text = (
        "x-base: &base\n  image: nvcr.io/nvidia/tritonserver:24.10-py3\n  shm_size: 1g\n"
        "services:\n  a:\n    <<: *base\n    command: tritonserver --model-repository=/m\n    shm_size: 2g\n"
    )
    found = only(text)
    assert found.image is not None
    assert found.shm_size is not None
    assert found.shm_size.text == "2g"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just: triton",
        "services: {web: {image: nginx}}  # triton",
        POD.replace(IMAGE, "triton-client").replace("tritonserver, --model-repository=/models", "client"),
        POD.replace("tritonserver, --model-repository=/models", "sleep, infinity"),
        POD.replace(":24.10-py3", ":24.10-py3-sdk").replace(
            "tritonserver, --model-repository=/models", "perf_analyzer"
        ),
        POD.replace("kind: Pod", "kind: ConfigMap"),
        "apiVersion: v1\nkind: Job\nspec: {template: {spec: {containers: [{image: tritonserver, args: [x]}]}}}",
        "- tritonserver",
        "tritonserver",
    ],
)
def test_what_runs_no_triton_is_none(text: str) -> None:
    assert load(text, explicit=True) is None


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        (["tritonserver", "--http-port", "1", "--disable-auto-complete-config", "--id=x"], 3),
        (["/opt/tritonserver/bin/tritonserver", "--allow-metr=false"], 1),
        (["mpirun", "-n", "2", "tritonserver", "--id=a", ":", "-n", "1"], 2),
        (["bash", "-lc", "cd /x; LD_PRELOAD=y.so tritonserver --id=a & wait"], 1),
        (["sh", "-c", "pip install tritonserver && echo tritonserver --no"], None),
        (["bash", "-c", "tritonserver --id='unclosed"], 0),
        (["bash", "run.sh", "tritonserver"], 0),
        (["sleep", "tritonserver"], None),
        ([], None),
    ],
)
def test_the_server_is_found_behind_shells_and_wrappers(words: list[str], flags: int | None) -> None:
    items = "".join(f"    - {word!r}\n" for word in words)
    manifest = load(f"services:\n  triton:\n    image: {IMAGE}\n    command:\n{items}")
    if flags is None:
        assert manifest is None or manifest.containers[0].server is None
    else:
        assert manifest is not None
        server = manifest.containers[0].server
        assert server is not None
        assert len(server.flags) == flags


def test_broken_yaml_keeps_what_came_before_the_fault() -> None:
    manifest = load(f"{POD}---\na: [1\nb: }}\n")
    assert manifest is not None
    assert len(manifest.containers) == 1
    assert manifest.broken is not None
    assert manifest.broken.span.line in {11, 12}


def test_a_broken_file_that_is_no_manifest_is_passed_over() -> None:
    assert load("a: [1\n# tritonserver") is None
    assert load("a: [1\n# tritonserver", explicit=True) is not None


@pytest.mark.parametrize(
    "text",
    [
        POD.replace("metadata: {name: triton}", "metadata:\n  {{- include x | nindent 2 }}"),
        POD.replace("24.10-py3", "24.10-py3\n    {{- if .Values.gpu }}"),
        POD.replace("{name: triton}", "{name: {{ .Release.Name }} }"),
    ],
)
def test_a_template_is_passed_over_unless_it_was_named(text: str) -> None:
    assert load(text) is None
    manifest = load(text, explicit=True)
    assert manifest is not None
    assert manifest.broken is not None
    assert "helm template" in manifest.broken.fix


def test_braces_in_quotes_are_no_template() -> None:
    assert only(POD.replace("{name: triton}", '{name: "{{ name }}"}')).name == "triton"


def test_bombs_of_aliases_depth_and_size_are_bounded() -> None:
    bomb = "a0: &a0 [tritonserver]\n" + "".join(
        f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(40)
    )
    items = "".join(
        f"l{n + 1}: &l{n + 1} {{kind: List, apiVersion: v1, items: [{', '.join([f'*l{n}'] * 9)}]}}\n" for n in range(20)
    )
    started = time.process_time()
    load(bomb + "services: {x: {image: *a40}}\n")
    load(f"l0: &l0 {{kind: Pod}}\n{items}kind: List\napiVersion: v1\nitems: [*l20]\n# triton")
    load("triton: " + "[" * 100_000, explicit=True)
    load("services: {triton: {image: " + "{a: " * 3_000, explicit=True)
    load("x: &x [triton, *x]\n", explicit=True)
    load("services:\n" + "  a: {image: tritonserver}\n" * 1_000)
    assert time.process_time() - started < 15
    large = load(b"triton" + b" " * 10_000_001, explicit=True)
    assert large is not None
    assert large.broken is not None
    assert load(b"triton" + b" " * 10_000_001) is None


@pytest.mark.parametrize(
    "data", [b"\xff\xfetriton", b"triton: \x00", b"\xef\xbb\xbf" + POD.encode(), b"%YAML 9.9\n--- triton"]
)
def test_odd_bytes_do_not_raise(data: bytes) -> None:
    load(data, explicit=True)


@given(st.text(max_size=200), st.integers(0, len(DEPLOYMENT)))
def test_nothing_in_a_manifest_raises(noise: str, at: int) -> None:
    manifest = load(DEPLOYMENT[:at] + noise + DEPLOYMENT[at:], explicit=True)
    for container in () if manifest is None else manifest.containers:
        assert container.span.line >= 1


@given(st.lists(st.text(max_size=30), max_size=8))
def test_nothing_in_a_command_raises(words: list[str]) -> None:
    from triton_watch.check.manifest import Word  # noqa: PLC0415
    from triton_watch.check.pbtxt import Span  # noqa: PLC0415

    span = Span(0, 0, 1, 1)
    find_server([Word(word, span) for word in ["bash", "-c", *words]], "")
    find_server([Word(word, span) for word in ["tritonserver", *words]], "")


def test_facts_are_those_on_which_all_containers_agree() -> None:
    manifest = load(DEPLOYMENT)
    assert manifest is not None
    assert facts_of(manifest) == {
        "triton": Release(24, 10),
        "gpus": 2,
        "cache": False,
        "rate_limit": False,
        "auto_complete": True,
    }
    other = load(DEPLOYMENT + "---\n" + POD.replace("24.10", "24.09").replace("]", ", '--cache-config=local,size=1']"))
    assert other is not None
    assert facts_of(other) == {"rate_limit": False, "auto_complete": True}
    assert facts_of(Manifest(Path("x"), "")) == {}


def test_facts_fill_only_what_the_user_left_open() -> None:
    manifest = load(POD.replace("]", ", --strict-model-config=true, --rate-limit=execution_count]"))
    assert manifest is not None
    options = fill_options(Options(triton=Release(24, 1)), manifest)
    assert (options.triton, options.auto_complete, options.rate_limit) == (Release(24, 1), False, True)
    assert (options.cache, options.gpus) == (False, None)


def test_a_command_that_is_not_known_whole_gives_no_facts_of_flags() -> None:
    manifest = load(POD.replace("]", ", $(MORE)]"))
    assert manifest is not None
    assert set(facts_of(manifest)) == {"triton"}


@pytest.mark.parametrize(
    ("text", "kubernetes", "compose"),
    [
        ("64Mi", 64 * 2**20, None),
        ("1G", 1e9, 2**30),
        ("1gb", None, 2**30),
        ("64m", 0.064, 64 * 2**20),
        ("512", 512, 512),
        ("1e9", 1e9, None),
        ("lots", None, None),
        ("-1", -1, None),
    ],
)
def test_sizes(text: str, kubernetes: float | None, compose: float | None) -> None:
    assert kubernetes_bytes(text) == kubernetes
    assert compose_bytes(text) == compose


@pytest.mark.parametrize(("text", "seconds"), [("1m30s", 90), ("500ms", 0.5), ("10", None), ("1x", None), ("", None)])
def test_durations(text: str, seconds: float | None) -> None:
    assert compose_seconds(text) == seconds


def test_flags_that_came_later_are_flags() -> None:
    assert set(ABSENT_UNTIL) <= set(FLAGS)
    assert len(FLAGS) == 87


@pytest.mark.parametrize(
    ("model", "managed"),
    [
        ("{modelFormat: {name: triton}, runtimeVersion: 24.10-py3}", True),
        ("{modelFormat: {name: onnx}, runtime: kserve-tritonserver, runtimeVersion: 24.10-py3}", True),
        ("{modelFormat: {name: sklearn}, storageUri: 's3://triton'}", False),
    ],
)
def test_a_model_of_kserve_says_which_runtime_it_wants(model: str, managed: bool) -> None:
    text = "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nspec: {predictor: {model: " + model + "}}\n"
    found = load(text, explicit=True)
    assert (found is not None) is managed
    if found is not None:
        (container,) = found.containers
        assert container.managed
        assert container.release == Release(24, 10)
        assert container.server is None
