"""Targets that come and go in files and in DNS, with real Tritons, a real DNS server and a real Alertmanager."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from support.agent import Agent
from support.alertmanager_server import RealAlertmanager, Webhook, at_once
from support.dns_server import LOOPBACK, Dnsmasq
from support.needed import needed
from triton_watch.discovery.errors import DiscoveryError
from triton_watch.discovery.look_ups import look_up
from triton_watch.records import DnsSource, RecordType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from triton_watch.demo import EmbeddedTriton

SERVICE = "_http._tcp.triton.test"


@pytest.fixture(scope="module")
def alertmanager() -> Path:
    return needed("prometheus-alertmanager")


@pytest.fixture
def dnsmasq(tmp_path: Path) -> Iterator[Dnsmasq]:
    with Dnsmasq(needed("dnsmasq"), tmp_path) as server:
        yield server


def source(server: Dnsmasq, name: str, record: RecordType = RecordType.A) -> DnsSource:
    return DnsSource(name, record, server=(LOOPBACK, server.port))


def test_a_real_server_tells_addresses_none_and_that_it_does_not_know(dnsmasq: Dnsmasq) -> None:
    many = [f"10.1.{number // 250}.{number % 250 + 1}" for number in range(300)]
    hosts = {"one.test": ["10.0.0.1"], "many.test": many, "six.test": ["fd00::1"], "both.test": ["10.0.0.2", "fd00::2"]}
    dnsmasq.say(hosts=hosts, srv={SERVICE: [("one.test", 8000), ("both.test", 31000)]})
    assert look_up(source(dnsmasq, "one.test.")) == (("10.0.0.1", 8000),)
    assert len(look_up(source(dnsmasq, "many.test"))) == 300  # over UDP cut, over TCP whole
    assert look_up(source(dnsmasq, "six.test")) == (("fd00::1", 8000),)
    assert look_up(source(dnsmasq, "both.test")) == (("10.0.0.2", 8000),)
    assert look_up(source(dnsmasq, SERVICE, RecordType.SRV)) == (("both.test", 31000), ("one.test", 8000))
    assert look_up(source(dnsmasq, "absent.test")) == ()  # NXDOMAIN
    assert look_up(source(dnsmasq, "one.test", RecordType.SRV)) == ()  # no such record
    with pytest.raises(DiscoveryError, match="REFUSED"):
        look_up(source(dnsmasq, "elsewhere.example"))
    dnsmasq.stop()
    with pytest.raises(DiscoveryError, match=r"one\.test\. A"):
        look_up(source(dnsmasq, "one.test"), seconds=1.0)


def listed(*servers: EmbeddedTriton) -> str:
    return json.dumps(
        [{"targets": [server.http_url.removeprefix("http://")], "labels": {"job": "t"}} for server in servers]
    )


def put(path: Path, text: str) -> None:
    """As editors do: a new file that takes the name of the old one."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)


def configuration(folder: Path, dns_server: str, **more: Any) -> Path:
    path = folder / "triton-watch.yaml"
    body = {
        "defaults": {"interval": "1s"},
        "discovery": {
            "dns": [{"name": SERVICE, "type": "SRV", "server": dns_server, "interval": "1s"}],
            "files": [{"paths": "targets/*.json"}],
        },
        "canary": {"interval": "5s"},
        **more,
    }
    path.write_text(json.dumps(body))
    return path


def named(agent: Agent) -> set[str]:
    return {one["name"] for one in agent.get("/api/v1/status").json()["targets"]}


def heard(agent: Agent, *names: str) -> bool:
    return all(agent.metric(f'triton_watch_target_heard{{target="{name}"}}') == 1 for name in names)


def within(seconds: float, condition: Callable[[], bool]) -> float:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, "it did not happen in time"
        time.sleep(0.1)
    return time.monotonic() - begun


