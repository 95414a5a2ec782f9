"""deploy/compose: what the configuration files say of one another. Names, ports, paths and links fit together."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from support.compose_file import (
    AGENT_FILE,
    ALERTMANAGER_FILE,
    FOLDER,
    PROMETHEUS_FILE,
    ROOT,
    example,
    flag,
    in_container,
    mounts,
    ports,
    services,
)
from triton_watch.config import load, parse_duration
from triton_watch.records import AlertMode, Settings

RULES = ROOT / "alerts" / "rules.yaml"
PROMETHEUS: dict[str, Any] = yaml.safe_load(PROMETHEUS_FILE.read_text())
ALERTMANAGER: dict[str, Any] = yaml.safe_load(ALERTMANAGER_FILE.read_text())
JOBS: dict[str, dict[str, Any]] = {job["job_name"]: job for job in PROMETHEUS["scrape_configs"]}
OUT_OF_COMMENT = re.compile(r"^  # ", re.MULTILINE)
ELSEWHERE = {"PUBLIC_HOST": "gpu-7.example.net", "TRITON_WATCH_PORT": "9003", "GRAFANA_PORT": "9300"}


def agent(**environment: str) -> Settings:
    """The agent's configuration, with the environment that Compose gives it."""
    return load(AGENT_FILE, services(environment)["triton-watch"]["environment"])


def target_of(job: str) -> str:
    """The one address that a job scrapes."""
    (group,) = JOBS[job]["static_configs"]
    (address,) = group["targets"]
    return str(address)


def published(name: str, target: int, environment: dict[str, str] | None = None) -> int:
    """The port of this machine that leads to a port of a service."""
    (port,) = [one.published for one in ports(services(environment or {})[name]) if one.target == target]
    return port


def filled_in() -> dict[str, Any]:
    """Alertmanager's configuration with every example of a receiver out of its comment."""
    filled: dict[str, Any] = yaml.safe_load(OUT_OF_COMMENT.sub("  ", ALERTMANAGER_FILE.read_text()))
    return filled


# Prometheus.


def test_prometheus_reads_the_files_of_the_repository_that_are_mounted() -> None:
    prometheus = services()["prometheus"]
    config = flag(prometheus, "--config.file")
    assert in_container(prometheus, config) == PROMETHEUS_FILE
    (rules,) = PROMETHEUS["rule_files"]
    depth = rules.count("../")
    in_it = "/".join([*config.split("/")[: -depth - 1], rules.removeprefix("../" * depth)])
    assert in_container(prometheus, in_it) == RULES
    assert (PROMETHEUS_FILE.parent / rules).resolve() == RULES


def test_prometheus_scrapes_the_ports_that_the_services_have() -> None:
    scraped = {job: target_of(job) for job in JOBS}
    assert scraped == {
        "triton": "triton:8002",
        "triton-watch": "triton-watch:8003",
        "prometheus": "localhost:9090",
        "alertmanager": "alertmanager:9093",
    }
    assert flag(services()["triton"], "--metrics-port") == "8002"


def test_every_job_that_a_rule_asks_for_is_scraped() -> None:
    asked = set(re.findall(r'job="([^"]+)"', RULES.read_text()))
    assert asked
    assert asked <= set(JOBS)


@pytest.mark.parametrize("job", ["triton", "triton-watch"])
def test_no_label_of_a_page_is_dropped_or_replaced(job: str) -> None:
    settings = JOBS[job]
    assert not {"metric_relabel_configs", "relabel_configs", "honor_labels"} & set(settings)
    set_here = {name for group in settings["static_configs"] for name in group.get("labels", {})}
    assert set_here <= {"instance"}


def test_grafana_is_told_how_often_prometheus_scrapes() -> None:
    (source,) = yaml.safe_load((ROOT / "dashboards/provisioning/datasources.yaml").read_text())["datasources"]
    assert source["jsonData"]["timeInterval"] == PROMETHEUS["global"]["scrape_interval"]
    assert not [job for job, settings in JOBS.items() if "scrape_interval" in settings]


def test_data_are_kept_longer_than_the_longest_budget() -> None:
    kept = parse_duration(flag(services()["prometheus"], "--storage.tsdb.retention.time"))
    longest = max(one.period for one in agent().slo.objectives)
    assert kept >= longest + 7 * 86_400


def test_prometheus_can_be_told_to_read_its_files_again() -> None:
    assert "--web.enable-lifecycle" in services()["prometheus"]["command"]


# The agent.


def test_the_agent_watches_triton_by_its_name_and_sees_its_models() -> None:
    (target,) = agent().targets
    assert (target.name, target.http_url) == ("triton", "http://triton:8000")
    triton, watcher = services()["triton"], services()["triton-watch"]
    (folder,) = map(str, target.model_repositories)
    assert folder == flag(triton, "--model-repository")
    assert in_container(triton, folder) == in_container(watcher, folder) == ROOT / "examples" / "model_repository"


def test_the_agent_reads_the_configuration_whose_folder_is_mounted() -> None:
    assert in_container(services()["triton-watch"], "/etc/triton-watch/triton-watch.yaml") == AGENT_FILE


def test_the_password_of_grafana_is_in_no_folder_that_a_container_sees() -> None:
    secret = FOLDER / ".env"
    seen = [mount.path for service in services().values() for mount in mounts(service) if mount.path]
    assert not [path for path in seen if path in secret.parents]


