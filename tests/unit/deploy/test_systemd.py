"""The unit of deploy/systemd agrees with the agent and with its example, and systemd finds it well locked up."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.machine import REPOSITORY
from support.systemd_tools import command
from support.systemd_unit import NOT_TRIED, TRIED, allowed_calls, settings
from triton_watch.config import load
from triton_watch.daemon.pages import BEAT_LIMIT

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = REPOSITORY / "deploy" / "systemd"
UNIT = FOLDER / "triton-watch.service"
EXPOSURE = 1.5
"""At most: 0 is a program in a vault, 10 one that may do everything."""


@pytest.fixture(scope="module")
def unit() -> dict[str, list[str]]:
    return settings(UNIT)


def test_each_setting_of_the_unit_is_in_force_in_the_test_or_excused_from_it(unit: dict[str, list[str]]) -> None:
    excused = set().union(*NOT_TRIED.values())
    assert not TRIED & excused
    assert set(unit) == TRIED | excused


def test_systemd_rates_the_unit_as_little_exposed() -> None:
    words = ["--no-pager", "security", "--offline=true", f"--threshold={EXPOSURE * 10:.0f}", str(UNIT)]
    done = subprocess.run([*command("systemd-analyze"), *words], text=True, capture_output=True, check=False)
    found = re.search(r"exposure level for \S+: (\d+\.\d+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= EXPOSURE
    assert done.returncode == 0


def test_the_filter_of_system_calls_has_none_that_only_root_needs(unit: dict[str, list[str]]) -> None:
    allowed = allowed_calls(unit["SystemCallFilter"])
    assert {"read", "futex", "socket", "execve"} <= allowed
    assert not {"mount", "setuid", "ptrace", "bpf", "reboot", "chroot", "setpriority", "init_module"} & allowed


def test_the_example_configuration_is_good_and_fits_the_unit(unit: dict[str, list[str]]) -> None:
    loaded = load(FOLDER / "triton-watch.yaml", {})
    assert str(loaded.slo.state_dir) == f"/var/lib/{unit['StateDirectory'][0]}"
    assert (loaded.web.host, loaded.web.port) == ("127.0.0.1", 8003)
    assert [target.name for target in loaded.targets] == ["triton"]
    assert unit["ExecStart"][0].endswith(f" run --config /etc/{unit['ConfigurationDirectory'][0]}/triton-watch.yaml")


def test_lines_of_the_example_that_are_commented_out_are_good_too(tmp_path: Path) -> None:
    """Except for files, which must be there."""
    text = (FOLDER / "triton-watch.yaml").read_text()
    names = "model_repository|expected_models|external_url|- url"
    text = re.sub(rf"^( *)# ?( *(?:{names}):.*)$", r"\1\2", text, flags=re.MULTILINE)
    text = text.replace("alertmanagers: []", "alertmanagers:").replace("/srv/models", str(tmp_path))
    file = tmp_path / "triton-watch.yaml"
    file.write_text(text)
    loaded = load(file, {"TRITON_NAME": "gpu-7"})
    assert loaded.targets[0].name == "gpu-7"
    assert loaded.targets[0].expected_models == ("ranker",)
    assert [peer.url for peer in loaded.alerts.alertmanagers] == ["http://alertmanager.example.net:9093"]


def test_the_agents_own_verdict_comes_before_the_one_of_the_watchdog(unit: dict[str, list[str]]) -> None:
    """/-/healthy is 503 for a while before systemd restarts it: somebody may see why."""
    assert int(unit["WatchdogSec"][0]) > BEAT_LIMIT


def test_it_gets_more_time_to_end_than_it_takes(unit: dict[str, list[str]]) -> None:
    assert int(unit["TimeoutStopSec"][0]) >= 10  # it is gone within 5 s
    assert unit["RestartPreventExitStatus"] == ["2"]


def test_the_user_of_the_unit_is_the_one_that_is_made(unit: dict[str, list[str]]) -> None:
    made = [line.split()[:3] for line in (FOLDER / "triton-watch.sysusers").read_text().splitlines() if line[:1] == "u"]
    assert made == [["u", unit["User"][0], "-"]]
    assert unit["User"] == unit["Group"]
