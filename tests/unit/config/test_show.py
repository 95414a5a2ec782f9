"""The configuration in effect: everything filled in, nothing secret, and a configuration itself."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from triton_watch.config import docs, load, masked, masked_yaml
from triton_watch.records import Credentials, Settings

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SECRETS = ("correct horse", "key-of-file", "given", "plain", "search")


@pytest.mark.parametrize("name", ["minimal", "everything", "anchors"])
def test_what_is_shown_loads_to_the_same_settings(name: str, tmp_path: Path) -> None:
    """Loading what `config show` prints gives the same settings, but for the secrets."""
    settings = load(HERE / "good" / f"{name}.yaml", {})
    path = tmp_path / "shown.yaml"
    path.write_text(masked_yaml(settings))
    assert _without_secrets(load(path, {})) == _without_secrets(settings)


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
        if path not in ("targets[].name", "targets[].url", "targets[].grpc", "targets[].metrics_url"):
            section = text.split(f"### `{path}`\n", 1)[1].split("###", 1)[0]
            assert f"- Default: `{value}`" in section


def _paths(shown: dict[str, object]) -> set[str]:
    return {path for path, _ in _leaves(shown)}


def _leaves(value: object, path: str = "") -> list[tuple[str, object]]:
    if isinstance(value, dict) and not path.endswith(".headers"):
        return [leaf for key, item in value.items() for leaf in _leaves(item, f"{path}.{key}".lstrip("."))]
    if isinstance(value, list) and path == "targets":
        return [leaf for item in value for leaf in _leaves(item, "targets[]")]
    return [(path, value)]


def _without_secrets(settings: Settings) -> Settings:
    targets = [
        replace(
            target,
            credentials=Credentials(
                username=target.credentials.username,
                bearer_token=target.credentials.bearer_token and "",
                headers=tuple((name, "") for name, _ in target.credentials.headers),
            ),
        )
        for target in settings.targets
    ]
    return replace(settings, targets=tuple(targets))
