"""deploy/compose before the real Docker Compose, and the files that it mounts before promtool and amtool."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.cluster_tools import docker_compose
from support.compose_file import (
    ALERTMANAGER_FILE,
    CPU_FILE,
    FILE,
    FOLDER,
    PASSWORD,
    PROMETHEUS_FILE,
    flag,
    mounts,
    ports,
    services,
    variables,
)
from support.needed import needed

if TYPE_CHECKING:
    from pathlib import Path

UNCOMMENTED = re.compile(r"^  # ", re.MULTILINE)


def asked(program: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program of Debian's; a missing one is a failure."""
    return subprocess.run([needed(program), *words], capture_output=True, text=True, check=False, timeout=60)


def laid_out(name: str, root: Path) -> Path:
    """A folder with all that a service of Compose sees of this machine, each at its place."""
    for mount in mounts(services()[name]):
        if mount.path is not None:
            place = root / mount.target.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(mount.path, place)
    return root


def test_prometheus_takes_its_file_and_our_rules_where_compose_mounts_them(tmp_path: Path) -> None:
    config = flag(services()["prometheus"], "--config.file")
    done = asked("promtool", "check", "config", laid_out("prometheus", tmp_path) / config.lstrip("/"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"1 rule files found(?s:.*)SUCCESS: \d+ rules found", done.stdout), done.stdout


def test_prometheus_takes_its_file_where_it_lies_in_the_repository() -> None:
    done = asked("promtool", "check", "config", PROMETHEUS_FILE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_would_notice_that_the_rules_are_not_mounted(tmp_path: Path) -> None:
    config = flag(services()["prometheus"], "--config.file")
    root = laid_out("prometheus", tmp_path)
    shutil.rmtree(root / "etc/prometheus/alerts")
    assert asked("promtool", "check", "config", root / config.lstrip("/")).returncode == 1


def test_alertmanager_takes_its_file_where_compose_mounts_it(tmp_path: Path) -> None:
    config = flag(services()["alertmanager"], "--config.file")
    done = asked("amtool", "check-config", laid_out("alertmanager", tmp_path) / config.lstrip("/"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_alertmanager_takes_every_example_of_a_receiver_once_it_is_no_comment(tmp_path: Path) -> None:
    file = tmp_path / "alertmanager.yaml"
    file.write_text(UNCOMMENTED.sub("  ", ALERTMANAGER_FILE.read_text()))
    assert len([one for one in yaml.safe_load(file.read_text())["receivers"] if len(one) > 1]) == 3
    done = asked("amtool", "check-config", file)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ("alertname=TritonSilentFailure severity=page", "page"),
        ("alertname=TritonQueueGrowing severity=ticket", "ticket"),
        ("alertname=TritonNotBatching severity=info", "info"),
        ("alertname=TritonWatchdog severity=info", "watchdog"),
    ],
)
def test_each_alert_comes_to_its_receiver(labels: str, receiver: str) -> None:
    done = asked("amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER_FILE}", *labels.split())
    assert done.stdout.strip() == receiver


def compose(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Docker Compose where people do, with these variables alone: no .env of this machine counts."""
    command = [docker_compose(), "--env-file", os.devnull, *words]
    known = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **environment}
    return subprocess.run(command, cwd=FOLDER, env=known, capture_output=True, text=True, check=False, timeout=60)


def resolved(*files: Path, **environment: str) -> dict[str, Any]:
    """What Docker Compose makes of the files."""
    words = [word for file in files for word in ("--file", file)]
    done = compose(*words, "config", "--format", "json", **{**PASSWORD, **environment})
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_docker_compose_reads_the_file_as_the_other_tests_do() -> None:
    found, ours = resolved(FILE)["services"], services()
    assert sorted(found) == sorted(ours)
    for name, service in ours.items():
        assert found[name]["image"] == service["image"]
        assert found[name].get("command") == service.get("command")
        assert found[name].get("environment") == service.get("environment")
        seen = [(one["host_ip"], int(one["published"]), one["target"]) for one in found[name]["ports"]]
        assert seen == [tuple(one) for one in ports(service)]
        places = [(one["source"], one["target"], one.get("read_only", False)) for one in found[name]["volumes"]]
        assert places == [(str(one.path or one.source), one.target, one.read_only) for one in mounts(service)]


OTHERS = {
    "BIND_ADDRESS": "192.0.2.7",
    "MODEL_REPOSITORY": "/srv/models",
    "TRITON_IMAGE": "triton:1",
    "TRITON_MEMORY": "24g",
    "TRITON_SHM_SIZE": "2gb",
}
"""Other values of variables that are no port and no text."""


@pytest.mark.parametrize("name", sorted(variables()))
def test_each_variable_changes_what_docker_compose_would_start(name: str) -> None:
    other = OTHERS.get(name, "12345")
    assert resolved(FILE, **{name: other}) != resolved(FILE)


def test_docker_compose_starts_nothing_without_a_password_for_grafana() -> None:
    done = compose("--file", FILE, "config")
    assert done.returncode == 1
    assert "GRAFANA_ADMIN_PASSWORD is missing a value: set it in .env, see .env.example" in done.stderr


def test_docker_compose_asks_for_gpus_and_for_none_with_the_second_file() -> None:
    with_gpus = resolved(FILE)["services"]["triton"]["deploy"]["resources"]
    without = resolved(FILE, CPU_FILE)["services"]["triton"]["deploy"]["resources"]
    assert [one["capabilities"] for one in with_gpus["reservations"]["devices"]] == [["gpu"]]
    assert without == {"limits": with_gpus["limits"]}


def test_docker_compose_takes_the_second_file_from_the_variable_of_the_example() -> None:
    done = compose("config", "--format", "json", COMPOSE_FILE="compose.yaml:compose.cpu.yaml", **PASSWORD)
    assert "reservations" not in json.loads(done.stdout)["services"]["triton"]["deploy"]["resources"]
