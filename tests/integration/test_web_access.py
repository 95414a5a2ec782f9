"""A real Prometheus scrapes the agent over TLS with a password, and both take the same web configuration file."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from support.agent import Agent
from support.prometheus_server import RealPrometheus
from support.web_access import certificate, write_pair
from triton_watch.config import load_web

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = Path(__file__).parents[2] / "examples" / "web-config.yaml"
PASSWORD = "change me"
PATIENCE = 20.0

SCRAPE = """\
global: {{scrape_interval: 500ms, scrape_timeout: 400ms}}
scrape_configs:
  - job_name: triton-watch
    scheme: https
    static_configs: [{{targets: ["{listen}"]}}]
    basic_auth: {{username: prometheus, password: "{password}"}}
    tls_config: {{ca_file: {ca}}}
"""


@pytest.fixture
def web_config(tmp_path: Path) -> Path:
    """The example, with the certificates that it names beside it."""
    (tmp_path / "tls").mkdir()
    write_pair(tmp_path / "tls", certificate("localhost", "127.0.0.1"))
    shutil.copy(tmp_path / "tls" / "ca.pem", tmp_path / "tls" / "clients-ca.pem")
    return Path(shutil.copy(EXAMPLE, tmp_path / "web-config.yaml"))


@pytest.fixture
def agent(tmp_path: Path, web_config: Path) -> Iterator[Agent]:
    """An agent whose target is not there: its own metrics are."""
    flags = ("--target", "http://127.0.0.1:1", "--listen", "LISTEN", "--web-config", str(web_config))
    agent = Agent(tmp_path, *flags)
    yield agent
    assert agent.end() == 0


def uncommented(text: str) -> str:
    """The example with what it offers switched on, but for what Debian's Prometheus is too old for."""
    return text.replace("  # client_a", "  client_a", 1).replace("  # client_ca", "  client_ca")


@pytest.mark.parametrize("everything", [False, True])
def test_prometheus_takes_our_example_of_the_file_and_so_do_we(
    web_config: Path, promtool: Path, everything: bool
) -> None:
    if everything:
        web_config.write_text(uncommented(web_config.read_text()))
    done = subprocess.run([promtool, "check", "web-config", web_config], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    access = load_web(web_config)
    assert access.tls is not None
    assert (access.tls.client_ca is not None) is everything
    assert access.warnings == ()


def test_prometheus_scrapes_over_tls_with_a_password(
    agent: Agent, web_config: Path, prometheus_bin: Path, tmp_path: Path
) -> None:
    ca = web_config.parent / "tls" / "ca.pem"
    config = SCRAPE.format(listen=agent.listen, password=PASSWORD, ca=ca)
    with RealPrometheus(prometheus_bin, tmp_path / "data", tmp_path / "prometheus", config=config) as prometheus:
        until = time.monotonic() + PATIENCE
        while not (found := value_of(prometheus, "triton_watch_build_info")):
            assert time.monotonic() < until, agent.log
            time.sleep(0.2)
    assert found == "1"
    # The same port for those without a password: a kubelet's probe, and nobody else.
    url = f"https://{agent.listen}"
    assert requests.get(url + "/-/healthy", verify=str(ca), timeout=5).status_code == 200
    assert requests.get(url + "/metrics", verify=str(ca), timeout=5).status_code == 401
    assert f"url={url}" in agent.log


def value_of(prometheus: RealPrometheus, query: str) -> str | None:
    answer = requests.get(prometheus.url + "/api/v1/query", params={"query": query}, timeout=5).json()
    result = answer["data"]["result"]
    return str(result[0]["value"][1]) if result else None


def test_a_running_agent_takes_a_new_certificate_and_a_new_password(agent: Agent, web_config: Path) -> None:
    """Within a second or two of the files' change, and without a restart."""
    folder = web_config.parent / "tls"
    url = f"https://{agent.listen}/metrics"

    def status(password: str) -> int | None:
        try:
            login = ("prometheus", password)
            return requests.get(url, auth=login, verify=str(folder / "ca.pem"), timeout=5).status_code
        except requests.ConnectionError:
            return None

    agent.wait(lambda: status(PASSWORD) == 200)
    write_pair(folder, certificate("127.0.0.1", "new.example"))
    agent.wait(lambda: agent.log.count("the web configuration was read again") == 1)
    assert status(PASSWORD) == 200
    web_config.write_text(web_config.read_text().replace("$2y$10$", "$2y$11$"))
    agent.wait(lambda: agent.log.count("the web configuration was read again") == 2)
    assert status(PASSWORD) == 401
    web_config.write_text("basic_auth_users: {")
    agent.wait(lambda: "the web configuration is not good, the old one stays" in agent.log)
    assert status(PASSWORD) == 401


@pytest.mark.parametrize(
    ("text", "code", "sentence"),
    [
        ("basic_auth_users: {a: b}\n", 2, "web-config.yaml:1: basic_auth_users.a: is not a bcrypt hash"),
        (None, 2, "does not exist"),
    ],
)
def test_an_agent_does_not_start_with_a_bad_file(
    tmp_path: Path, web_config: Path, text: str | None, code: int, sentence: str
) -> None:
    if text is None:
        web_config.unlink()
    else:
        web_config.write_text(text)
    agent = Agent(tmp_path, "--target", "http://127.0.0.1:1", "--listen", "LISTEN", "--web-config", str(web_config))
    assert agent.process.wait(PATIENCE) == code
    assert sentence in agent.log
    assert "Traceback" not in agent.log
