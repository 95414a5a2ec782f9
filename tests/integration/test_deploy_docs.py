"""Every command of docs/deploy.md and docs/fleet.md is run, or stands in deploy_commands.yaml with the reason."""

from __future__ import annotations

import re
import socket
import subprocess
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support import cluster_tools
from support.doc_commands import DOCS, Command, block_with, blocks
from support.machine import REPOSITORY, Machine
from support.systemd_stand_in import Service

if TYPE_CHECKING:
    from triton_watch.demo import EmbeddedTriton

PAGES = ("deploy.md", "fleet.md")
UNIT = "etc/systemd/system/triton-watch.service"
CONFIG = "etc/triton-watch/triton-watch.yaml"
INSTALL = "systemctl enable --now triton-watch"
UNINSTALL = "systemctl disable --now triton-watch"
LISTED: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("deploy_commands.yaml").read_text())
PAGE = (DOCS / "deploy.md").read_text()
NOT_RUN = [line for reason in LISTED["not_run"] for line in reason["commands"]]


def in_order() -> list[Command]:
    """The service is installed first and uninstalled last; between them all is as it stands on the pages."""
    first, last = block_with(INSTALL), block_with(UNINSTALL)
    others = [block for page in PAGES for block in blocks(page) if block not in (first, last)]
    return [command for block in (first, *others, last) for command in block]


class Hands:
    """Types the commands, and does what systemd would do. Ports are this test's own, and Triton is the real one."""

    def __init__(self, machine: Machine, triton: EmbeddedTriton) -> None:
        self.machine = machine
        self._triton = triton
        self._service: Service | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._listen = f"127.0.0.1:{probe.getsockname()[1]}"

    def type(self, command: Command) -> None:
        if command.line in LISTED["acted"]:
            getattr(self, LISTED["acted"][command.line])()
            return
        line = command.line
        if line in LISTED["until_stopped"]:
            line = f"timeout --preserve-status 3 {line} --state none"
        own = line != command.line
        done = self.machine.run(line, command.folder, own_network=own, TRITON_WATCH_LISTEN=self._listen)
        wanted = LISTED["codes"].get(command.line, [0])
        assert done.returncode in wanted, f"{command.line}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr, f"{command.line}\n{done.stderr}"

    def start(self) -> None:
        self._adjust()
        self._service = Service(self.machine, self.machine.root / UNIT)
        self._service.start()

    def stop(self) -> None:
        if self._service is not None and self._service.process is not None and self._service.process.poll() is None:
            assert self._service.stop() == 0, self._service.log
            self._service.close()

    def restart(self) -> None:
        self.stop()
        self.start()

    def _adjust(self) -> None:
        file = self.machine.root / CONFIG
        triton = self._triton
        address = f"url: {triton.http_url}\n    grpc: {triton.grpc_address}\n    metrics_url: {triton.metrics_url}"
        text = file.read_text().replace("host: localhost ", f"{address} ")
        file.write_text(text.replace("127.0.0.1:8003", self._listen))


@pytest.fixture
def hands(tmp_path: Path, triton: EmbeddedTriton) -> Hands:
    programs = {"kubectl": cluster_tools.kubectl(), "helm": cluster_tools.helm()}
    return Hands(Machine(tmp_path / "machine", programs), triton)


def test_every_command_of_the_pages_that_is_not_listed_runs(hands: Hands) -> None:
    run = [command for command in in_order() if command.line not in NOT_RUN]
    assert len(run) > 25
    try:
        for command in run:
            hands.type(command)
    finally:
        hands.stop()
    left = [path for path in ("opt", "etc", "var/lib") if (hands.machine.root / path / "triton-watch").exists()]
    assert not left, "what the page's last commands should have taken away"
    assert "triton-watch" not in (hands.machine.root / "etc/passwd").read_text()


def test_the_overlay_of_the_page_renders_with_an_image_and_a_configuration_of_ones_own(tmp_path: Path) -> None:
    (overlay,) = re.findall(r"^```yaml\n(# kustomization\.yaml\n.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    own = tmp_path / "own"
    own.mkdir()
    (tmp_path / "triton-watch").symlink_to(REPOSITORY)
    (own / "kustomization.yaml").write_text(overlay)
    (own / "triton-watch.yaml").write_text("targets: [{host: of-my-own}]\n")
    done = subprocess.run([cluster_tools.kubectl(), "kustomize", str(own)], text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    objects = list(yaml.safe_load_all(done.stdout))
    (configuration,) = [one for one in objects if one["kind"] == "ConfigMap"]
    assert configuration["data"] == {"triton-watch.yaml": "targets: [{host: of-my-own}]\n"}
    assert "image: registry.example.com/triton-watch:0.1.0\n" in done.stdout
    mounted = [one["configMap"]["name"] for one in volumes(objects) if "configMap" in one]
    assert mounted == [configuration["metadata"]["name"]]


def test_what_is_listed_stands_on_the_pages_and_once_in_the_list() -> None:
    listed = Counter([*NOT_RUN, *LISTED["acted"], *LISTED["until_stopped"]])
    assert [line for line, count in listed.items() if count > 1] == []
    typed = {command.line for command in in_order()}
    assert {*listed, *LISTED["codes"]} - typed == set()


def test_the_page_tells_what_is_not_run_and_why() -> None:
    table = PAGE.split("<!-- not run: begin -->")[1].split("<!-- not run: end -->")[0]
    rows = [f"| {reason['what']} | {reason['needs']} | {reason['instead']} |" for reason in LISTED["not_run"]]
    wanted = "\n".join(["| not run | it needs | instead |", "| --- | --- | --- |", *rows])
    assert table.strip() == wanted


def test_each_file_of_deploy_is_told_of_in_its_readme() -> None:
    folder = REPOSITORY / "deploy"
    readme = (folder / "README.md").read_text()
    there = {path.name for path in folder.iterdir() if path.name != "README.md" and not path.name.startswith(".")}
    cells = re.findall(r"^\| (\[.+?) \|", readme, re.MULTILINE)
    assert there == {name for cell in cells for name in re.findall(r"\]\(([^)]+)\)", cell)}


def volumes(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    pods = [one["spec"]["template"]["spec"] for one in objects if one["kind"] == "Deployment"]
    return [volume for pod in pods for volume in pod["volumes"]]
