"""`triton-watch run` with a web configuration file, as a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from support.agent import Agent
from support.web_access import PASSWORD, PATIENCE, TLS, USERS, web_file

if TYPE_CHECKING:
    from pathlib import Path

GONE = "http://127.0.0.1:1"


def test_an_agent_speaks_tls_and_asks_for_passwords_as_its_configuration_says(tmp_path: Path) -> None:
    """Another file takes a restart, and the log says so; the flag goes over what the configuration says."""
    web_file(tmp_path, TLS + USERS)
    (tmp_path / "flag.yml").write_text("{}\n")
    file = tmp_path / "triton-watch.yaml"
    agent = Agent(tmp_path, "--config", str(file), "--no-canary", start=False)

    def write(web_config: str) -> None:
        file.write_text(
            f"targets: [{{url: '{GONE}', interval: 1s}}]\n"
            f"web: {{listen: '{agent.listen}', config_file: {web_config}}}\n"
        )

    def status(login: tuple[str, str] | None = None) -> int:
        url, ca = f"https://{agent.listen}/metrics", str(tmp_path / "ca.pem")
        return requests.get(url, auth=login, verify=ca, timeout=PATIENCE).status_code

    write("web.yml")
    agent.start()
    try:
        agent.wait(lambda: status() == 401)
        assert status(("reader", PASSWORD)) == 200
        write("flag.yml")
        agent.wait(lambda: "web.config_file changed: that takes effect after a restart" in agent.log)
        assert status() == 401
    finally:
        assert agent.end() == 0
    over = Agent(
        tmp_path, "--config", str(file), "--no-canary", "--web-config", str(tmp_path / "flag.yml"), start=False
    )
    over.listen, over.url = agent.listen, agent.url
    write("web.yml")
    over.start()
    try:
        over.wait(lambda: over.get("/metrics").status_code == 200)
    finally:
        assert over.end() == 0