def test_the_agent_keeps_its_state_on_its_volume() -> None:
    (volume,) = [one for one in mounts(services()["triton-watch"]) if one.path is None]
    assert str(agent().slo.state_dir) == volume.target


def test_the_agent_listens_where_its_port_leads() -> None:
    assert (agent().web.host, agent().web.port) == ("0.0.0.0", 8003)
    assert published("triton-watch", 8003) == 8003


def test_only_prometheus_tells_of_alerts() -> None:
    assert agent().alerts.mode is AlertMode.PROMETHEUS
    assert agent().alerts.alertmanagers == ()
    assert PROMETHEUS["rule_files"]


# Links.


def test_links_of_alerts_lead_to_the_published_port_of_the_agent() -> None:
    """Rules link to http://INSTANCE/..., so the label is what a browser asks."""
    (group,) = JOBS["triton-watch"]["static_configs"]
    assert "http://{{ $labels.instance }}/runbooks/" in RULES.read_text()
    assert group["labels"]["instance"] == f"{example()['PUBLIC_HOST']}:{published('triton-watch', 8003)}"
    assert agent().alerts.external_url == f"http://{group['labels']['instance']}"


def test_the_agent_links_to_the_published_port_of_grafana_where_its_boards_are() -> None:
    link = urlsplit(agent().alerts.dashboard_url)
    assert link.netloc == f"localhost:{published('grafana', 3000)}"
    assert link.path == "/d/triton-watch-{dashboard}"


def test_links_follow_the_variables() -> None:
    moved, alerts = services(ELSEWHERE), agent(**ELSEWHERE).alerts
    assert published("triton-watch", 8003, ELSEWHERE) == 9003
    assert alerts.external_url == "http://gpu-7.example.net:9003"
    assert alerts.dashboard_url.startswith("http://gpu-7.example.net:9300/d/")
    assert moved["grafana"]["environment"]["GF_SERVER_ROOT_URL"] == "http://gpu-7.example.net:9300/"


@pytest.mark.parametrize(("name", "port"), [("prometheus", 9090), ("alertmanager", 9093)])
def test_prometheus_and_alertmanager_link_to_their_published_ports(name: str, port: int) -> None:
    assert flag(services()[name], "--web.external-url") == f"http://localhost:{published(name, port)}"


# Alertmanager.


def test_alertmanager_reads_the_file_that_is_mounted_and_prometheus_tells_it() -> None:
    alertmanager = services()["alertmanager"]
    assert in_container(alertmanager, flag(alertmanager, "--config.file")) == ALERTMANAGER_FILE
    (peers,) = PROMETHEUS["alerting"]["alertmanagers"]
    assert peers == {"static_configs": [{"targets": ["alertmanager:9093"]}]}


def test_routes_and_inhibition_are_the_generated_ones() -> None:
    generated = yaml.safe_load((ROOT / "alerts" / "alertmanager.yaml").read_text())
    for section in ("route", "inhibit_rules"):
        assert ALERTMANAGER[section] == generated[section]
    assert set(ALERTMANAGER) == set(generated)


def test_it_starts_without_anybody_to_tell_so_that_nothing_fails_and_its_head_says_so() -> None:
    assert ALERTMANAGER["receivers"] == [{"name": name} for name in ("page", "ticket", "info", "watchdog")]
    head = ALERTMANAGER_FILE.read_text().partition("route:")[0]
    assert "NOBODY IS TOLD" in head


def test_each_receiver_but_info_has_an_example_to_take_out_of_its_comment() -> None:
    kinds = {one["name"]: sorted(set(one) - {"name"}) for one in filled_in()["receivers"]}
    assert kinds == {
        "page": ["pagerduty_configs", "slack_configs", "webhook_configs"],
        "ticket": ["slack_configs", "webhook_configs"],
        "info": [],
        "watchdog": ["webhook_configs"],
    }


def test_secrets_of_the_examples_are_files_of_the_folder_that_git_ignores() -> None:
    named = re.findall(r"_file: (\S+)", ALERTMANAGER_FILE.read_text())
    seen = {in_container(services()["alertmanager"], path).parent for path in named}
    assert seen == {ALERTMANAGER_FILE.parent / "secrets"}
    assert (ALERTMANAGER_FILE.parent / ".gitignore").read_text().split() == ["secrets/"]


# Grafana.


def test_grafana_finds_its_data_source_and_boards() -> None:
    grafana = services()["grafana"]
    folder = "/etc/grafana/provisioning"
    (provider,) = yaml.safe_load(in_container(grafana, f"{folder}/dashboards/triton-watch.yaml").read_text())[
        "providers"
    ]
    (source,) = yaml.safe_load(in_container(grafana, f"{folder}/datasources/triton-watch.yaml").read_text())[
        "datasources"
    ]
    assert in_container(grafana, provider["options"]["path"]) == ROOT / "dashboards"
    assert (source["uid"], source["url"]) == ("prometheus", "http://prometheus:9090")
    home = in_container(grafana, grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert home == ROOT / "dashboards" / "fleet.json"
    assert home.is_file()


def test_nobody_sees_grafana_without_a_password() -> None:
    environment = services()["grafana"]["environment"]
    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert environment["GF_USERS_ALLOW_SIGN_UP"] == "false"
    assert example()["GRAFANA_ADMIN_PASSWORD"] == ""
