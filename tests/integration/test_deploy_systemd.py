"""The service of deploy/systemd installed as docs/deploy.md says, run under what the unit forbids, on a real one."""

from __future__ import annotations

import json
import signal
import socket
import time
from typing import TYPE_CHECKING

import pytest
import requests

from support.doc_commands import install_of_the_service
from support.machine import IS_ROOT, REPOSITORY, Machine
from support.systemd_stand_in import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from triton_watch.demo import EmbeddedTriton

UNIT = REPOSITORY / "deploy" / "systemd" / "triton-watch.service"
CONFIG = "etc/triton-watch/triton-watch.yaml"
ATTEMPTS = """
import ctypes, json, mmap, os, socket
def errno_of(attempt):
    try:
        attempt()
    except OSError as error:
        return os.strerror(error.errno)
    return "done"
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)
found = {
    "write its configuration": errno_of(lambda: open("/etc/triton-watch/new", "w")),
    "write its program": errno_of(lambda: open("/opt/triton-watch/new", "w")),
    "write beside its state": errno_of(lambda: open("/var/lib/new", "w")),
    "write its state": errno_of(lambda: open("/var/lib/triton-watch/new", "w")),
    "write a temporary file": errno_of(lambda: open("/tmp/new", "w")),
    "make code of data": errno_of(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)),
    "become root": errno_of(lambda: os.setuid(0)),
    "make a namespace": errno_of(lambda: call("unshare", 0x10000000)),
    "open a raw device socket": errno_of(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
    "open a TCP socket": errno_of(lambda: socket.socket()),
    "change a limit": errno_of(lambda: call("setpriority", 0, 0, 5)),
    "mount": errno_of(lambda: call("mount", b"none", b"/tmp", b"tmpfs", 0, None)),
    "mode of a new file": oct(os.stat("/var/lib/triton-watch/new").st_mode & 0o777),
    "homes": os.listdir("/home"),
    "temporary files of others": [one for one in os.listdir("/tmp") if one != "new"],
    "devices": sorted(set(os.listdir("/dev")) & {"mem", "kmsg", "sda", "vda", "fuse", "nvidia0", "kvm"}),
    "processes of others": [
        one for one in os.listdir("/proc") if one.isdigit() and os.stat("/proc/" + one).st_uid != os.getuid()
    ],
    "uid is root": os.getuid() == 0,
    "capabilities": [line.split()[1] for line in open("/proc/self/status") if line.startswith(("CapEff", "CapBnd"))],
}
print(json.dumps(found))
"""
REFUSED = "Operation not permitted"
READ_ONLY = "Read-only file system"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine on which the commands of the page were run, up to the one that starts the service."""
    machine = Machine(tmp_path_factory.mktemp("systemd") / "machine")
    for command in install_of_the_service():
        done = machine.run(command)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    (machine.root / "tmp" / "of-others").touch()
    (machine.root / "home" / "somebody").mkdir()
    return machine


@pytest.fixture
def service(installed: Machine) -> Iterator[Service]:
    with Service(installed, UNIT) as one:
        yield one


def configure(machine: Machine, triton: EmbeddedTriton, port: int, more: str = "") -> str:
    """The example configuration, with the ports of this test in it; the agent's URL."""
    text = (REPOSITORY / "deploy" / "systemd" / "triton-watch.yaml").read_text()
    for old, new in (
        ("    host: localhost ", f"    url: {triton.http_url}\n    grpc: {triton.grpc_address}\n"
                                 f"    metrics_url: {triton.metrics_url}\n    interval: 1s "),
        ("listen: 127.0.0.1:8003", f"listen: 127.0.0.1:{port}"),
    ):  # fmt: skip
        assert text.count(old) == 1
        text = text.replace(old, new)
    # Written in place: its owner and mode are those that the page's commands gave it.
    (machine.root / CONFIG).write_text(f"{text}{more}")
    return f"http://127.0.0.1:{port}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(condition: Callable[[], bool], service: Service) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, service.log
        time.sleep(0.1)


