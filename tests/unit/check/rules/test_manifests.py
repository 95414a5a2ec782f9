"""Rules 7xx: their own examples, then cases that a naive rule would get wrong."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from support.check_subjects import manifest_findings
from triton_watch.check.options import Options, Release
from triton_watch.check.rules.manifests import RULES
from triton_watch.records import Severity

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.check.rule import Rule


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.slug)
def test_the_bad_example_is_found_and_the_good_one_is_not(rule: Rule, tmp_path: Path) -> None:
    bad = manifest_findings([rule], rule.bad, tmp_path / "bad")
    assert [one.rule for one in bad if one.rule == rule.id], "the bad example was not found"
    assert all(one.line and one.column and one.file and one.fix and one.source is not None for one in bad), bad
    assert not manifest_findings([rule], rule.good, tmp_path / "good")


def test_ids_and_slugs_are_there_once_and_in_order() -> None:
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids))
    assert not [slug for slug, count in Counter(rule.slug for rule in RULES).items() if count > 1]


HEAD = "apiVersion: v1\nkind: Pod\nmetadata: {name: triton}\nspec:\n  containers:\n  - name: triton\n"
IMAGE = "    image: nvcr.io/nvidia/tritonserver:24.10-py3\n"
SERVICE = "services:\n  triton:\n    image: nvcr.io/nvidia/tritonserver:24.10-py3\n"
GOOD = (
    HEAD + IMAGE + "    args: [tritonserver, --model-repository=/models, --exit-on-error=false]\n"
    "    ports: [{name: http, containerPort: 8000}, {name: metrics, containerPort: 8002}]\n"
    "    startupProbe: {httpGet: {path: /v2/health/ready, port: http}, failureThreshold: 60}\n"
    "    livenessProbe: {httpGet: {path: /v2/health/live, port: http}, timeoutSeconds: 5}\n"
    "    readinessProbe: {httpGet: {path: /v2/health/ready, port: 8000}}\n"
    "    volumeMounts: [{name: shm, mountPath: /dev/shm}, {name: models, mountPath: /models}]\n"
    "    resources: {limits: {nvidia.com/gpu: 1, memory: 16Gi}}\n"
    "  volumes: [{name: shm, emptyDir: {medium: Memory, sizeLimit: 1Gi}}]\n"
    "---\napiVersion: monitoring.coreos.com/v1\nkind: PodMonitor\nmetadata: {name: triton}\n"
)
GOOD_SERVICE = SERVICE + (
    "    command: tritonserver --model-repository=/models --exit-on-error=false\n"
    "    ports: ['8000:8000', '8002:8002']\n    volumes: ['./models:/models']\n    shm_size: 1gb\n    gpus: all\n"
    "    mem_limit: 16g\n    stop_grace_period: 40s\n"
    "    healthcheck: {test: [CMD, curl, -f, 'http://localhost:8000/v2/health/ready']}\n"
)


def slugs(text: str, folder: Path, *, only: str = "", options: Options | None = None) -> list[str]:
    found = manifest_findings(RULES, text, folder, options)
    return [one.slug for one in found if not only or one.rule.startswith(only)]


def flags(args: str, folder: Path, image: str = IMAGE) -> list[tuple[str, Severity]]:
    """What rules 73x say of a command line."""
    text = f"{HEAD}{image}    command: [tritonserver]\n    args: [{args}]\n"
    return [(one.slug, one.severity) for one in manifest_findings(RULES, text, folder) if one.rule.startswith("TW73")]


@pytest.mark.parametrize("text", [GOOD, GOOD_SERVICE], ids=["kubernetes", "compose"])
def test_a_good_manifest_has_no_findings(text: str, tmp_path: Path) -> None:
    assert slugs(text, tmp_path) == []


@pytest.mark.parametrize(
    ("args", "slug"),
    [
        # All of these end tritonserver 2.51.0 with 1 (measured).
        ("--model-repository=/m, --foo=1", "unknown-flag"),
        ("--model-repository=/m, --http_port=8000", "unknown-flag"),
        ("--model-repository=/m, -log-verbose=1", "unknown-flag"),
        ("--model-repository=/m, --log=1", "flag-ambiguous"),
        ("--model-repository=/m, --allow-metrics=no", "flag-value-refused"),
        ("--model-repository=/m, --allow-metrics", "flag-value-refused"),
        ("--model-repository=/m, '--allow-metrics='", "flag-value-refused"),
        ("--model-repository=/m, --log-verbose=abc", "flag-value-refused"),
        ("--model-repository=/m, --metrics-interval-ms=abc", "flag-value-refused"),
        ("--model-repository=/m, --model-control-mode=bla", "flag-value-refused"),
        ("--model-repository=/m, --rate-limit=on", "flag-value-refused"),
        ("--model-repository=/m, --metrics-config=foo", "flag-value-refused"),
        ("--model-repository=/m, --cache-config=local", "flag-value-refused"),
        ("--model-repository=/m, --http-restricted-api=health", "flag-value-refused"),
        ("--model-repository=/m, --disable-auto-complete-config=true", "flag-value-refused"),
        ("--model-repository=/m, extra", "stray-argument"),
        ("--log-verbose=0", "no-model-repository"),
        ("--model-repository=/m, --load-model=x", "load-model-without-explicit"),
        ("--model-repository=/m, '--load-model=*'", "load-model-without-explicit"),
        ("--model-repository=/m, --model-control-mode=explicit, '--load-model=*', --load-model=a", "load-all-and-more"),
        ("--model-repository=/m, --grpc-port=8000", "ports-clash"),
        ("--model-repository=/m, --metrics-port=8000", "ports-clash"),
    ],
)
def test_what_the_real_server_does_not_start_with_is_an_error(args: str, slug: str, tmp_path: Path) -> None:
    assert flags(args, tmp_path) == [(slug, Severity.ERROR)]


@pytest.mark.parametrize(
    "args",
    [
        # All of these run on tritonserver 2.51.0 (measured).
        "--model-repository, /m",
        "--model-store=/m",
        "--model-repository=/m, --model-repository=/n",
        "--model-repository=/m, --allow-metr=false",
        "--model-repository=/m, --strict-r=true",
        "--model-repository=/m, --allow-metrics=tRuE",
        "--model-repository=/m, --allow-metrics=0",
        "--model-repository=/m, --allow-metrics, 'False'",
        "--model-repository=/m, --log-verbose=true",
        "--model-repository=/m, --log-verbose=1.5",
        "--model-repository=/m, --exit-timeout-secs=-1",
        "--model-repository=/m, --http-port=70000",
        "--model-repository=/m, --model-control-mode=EXPLICIT, --load-model=x, --load-model=y",
        "--model-repository=/m, --metrics-config=foo=bar",
        "--model-repository=/m, --metrics-config, histogram_latencies=true",
        "--model-repository=/m, --repository-poll-secs=3",
        "--model-repository=/m, --strict-model-config=true, --disable-auto-complete-config",
        "--model-repository=/m, --http-restricted-api=health:k=v",
        "--model-repository=/m, --grpc-port=8000, --http-port=$(PORT)",
        "--model-repository=/m, --grpc-port=8000, --allow-http=false",
        "--model-repository=/m, --http-address=127.0.0.1, --metrics-port=8000",
        "--model-repository=/m, --allow-metrics=$(METRICS)",
        "--model-repository=/m, --load-model=x, --model-control-mode=$(MODE)",
        "$(FLAGS)",
    ],
)
def test_what_the_real_server_starts_with_is_no_error(args: str, tmp_path: Path) -> None:
    assert flags(args, tmp_path) == []


@pytest.mark.parametrize(
    ("image", "args", "expected"),
    [
        ("24.10-py3", "--foo=1", Severity.ERROR),
        ("22.12-py3", "--foo=1", Severity.ERROR),
        ("22.11-py3", "--foo=1", Severity.WARNING),
        ("24.11-py3", "--foo=1", Severity.WARNING),
        ("latest", "--foo=1", Severity.WARNING),
        ("24.02-py3", "--enable-peer-access=true", Severity.ERROR),
        ("24.03-py3", "--enable-peer-access=true", None),
        ("23.07-py3", "--http-restricted-api=health:k=v", Severity.ERROR),
        ("latest", "--http-restricted-api=health:k=v", None),
    ],
)
def test_a_flag_is_judged_by_the_release(image: str, args: str, expected: Severity | None, tmp_path: Path) -> None:
    line = f"    image: nvcr.io/nvidia/tritonserver:{image}\n"
    found = flags(f"--model-repository=/m, {args}", tmp_path, line)
    assert [severity for _, severity in found] == ([] if expected is None else [expected])


def test_the_release_of_the_check_counts_where_the_image_does_not_say_it(tmp_path: Path) -> None:
    text = f"{HEAD}    image: my/tritonserver:v3\n    args: [tritonserver, --model-repository=/m, --foo=1]\n"
    found = manifest_findings(RULES, text, tmp_path, Options(triton=Release(24, 1)))
    assert [one.severity for one in found if one.slug == "unknown-flag"] == [Severity.ERROR]


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        ("livenessProbe: {httpGet: {path: /v2/health/live, port: 8000}, initialDelaySeconds: 300}", []),
        ("livenessProbe: {httpGet: {path: /v2/health/live, port: 8000}}", ["no-startup-probe"]),
        ("startupProbe: {httpGet: {path: /v2/health/ready, port: 8000}, periodSeconds: 6, failureThreshold: 10}", []),
        ("startupProbe: {httpGet: {path: /v2/health/ready, port: 8000}, failureThreshold: 5}", ["short-startup-probe"]),
        ("readinessProbe: {httpGet: {path: /v2/models/ranker/ready, port: 8000}}", []),
        ("readinessProbe: {httpGet: {path: /v2/models/ranker/versions/2/ready, port: 8000}}", []),
        ("readinessProbe: {httpGet: {path: /v2/health/ready/, port: 8000}}", ["probe-path-unknown"]),
        ("readinessProbe: {httpGet: {path: /api/health/ready, port: 8000}}", ["probe-path-unknown"]),
        ("readinessProbe: {httpGet: {path: /healthz, port: 15020}}", ["probe-port-wrong"]),
        ("readinessProbe: {httpGet: {path: /-/serving, port: 8003}}", []),  # a sidecar's verdict on Triton
        ("readinessProbe: {httpGet: {path: /v2/health/ready, port: 8001}}", ["probe-port-wrong"]),
        ("readinessProbe: {httpGet: {path: /v2/health/ready, port: nowhere}}", ["probe-port-wrong"]),
        ("readinessProbe: {grpc: {port: 8001}}", []),
        ("readinessProbe: {tcpSocket: {port: 8000}}", ["tcp-probe"]),
        (
            "readinessProbe: {exec: {command: [curl, 'localhost:8000/v2/health/ready']}}",
            ["health-check-ignores-status", "exec-probe"],
        ),
        (
            "readinessProbe: {exec: {command: [sh, -c, 'curl -sf http://localhost:8000/v2/health/ready']}}",
            ["exec-probe"],
        ),
        (
            "readinessProbe: {exec: {command: [sh, -c, 'curl -s -o x -w %{http_code} localhost:8000/v2 | grep 200']}}",
            ["exec-probe"],
        ),
        (
            "readinessProbe: {exec: {command: [curl, -f, 'http://localhost:8000/health']}}",
            ["probe-path-unknown", "exec-probe"],
        ),
    ],
)
def test_probes_are_judged_by_what_they_ask(probe: str, expected: list[str], tmp_path: Path) -> None:
    text = HEAD + IMAGE + f"    args: [tritonserver, --model-repository=/m]\n    {probe}\n"
    usual = {"no-liveness-probe", "no-readiness-probe", "liveness-timeout-of-one-second"}
    found = slugs(text, tmp_path, only="TW70") + slugs(text, tmp_path / "again", only="TW71")
    assert [slug for slug in found if slug not in usual] == expected


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("", ["no-health-check"]),
        ("healthcheck: {disable: true}", ["no-health-check"]),
        ("healthcheck: {test: [NONE]}", ["no-health-check"]),
        ("healthcheck: {test: curl --fail http://localhost:8000/v2/health/ready || exit 1}", []),
        ("healthcheck: {test: [CMD-SHELL, 'curl -fsS localhost:8000/v2/health/ready']}", []),
        ("healthcheck: {test: [CMD, python3, /check.py]}", []),
        (
            "healthcheck: {test: [CMD, wget, -q, --spider, 'http://localhost:8000/v2/health/ready']}",
            ["health-check-with-head"],
        ),
        ("healthcheck: {test: [CMD, curl, 'http://localhost:8000/v2/health/ready']}", ["health-check-ignores-status"]),
        ("healthcheck: {test: [CMD, curl, -f, 'http://localhost:8000/v2/health/live']}", ["readiness-probe-on-live"]),
    ],
)
def test_health_checks_of_compose_are_judged(check: str, expected: list[str], tmp_path: Path) -> None:
    text = f"{SERVICE}    command: tritonserver --model-repository=/m\n    {check}\n"
    found = slugs(text, tmp_path)
    assert [slug for slug in found if "health" in slug or "probe" in slug] == expected


def test_no_health_check_at_all_crosses_the_red_line(tmp_path: Path) -> None:
    found = manifest_findings(RULES, HEAD + IMAGE + "    args: [tritonserver, --model-repository=/m]\n", tmp_path)
    assert [one.slug for one in found if one.red_line] == ["no-health-check"]


def test_a_job_and_what_kserve_runs_need_no_probes(tmp_path: Path) -> None:
    text = (
        "apiVersion: batch/v1\nkind: Job\nspec: {template: {spec: {containers: [{name: t, image: x/y:1, "
        "args: [tritonserver, --model-repository=/m]}]}}}\n---\n"
        "apiVersion: serving.kserve.io/v1alpha1\nkind: ClusterServingRuntime\nspec: {containers: [{name: k, "
        "image: nvcr.io/nvidia/tritonserver:23.05-py3, args: [tritonserver, --model-store=/mnt/models]}]}\n"
    )
    assert not [slug for slug in slugs(text, tmp_path) if "probe" in slug or "health" in slug]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nvcr.io/nvidia/tritonserver:24.10-py3", []),
        ("nvcr.io/nvidia/tritonserver:24.10-vllm-python-py3", []),
        ("nvcr.io/nvidia/tritonserver@sha256:00", []),
        ("nvcr.io/nvidia/tritonserver:latest@sha256:00", []),
        ("nvcr.io/nvidia/tritonserver:${TAG}", []),
        ("localhost:5000/tritonserver", ["image-not-pinned"]),
        ("nvcr.io/nvidia/tritonserver", ["image-not-pinned"]),
        ("nvcr.io/nvidia/tritonserver:24.10-py3-min", ["image-without-server"]),
        ("mine/tritonserver-sdk:24.10-py3-sdk", []),
    ],
)
def test_images_are_judged_by_their_names(image: str, expected: list[str], tmp_path: Path) -> None:
    text = f"services:\n  t:\n    image: {image}\n    command: tritonserver --model-repository=/m\n"
    assert slugs(text, tmp_path, only="TW77") == expected


@pytest.mark.parametrize(
    ("path", "mounts", "expected"),
    [
        ("/models", "[{name: m, mountPath: /models}]", False),
        ("/models/vision", "[{name: m, mountPath: /models}]", False),
        ("/data", "[{name: m, mountPath: /data/models}]", False),
        ("/models", "[{name: m, mountPath: /models2}]", True),
        ("/models", "[{name: m, mountPath: /}]", False),
        ("s3://bucket/models", "[]", False),
        ("$(MODELS)", "[]", False),
    ],
)
def test_a_repository_is_mounted_above_at_or_below_its_path(
    path: str, mounts: str, expected: bool, tmp_path: Path
) -> None:
    text = HEAD + IMAGE + f"    args: [tritonserver, '--model-repository={path}']\n    volumeMounts: {mounts}\n"
    assert ("repository-not-mounted" in slugs(text, tmp_path)) is expected


@pytest.mark.parametrize(
    ("backend", "severity"), [("python", Severity.WARNING), ("onnxruntime", None), ("", Severity.INFO)]
)
def test_shared_memory_is_demanded_for_python_models(backend: str, severity: Severity | None, tmp_path: Path) -> None:
    text = f"--- m.yaml\n{SERVICE}    command: tritonserver --model-repository=/m\n"
    text += f'--- ranker/config.pbtxt\nbackend: "{backend}"\n' if backend else ""
    found = manifest_findings(RULES, text, tmp_path)
    assert [one.severity for one in found if one.rule == "TW760"] == ([] if severity is None else [severity])


@pytest.mark.parametrize(
    ("setting", "image", "expected"),
    [
        ("histogram_latencies=true", "24.11-py3", []),
        ("histogram_latencies=true", "24.10-py3", ["metrics-setting-without-effect"]),
        ("histogram_latencies=true", "latest", []),
        ("summary_latencies=True", "24.10-py3", ["metrics-setting-without-effect"]),
        ("sumary_latencies=true", "24.10-py3", ["metrics-setting-without-effect"]),
        ("summary_quantiles=0.5:0.05", "24.10-py3", []),
        ("counter_latencies=false", "24.10-py3", ["counters-switched-off"]),
        ("counter_latencies=true", "24.10-py3", []),
    ],
)
def test_metrics_settings_are_judged(setting: str, image: str, expected: list[str], tmp_path: Path) -> None:
    text = f"services:\n  t:\n    image: nvcr.io/nvidia/tritonserver:{image}\n"
    text += f"    command: tritonserver --model-repository=/m --metrics-config={setting}\n    ports: ['8002:8002']\n"
    assert slugs(text, tmp_path, only="TW72") == expected


def test_a_prometheus_in_the_same_file_scrapes_from_inside(tmp_path: Path) -> None:
    text = f"{SERVICE}    command: tritonserver --model-repository=/m\n  prometheus: {{image: prom/prometheus:v3}}\n"
    assert slugs(text, tmp_path, only="TW72") == []


def test_a_service_in_the_same_file_exposes_the_metrics_port(tmp_path: Path) -> None:
    text = HEAD + IMAGE + "    args: [tritonserver, --model-repository=/m]\n    ports: [{containerPort: 8000}]\n"
    service = "---\napiVersion: v1\nkind: Service\nspec: {ports: [{port: 80, targetPort: 8002}]}\n"
    assert "metrics-port-not-exposed" in slugs(text, tmp_path / "without")
    assert "metrics-port-not-exposed" not in slugs(text + service, tmp_path / "with")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (IMAGE + '    args: ["tritonserver --model-repository=/m --allow-metrics=false"]\n', True),
        (IMAGE + "    args:\n    - |\n      tritonserver\n      --allow-metrics=false\n", True),
        ('    image: x/y:1\n    command: ["tritonserver --allow-metrics=false"]\n', True),
        ('    image: x/y:1\n    command: [tini, --, "tritonserver --allow-metrics=false"]\n', True),
        ('    image: x/y:1\n    args: ["tritonserver --allow-metrics=false"]\n', False),
        (IMAGE + '    command: [sh, -c]\n    args: ["tritonserver --allow-metrics=false"]\n', False),
        (IMAGE + "    args: [tritonserver, --allow-metrics=false]\n", False),
    ],
)
def test_a_command_in_one_word_is_no_program_and_judged_all_the_same(text: str, expected: bool, tmp_path: Path) -> None:
    found = slugs(HEAD + text, tmp_path)
    assert ("command-in-one-word" in found) is expected
    assert "metrics-switched-off" in found


def test_two_flags_in_one_word_are_told(tmp_path: Path) -> None:
    text = HEAD + IMAGE + '    args: [tritonserver, "--model-repository=/m --log-verbose=1", "--id=a b"]\n'
    assert slugs(text, tmp_path, only="TW75").count("two-flags-in-one-word") == 1


@pytest.mark.parametrize(
    ("more", "lines"),
    [
        ("    args: [tritonserver, --model-repository=/m, --http-port, 8000, --allow-metrics, true]\n", [8, 8]),
        ("    args: [tritonserver, --model-repository=/m, --http-port, '8000', --id, 1:30, --id, null]\n", []),
        ("    env: [{name: A, value: 1}, {name: B, value: '1'}, {name: C, value: x}, {name: D}]\n", [8]),
    ],
)
def test_numbers_among_the_arguments_are_refused(more: str, lines: list[int], tmp_path: Path) -> None:
    found = manifest_findings(RULES, HEAD + IMAGE + more, tmp_path)
    hits = [one for one in found if one.slug == "number-where-text-belongs"]
    assert [one.line for one in hits] == lines
    assert all(one.severity is Severity.ERROR for one in hits)


MONITOR = (
    "---\napiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nspec: {{{}endpoints: [{{port: metrics}}]}}\n"
)


@pytest.mark.parametrize(
    ("ports", "selector", "count"),
    [
        ("{name: http, port: 8000}", "", 1),
        ("{name: http, port: 8000}, {name: metrics, port: 8002}", "", 0),
        ("{port: 8002, targetPort: metrics}", "selector: {matchLabels: {app: t}}, ", 1),
        ("{name: http, port: 8000}", "selector: {matchLabels: {app: another}}, ", 0),
        ("{name: http, port: 8000}", "selector: {matchExpressions: [{key: app, operator: Exists}]}, ", 0),
        ("", "", 0),
    ],
)
def test_a_monitor_names_a_port_of_its_service(ports: str, selector: str, count: int, tmp_path: Path) -> None:
    service = f"---\napiVersion: v1\nkind: Service\nmetadata: {{labels: {{app: t}}}}\nspec: {{ports: [{ports}]}}\n"
    text = HEAD + IMAGE + "    args: [tritonserver, --model-repository=/m]\n" + service + MONITOR.format(selector)
    assert slugs(text, tmp_path).count("monitored-port-missing") == count


def test_a_model_of_kserve_is_judged_by_what_it_says(tmp_path: Path) -> None:
    text = (
        "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: m}\nspec:\n  predictor:\n"
        "    model:\n      modelFormat: {name: triton}\n      storageUri: s3://x\n      runtimeVersion: 22.12-py3\n"
    )
    assert slugs(text, tmp_path / "a") == []
    with_args = text + "      args: [--cache-config=local, --allow-metrics=false]\n"
    assert {"flag-newer-than-image", "metrics-switched-off"} <= set(slugs(with_args, tmp_path / "b"))


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (HEAD + IMAGE + "   ports: []\n", Severity.ERROR),
        (HEAD + IMAGE + "    args: [{{ .Values.args }]\n", Severity.WARNING),
        (HEAD + IMAGE + "{% if gpu %}\n", Severity.WARNING),
        (HEAD + IMAGE + "    args: " + "[" * 100 + "]" * 100 + "\n", Severity.WARNING),
        ("a: [1\n# tritonserver", Severity.WARNING),
    ],
)
def test_what_kubernetes_cannot_read_is_an_error(text: str, severity: Severity, tmp_path: Path) -> None:
    found = manifest_findings(RULES, text, tmp_path)
    assert [one.severity for one in found if one.slug == "manifest-unreadable"] == [severity]


@pytest.mark.parametrize(
    ("image", "flag", "release"),
    [
        ("22.12", "--cache-config=local,size=1", "23.07"),
        ("22.12", "--metrics-config=counter_latencies=true", "23.04"),
        ("23.07", "--http-restricted-api=a:b=c", "23.11"),
        ("24.02", "--enable-peer-access=true", "24.10"),
    ],
)
def test_a_flag_that_is_too_new_is_told_with_a_release_that_has_it(
    image: str, flag: str, release: str, tmp_path: Path
) -> None:
    text = f"{HEAD}    image: nvcr.io/nvidia/tritonserver:{image}-py3\n    args: [tritonserver, '{flag}']\n"
    (one,) = [one for one in manifest_findings(RULES, text, tmp_path) if one.slug == "flag-newer-than-image"]
    assert one.fix is not None
    assert f"an image from {release} on" in one.fix
