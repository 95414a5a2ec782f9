"""The example of a fleet: its configuration loads, its targets are read, and what the page says of it holds."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from triton_watch.config import load
from triton_watch.discovery.files import Files
from triton_watch.discovery.merge import LIMIT
from triton_watch.discovery.targets_file import parse
from triton_watch.records.discovery import NOWHERE

ROOT = Path(__file__).parents[3]
FLEET = ROOT / "deploy" / "fleet"
PAGE = (ROOT / "docs" / "fleet.md").read_text()
SNIPPETS = [block.partition("```")[0] for block in PAGE.split("```yaml\n")[1:]]


def test_the_example_watches_a_static_server_files_and_dns() -> None:
    settings = load(FLEET / "triton-watch.yaml", {})
    assert [target.name for target in settings.targets] == ["search-canary"]
    assert [source.label for source in settings.discovery.dns] == ["dns:A:triton-pods.triton.svc.cluster.local.:8000"]
    assert [source.pattern for source in settings.discovery.files] == [FLEET / "targets" / "*.yaml"]
    assert settings.alerts.external_labels


def test_each_of_its_patterns_matches_a_file_and_nothing_is_warned_of() -> None:
    looks = [Files(source).look() for source in load(FLEET / "triton-watch.yaml", {}).discovery.files]
    assert [(look.problem, look.nothing, look.warnings) for look in looks] == [("", "", ())] * len(looks)
    assert all(look.targets for look in looks)


def test_its_targets_file_is_read() -> None:
    look = Files(load(FLEET / "triton-watch.yaml", {}).discovery.files[0]).look()
    assert look.problem == ""
    assert [target.name for target in look.targets] == [
        "gpu-1.example.net:8000",
        "gpu-2.example.net:8000",
        "search-0",
        "team-a",
    ]
    assert look.targets[2].grpc_address == "10.20.0.7:31417"
    assert look.targets[3].metrics_url == "https://triton.example.net/team-a/metrics"


def test_the_commented_settings_of_the_example_are_good_too(tmp_path: Path) -> None:
    lines = (FLEET / "triton-watch.yaml").read_text().splitlines()
    codes = [line.replace("# ", "", 1) if _is_setting(line) else line for line in lines]
    path = tmp_path / "triton-watch.yaml"
    path.write_text("\n".join(codes))
    settings = load(path, {})
    assert settings.slo.prometheus is not None
    assert [source.name for source in settings.discovery.dns][-1] == "triton.service.consul."


def _is_setting(line: str) -> bool:
    text = line.strip().removeprefix("# ").strip()
    return line.strip().startswith("#") and text.removeprefix("- ").split(":")[0] in (
        "name", "type", "server", "prometheus", "url", "headers",
    )  # fmt: skip


@pytest.mark.parametrize("snippet", [one for one in SNIPPETS if one.startswith(("discovery:", "targets:", "alerts:"))])
def test_what_the_page_shows_of_a_configuration_loads(snippet: str, tmp_path: Path) -> None:
    body = yaml.safe_load(snippet)
    whole = body if {"discovery", "targets"} & body.keys() else {**body, "targets": [{"host": "a"}]}
    path = tmp_path / "triton-watch.yaml"
    path.write_text(yaml.safe_dump(whole))
    load(path, {})


def test_the_targets_file_of_the_page_is_read() -> None:
    (shown,) = [one for one in SNIPPETS if one.startswith("# /etc/triton-watch/targets/")]
    assert len(parse(shown.encode(), "gpus.yaml", NOWHERE)) == 3


def test_the_page_knows_the_limit() -> None:
    assert f"**{LIMIT:,}** targets that are found" in PAGE