def test_systemd_finds_nothing_wrong_with_the_installed_unit(installed: Machine) -> None:
    done = installed.run("systemd-analyze verify /etc/systemd/system/triton-watch.service")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_service_may_do_what_it_needs_and_nothing_else(service: Service) -> None:
    found = json.loads(service.run("/opt/triton-watch/bin/python3", "-c", ATTEMPTS))
    (service.machine.root / "var/lib/triton-watch/new").unlink()
    if not IS_ROOT:  # only root can mount the /proc that hides them
        found["processes of others"] = []
    assert found == {
        "write its configuration": READ_ONLY,
        "write its program": READ_ONLY,
        "write beside its state": READ_ONLY,
        "write its state": "done",
        "write a temporary file": "done",
        "make code of data": REFUSED,
        "become root": REFUSED,
        "make a namespace": REFUSED,
        "open a raw device socket": "Address family not supported by protocol",
        "open a TCP socket": "done",
        "change a limit": REFUSED,
        "mount": REFUSED,
        "mode of a new file": "0o600",
        "homes": [],
        "temporary files of others": [],
        "devices": [],
        "processes of others": [],
        "uid is root": False,
        "capabilities": ["0" * 16] * 2,
    }


def test_confined_it_watches_a_real_triton_keeps_its_state_reloads_and_ends_in_time(
    service: Service, triton: EmbeddedTriton
) -> None:
    url = configure(service.machine, triton, free_port())
    said = service.start()
    assert said.lines == ("READY=1", f"STATUS=watching targets=1 url={url}")
    assert said.uid == service.uid
    assert requests.get(f"{url}/-/healthy", timeout=10).text.strip() == "healthy"
    # Canaries go over gRPC: they pass under the filters of system calls, too.
    wait(lambda: requests.get(f"{url}/-/serving?model=ranker", timeout=10).status_code == 200, service)
    wait(lambda: requests.get(f"{url}/-/ready", timeout=10).status_code == 200, service)
    state = service.machine.root / "var/lib/triton-watch"
    wait((state / "slo.sqlite").exists, service)
    configure(service.machine, triton, int(url.rpartition(":")[2]), "log: {format: json}\n")
    assert service.reload().lines[1] == f"STATUS=watching targets=1 url={url}"
    assert '"the configuration was reloaded"' in service.log
    began = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - began < 5
    assert service.hear("STOPPING=1").pid == said.pid
    assert {file.stat().st_mode & 0o077 for file in state.iterdir()} == {0}
    assert "Traceback" not in service.log
    priorities = {line[:3] for line in service.log.splitlines()}
    assert {"<6>"} <= priorities <= {"<4>", "<6>"}, "what the journal takes for a line's priority"


def test_a_bad_configuration_changes_nothing_and_systemctl_status_says_so(
    service: Service, triton: EmbeddedTriton
) -> None:
    url = configure(service.machine, triton, free_port())
    service.start()
    configure(service.machine, triton, 1, "no_such_setting: 1\n")
    status = service.reload().lines[1]
    assert status.startswith("STATUS=the configuration is not good, the old one stays: ")
    assert "no_such_setting" in status
    assert requests.get(f"{url}/-/healthy", timeout=10).status_code == 200
    assert service.stop() == 0


def test_a_start_with_a_bad_configuration_ends_with_the_code_after_which_it_is_not_tried_again(
    service: Service, triton: EmbeddedTriton
) -> None:
    configure(service.machine, triton, free_port(), "no_such_setting: 1\n")
    assert "no_such_setting" in service.run(
        "sh", "-c", "triton-watch run -c /etc/triton-watch/triton-watch.yaml; echo $?"
    )
    assert service.log.endswith("\n2\n")


def test_a_watchdog_gets_signs_of_life_and_one_that_ends_a_hung_process_gets_its_stacks(
    service: Service, triton: EmbeddedTriton
) -> None:
    configure(service.machine, triton, free_port())
    said = service.start()
    assert service.hear("WATCHDOG=1").pid == said.pid
    service.stop(signal.SIGABRT)
    assert "Fatal Python error: Aborted" in service.log
    assert "daemon/service.py" in service.log