def test_servers_that_come_and_go_in_files_and_dns_are_watched_while_they_are_there(
    tmp_path: Path,
    dnsmasq: Dnsmasq,
    alertmanager: Path,
    triton_factory: Callable[..., EmbeddedTriton],
) -> None:
    of_file, of_dns = triton_factory(), triton_factory()
    first, second = of_file.http_url.removeprefix("http://"), f"localhost:{of_dns.ports.http}"
    (tmp_path / "targets").mkdir()
    put(tmp_path / "targets" / "gpus.json", listed(of_file))
    with Webhook() as hook, RealAlertmanager(alertmanager, tmp_path / "am", config=at_once(hook.url)) as manager:
        config = configuration(tmp_path, dnsmasq.address, alerts={"alertmanagers": [{"url": manager.url}]})
        agent = Agent(tmp_path, "--config", str(config), start=False)
        body = json.loads(config.read_text())
        config.write_text(json.dumps({**body, "web": {"listen": agent.listen}}))
        agent.start()
        try:
            agent.wait_ready()
            assert named(agent) == {first}
            dnsmasq.say(srv={SERVICE: [("localhost", of_dns.ports.http)]})
            assert within(10, lambda: heard(agent, first, second)) < 10
            cycles = f'triton_watch_cycles_total{{target="{first}"}}'
            before = agent.metric(cycles)
            assert before is not None

            _dns_server_dies_and_is_back(agent, dnsmasq, second)
            _a_half_written_file_changes_nothing(agent, tmp_path / "targets" / "gpus.json", of_file, first)
            _a_server_that_is_gone_for_good_is_resolved(agent, dnsmasq, of_dns, manager, second)

            after = agent.metric(cycles)
            assert after is not None
            assert after > before + 3
            assert named(agent) == {first}
            put(tmp_path / "targets" / "gpus.json", "[]")
            within(10, lambda: not named(agent))
            status = agent.get("/api/v1/status").json()
            assert status["sentence"] == "No server is watched: discovery found no targets."
            assert "No target is known" in agent.get("/").text
            assert agent.get("/-/serving").status_code == 503
            assert agent.get("/-/ready").status_code == 200
        finally:
            assert agent.end() == 0
    assert "Traceback" not in agent.log


def _dns_server_dies_and_is_back(agent: Agent, dnsmasq: Dnsmasq, name: str) -> None:
    failures = f'triton_watch_discovery_failures_total{{source="dns:SRV:{SERVICE}"}}'
    dnsmasq.stop()
    within(20, lambda: (agent.metric(failures) or 0) >= 1)
    assert name in named(agent)
    assert agent.metric(f'triton_watch_discovery_targets{{source="dns:SRV:{SERVICE}"}}') == 1
    assert agent.log.count("targets could not be looked for") == 1
    dnsmasq.start()
    within(20, lambda: "targets can be looked for again" in agent.log)


def _a_half_written_file_changes_nothing(agent: Agent, path: Path, server: EmbeddedTriton, name: str) -> None:
    path.write_text(listed(server)[:-5])
    within(10, lambda: "is not valid JSON" in agent.log)
    assert name in named(agent)
    put(path, listed(server))
    time.sleep(2.5)
    assert name in named(agent)


def _a_server_that_is_gone_for_good_is_resolved(
    agent: Agent, dnsmasq: Dnsmasq, server: EmbeddedTriton, manager: RealAlertmanager, name: str
) -> None:
    def told() -> set[str]:
        return {one["labels"]["alertname"] for one in manager.alerts() if one["labels"].get("target") == name}

    server.stop()
    within(30, lambda: "TritonTargetDown" in told())
    dnsmasq.say()
    within(10, lambda: name not in named(agent))
    within(10, lambda: not told())
    assert f'target="{name}"' not in agent.get("/metrics").text


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "triton_watch", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
    )


def test_a_command_looks_once_and_asks_what_it_finds(tmp_path: Path, dnsmasq: Dnsmasq, triton: EmbeddedTriton) -> None:
    (tmp_path / "targets").mkdir()
    put(tmp_path / "targets" / "gpus.json", listed(triton))
    configuration(tmp_path, dnsmasq.address)
    done = run(tmp_path, "canary", "list", "--config", "triton-watch.yaml")
    assert done.returncode == 0, done.stderr
    assert "tokenizer:1" in done.stdout
    live = run(tmp_path, "slo", "check", "triton-watch.yaml", "--live")
    assert live.returncode in (0, 1), live.stderr


def test_a_command_that_finds_nothing_says_so_and_ends_with_3(tmp_path: Path, dnsmasq: Dnsmasq) -> None:
    (tmp_path / "targets").mkdir()
    configuration(tmp_path, dnsmasq.address)
    done = run(tmp_path, "canary", "list", "--config", "triton-watch.yaml")
    assert (done.returncode, done.stdout) == (3, "")
    by_dns, by_file = done.stderr.splitlines()
    assert re.fullmatch(r"triton-watch: discovery: no targets were found: .*(NXDOMAIN|SRV record).*", by_dns)
    assert re.fullmatch(r"triton-watch: discovery: no targets were found: no file matches \S+\.json", by_file)
    (tmp_path / "targets" / "bad.json").write_text("{")
    done = run(tmp_path, "canary", "list", "--config", "triton-watch.yaml")
    assert done.returncode == 3
    assert "bad.json:1:2: is not valid JSON" in done.stderr
    assert "Traceback" not in done.stderr
