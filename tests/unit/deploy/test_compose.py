"""deploy/compose/compose.yaml: it is valid, whole, documented, pinned, closed and hardened."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from click.testing import CliRunner

from support import compose_file
from support.compose_file import COMPOSES_OWN, CPU_FILE, FILE, FOLDER, load, mounts, ports, services, variables
from triton_watch.cli import cli
from triton_watch.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("triton", "triton-watch", "prometheus", "alertmanager", "grafana")
PINNED = re.compile(r"[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-py3)?")
WRITABLE = {"triton-watch": "/var/lib/triton-watch", "prometheus": "/prometheus", "alertmanager": "/alertmanager"}
"""Where these keep what has to outlive a restart; Grafana's place is /var/lib/grafana."""


def problems(document: Any) -> list[str]:
    """What the Compose specification's schema says of a file."""
    text = files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json").read_text()
    return [one.message for one in jsonschema.Draft202012Validator(json.loads(text)).iter_errors(document)]


@pytest.mark.parametrize("file", [FILE, CPU_FILE], ids=lambda file: file.name)
def test_the_file_follows_the_compose_specification(file: Path) -> None:
    assert problems(load(file)) == []


def test_the_specification_refuses_a_misspelt_setting() -> None:
    document = load()
    document["services"]["triton"]["stop_grace"] = "60s"
    assert len(problems(document)) == 1


def test_it_has_the_five_services() -> None:
    assert tuple(services()) == NAMES


def test_without_gpus_only_the_reservation_of_gpus_is_taken_away() -> None:
    assert load(CPU_FILE) == {"services": {"triton": {"deploy": {"resources": {"reservations": {}}}}}}
    (device,) = services()["triton"]["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}


@pytest.mark.parametrize("name", NAMES)
def test_every_mounted_file_is_there_and_cannot_be_written(name: str) -> None:
    for mount in mounts(services()[name]):
        if mount.path is not None:
            assert mount.path.exists(), mount
            assert mount.read_only, mount


def test_the_models_folder_is_not_made_where_it_is_missing() -> None:
    for name in ("triton", "triton-watch"):
        (models,) = [one for one in services()[name]["volumes"] if "models" in str(one)]
        assert models["bind"] == {"create_host_path": False}
        assert models["target"] == "/models"


def test_every_volume_is_declared_and_used_by_one_service() -> None:
    used = [mount.source for one in services().values() for mount in mounts(one) if mount.path is None]
    assert sorted(used) == sorted(load()["volumes"])


@pytest.mark.parametrize("name", [*WRITABLE, "grafana"])
def test_what_a_service_has_to_keep_is_on_a_volume(name: str) -> None:
    kept = [mount.target for mount in mounts(services()[name]) if mount.path is None]
    assert kept == [WRITABLE.get(name, "/var/lib/grafana")]


def test_every_variable_is_documented_with_its_default_and_none_more() -> None:
    documented = {name: value for name, value in compose_file.example().items() if name not in COMPOSES_OWN}
    assert documented == variables()


def test_the_line_that_needs_no_gpu_names_files_that_are_there() -> None:
    named = compose_file.example()["COMPOSE_FILE"].split(":")
    assert [FOLDER / name for name in named] == [FILE, CPU_FILE]


def test_without_a_password_for_grafana_nothing_starts_and_the_sentence_says_where_to_set_it() -> None:
    with pytest.raises(LookupError, match=r"GRAFANA_ADMIN_PASSWORD: set it in \.env, see \.env\.example"):
        load(environment={})


@pytest.mark.parametrize("name", NAMES)
def test_images_have_a_version(name: str) -> None:
    assert PINNED.fullmatch(services()[name]["image"])


@pytest.mark.parametrize("image", ["grafana/grafana", "grafana/grafana:latest", "prom/prometheus:main"])
def test_an_image_without_a_version_would_be_noticed(image: str) -> None:
    assert not PINNED.fullmatch(image)


def test_our_image_has_the_version_of_the_package_and_is_built_from_its_dockerfile() -> None:
    service = services()["triton-watch"]
    assert service["image"] == f"triton-watch:{__version__}"
    context = FOLDER / service["build"]["context"]
    assert (context / service["build"]["dockerfile"]).resolve() == compose_file.ROOT / "deploy" / "Dockerfile"
    assert (context / service["build"]["dockerfile"]).is_file()


@pytest.mark.parametrize("name", NAMES)
def test_by_default_ports_are_open_for_this_machine_alone(name: str) -> None:
    addresses = {port.address for port in ports(services()[name])}
    assert addresses == {"127.0.0.1"}


def test_one_variable_opens_all_ports() -> None:
    opened = services({"BIND_ADDRESS": "192.0.2.7"}).values()
    assert {port.address for service in opened for port in ports(service)} == {"192.0.2.7"}


def test_no_two_services_want_one_port_of_the_machine() -> None:
    published = [port.published for service in services().values() for port in ports(service)]
    assert sorted(published) == [3000, 8000, 8001, 8002, 8003, 9090, 9093]


@pytest.mark.parametrize("name", NAMES)
def test_the_service_is_hardened(name: str) -> None:
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "pid", "ipc", "devices"} & set(service)
    assert re.fullmatch(r"[1-9]\d*:\d+", service["user"]), "a number, and not root"


@pytest.mark.parametrize("name", NAMES)
def test_the_service_comes_back_and_does_not_fill_the_disk_with_its_log(name: str) -> None:
    service = services()[name]
    assert service["restart"] == "unless-stopped"
    assert service["logging"] == {"driver": "local"}


@pytest.mark.parametrize("name", ["triton", "prometheus", "alertmanager", "grafana"])
def test_the_health_check_asks_a_port_of_its_own_container(name: str) -> None:
    service = services()[name]
    asked = re.findall(r"http://127\.0\.0\.1:(\d+)/", " ".join(service["healthcheck"]["test"]))
    assert [int(port) for port in asked] == [ports(service)[0].target]


def test_a_triton_that_loads_large_models_is_not_called_unhealthy_for_half_an_hour() -> None:
    assert services()["triton"]["healthcheck"]["start_period"] == "30m"


def test_the_watcher_is_not_cut_off_when_the_container_of_triton_restarts() -> None:
    """A container that joined another's network namespace stays in the old one when that one starts again."""
    assert not [name for name, service in services().items() if "network_mode" in service or "networks" in service]


def test_python_models_find_shared_memory_and_a_folder_from_which_they_may_run_code() -> None:
    triton = services()["triton"]
    assert triton["tmpfs"] == ["/tmp:exec"]  # noqa: S108 - the place in the container
    assert triton["shm_size"] == "1gb"


def test_our_own_check_finds_nothing_in_the_file() -> None:
    result = CliRunner().invoke(cli, ["check", "--profile", "production", str(FILE)])
    assert result.exit_code == 0, result.output
    assert "Nothing found in 1 manifest" in result.output


def test_the_password_is_kept_out_of_version_control() -> None:
    assert (FOLDER / ".gitignore").read_text().split() == [".env"]
