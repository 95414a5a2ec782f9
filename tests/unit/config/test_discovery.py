"""The `discovery` section: what it becomes, what it takes over from defaults, and how it is shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import yaml

from triton_watch.config import load, load_slo, masked_yaml
from triton_watch.records import Credentials, DnsSource, FileSource, RecordType, Timeouts
from triton_watch.records.discovery import NOWHERE

GOOD = Path(__file__).parent / "good"
TEMPLATE = replace(NOWHERE, interval=10.0, credentials=Credentials(headers=(("X-Tenant", "search"),)))


def test_sources_have_their_settings_over_those_of_defaults() -> None:
    discovery = load(GOOD / "discovery.yaml", {}).discovery
    login = replace(TEMPLATE.credentials, username="w", password="hunter2")
    assert discovery.dns == (
        DnsSource(
            "triton-pods.triton.svc.cluster.local.",
            port=9000,
            template=replace(TEMPLATE, interval=20.0, expected_models=("ranker",)),
        ),
        DnsSource(
            "_http._tcp.triton",
            RecordType.SRV,
            grpc_port=9001,
            metrics_port=9002,
            tls=True,
            server=("::1", 8600),
            interval=60.0,
            template=TEMPLATE,
        ),
    )
    assert discovery.files == (
        FileSource(GOOD / "targets" / "*.yaml", replace(TEMPLATE, credentials=login)),
        FileSource(Path("/etc/gpus.json"), replace(TEMPLATE, credentials=login)),
    )


def test_discovery_alone_is_a_whole_configuration(tmp_path: Path) -> None:
    path = tmp_path / "triton-watch.yaml"
    path.write_text("discovery:\n  dns: [{name: pods, interval: 1s}]\nslo: {flush_interval: 10s}\n")
    settings = load(path, {})
    assert settings.targets == ()
    assert settings.discovery.dns[0].template == replace(NOWHERE, timeouts=Timeouts())
    assert load_slo(path, {}).flush_interval == 10.0


def test_what_is_shown_is_the_same_configuration_again(tmp_path: Path) -> None:
    settings = load(GOOD / "discovery.yaml", {})
    shown = masked_yaml(settings)
    assert "hunter2" not in shown
    path = tmp_path / "triton-watch.yaml"
    path.write_text(shown.replace("<secret>", "hunter2").replace("X-Tenant: hunter2", "X-Tenant: search"))
    assert load(path, {}).discovery == settings.discovery
    assert "targets" in yaml.safe_load(shown)


def test_a_configuration_without_targets_shows_none(tmp_path: Path) -> None:
    path = tmp_path / "triton-watch.yaml"
    path.write_text("discovery: {files: [{paths: t.json}]}\n")
    shown = yaml.safe_load(masked_yaml(load(path, {})))
    assert "targets" not in shown
    assert shown["discovery"]["files"][0]["paths"] == [str(tmp_path / "t.json")]
