"""The configuration in effect: everything filled in, nothing secret, and a configuration itself."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from triton_watch.config import docs, load, masked, masked_yaml
from triton_watch.records import Credentials, Settings

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SECRETS = ("correct horse", "key-of-file", "given", "plain", "search")
OF_THE_MACHINE = ("targets[].name", "targets[].url", "targets[].grpc", "targets[].metrics_url", "slo.state_dir")
"""Settings whose default is derived, so that the documentation cannot give its value."""

OF_ANY_NAME = (".headers", ".selector", ".parameters", ".inputs[]", ".external_labels", ".labels")
"""Settings whose names below are the user's own."""

USUAL = {"period": "30d", "models": ["*"], "targets": ["*"], "min_events": 20, "alerts": ["page", "ticket"]}
"""What every objective has that does not say otherwise."""


@pytest.mark.parametrize("name", ["minimal", "everything", "anchors"])
def test_what_is_shown_loads_to_the_same_settings(name: str, tmp_path: Path) -> None:
    """Loading what `config show` prints gives the same settings, but for the secrets."""
    settings = load(HERE / "good" / f"{name}.yaml", {})
    path = tmp_path / "shown.yaml"
    path.write_text(masked_yaml(settings))
    assert _without_secrets(load(path, {})) == _without_secrets(settings)


@pytest.mark.parametrize("grpc", ["a:1", "grpcs://a:1"])
def test_grpc_over_tls_is_shown_by_its_scheme(grpc: str, tmp_path: Path) -> None:
    """What is shown as the address of gRPC is what it takes to get the same."""
    path = tmp_path / "triton-watch.yaml"
    path.write_text(f"targets: [{{host: a, grpc: '{grpc}'}}]")
    assert masked(load(path, {}))["targets"][0]["grpc"] == grpc


def test_no_secret_is_shown() -> None:
    """Passwords, tokens and all values of headers are masked; the names of users and headers are not."""
    shown = masked_yaml(load(HERE / "good" / "everything.yaml", {}))
    assert not [secret for secret in SECRETS if secret in shown]
    assert all(name in shown for name in ("watcher", "X-Tenant", "X-Api-Key", "admin-key", "other-key"))


def test_masked_settings_are_plain_data() -> None:
    """The masked settings hold the effective value of each setting in the words of the file."""
    assert masked(load(HERE / "good" / "minimal.yaml", {})) == {
        "targets": [
            {
                "name": "triton:8000",
                "url": "http://triton:8000",
                "grpc": "triton:8001",
                "metrics_url": "http://triton:8002/metrics",
                "interval": "15s",
                "timeouts": {"connect": "1s", "read": "2s", "total": "3s"},
                "body_limit": "50MB",
            }
        ],
        "web": {"listen": "127.0.0.1:8003"},
        "log": {"level": "info", "format": "text"},
        "slo": {
            "state_dir": str(Path.home() / ".local" / "state" / "triton-watch"),
            "flush_interval": "30s",
            "no_data_after": "10m",
            "objectives": [
                {"name": "availability", "sli": "availability", "objective": "99.9%", **USUAL},
                {"name": "queue-time", "sli": "queue_time", "threshold": "50ms", "objective": "99%", **USUAL},
                {
                    "name": "batch-efficiency",
                    "sli": "batch_efficiency",
                    "threshold": 0.5,
                    "objective": "90%",
                    **USUAL,
                    "alerts": ["ticket"],
                },
            ],
        },
        "canary": {
            "enabled": True,
            "interval": "30s",
            "timeout": "5s",
            "start_delay": "0s",
            "max_pending": 20,
            "dynamic_size": 1,
            "batch_size": 1,
            "optional_inputs": False,
            "allow_non_finite": False,
            "min_responses": 1,
            "models": ["*"],
            "protocol": "auto",
            "concurrency": 4,
            "jitter": "10%",
            "failures": 2,
            "window": 3,
        },
        "alerts": {"mode": "agent", "resend_interval": "1m", "watchdog": False, "config_check": "10m"},
        "poll_threads": 64,
    }


def test_documentation_is_up_to_date() -> None:
    """docs/configuration.md is what the schema renders to: `make generate` was run."""
    assert (ROOT / "docs" / "configuration.md").read_text() == docs.render()


def test_every_setting_has_a_heading() -> None:
    """Each setting that can be shown, at any depth, is in the documentation under its path."""
    shown = yaml.safe_load(masked_yaml(load(HERE / "good" / "everything.yaml", {})))
    headings = docs.render().splitlines()
    for path in _paths(shown):
        assert f"### `{path}`" in headings


def test_default_values_of_the_documentation_are_in_effect() -> None:
    """Each default that the documentation tells is what an empty configuration comes to."""
    shown = masked(load(HERE / "good" / "minimal.yaml", {}))
    text = docs.render()
    for path, value in _leaves(shown):
        if path not in OF_THE_MACHINE and not path.startswith("slo.objectives"):
            section = text.split(f"### `{path}`\n", 1)[1].split("###", 1)[0]
            text_of_it = value if isinstance(value, str) else json.dumps(value)
            assert f"- Default: `{text_of_it}`" in section


def _paths(shown: dict[str, object]) -> set[str]:
    return {path for path, _ in _leaves(shown)}


def _leaves(value: object, path: str = "") -> list[tuple[str, object]]:
    if isinstance(value, dict) and not path.endswith(OF_ANY_NAME):
        return [leaf for key, item in value.items() for leaf in _leaves(item, f"{path}.{key}".lstrip("."))]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [leaf for item in value for leaf in _leaves(item, f"{path}[]")]
    return [(path, value)]


def _without_secrets(settings: Settings) -> Settings:
    """The settings without the secrets, and as if the default objectives had been configured."""
    targets = [replace(target, credentials=_emptied(target.credentials)) for target in settings.targets]
    slo = replace(settings.slo, are_defaults=False)
    if slo.prometheus is not None:
        emptied = _emptied(slo.prometheus.credentials)
        slo = replace(slo, prometheus=replace(slo.prometheus, credentials=emptied))
    peers = [replace(one, credentials=_emptied(one.credentials)) for one in settings.alerts.alertmanagers]
    alerts = replace(settings.alerts, alertmanagers=tuple(peers))
    return replace(settings, targets=tuple(targets), slo=slo, alerts=alerts)


def _emptied(credentials: Credentials) -> Credentials:
    return Credentials(
        username=credentials.username,
        bearer_token=credentials.bearer_token and "",
        headers=tuple((name, "") for name, _ in credentials.headers),
    )
