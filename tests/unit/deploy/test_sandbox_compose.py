"""The reader of Compose files and of the Dockerfile that tests start their programs by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.sandbox_compose import ComposeError, Service, read, replaced, variables_of
from support.sandbox_images import IMAGES, LEFT_OUT, read_dockerfile
from support.sandbox_root import Container, Mount, bubblewrap
from support.sandbox_stack import COMPOSE, DOTENV

if TYPE_CHECKING:
    from pathlib import Path

FILE = """\
x-common: &common {read_only: true, restart: always}
services:
  one:
    <<: *common
    image: ${IMAGE:-some/image:1}
    command: [serve, --port=8000, "$$HOME"]
    user: "1000:2000"
    environment: {A: 1, B: "${SECRET:?set it}"}
    volumes: [./files:/files:ro, data:/data]
    tmpfs: ["/tmp:exec"]
    shm_size: 2mb
    ports: ["127.0.0.1:9000:8000"]
    healthcheck: {test: [CMD, probe, "http://localhost:8000"]}
  two: {image: "other:1", network_mode: "service:one"}
volumes: {data: }
"""


def services(folder: Path, text: str = FILE) -> dict[str, Service]:
    (folder / "files").mkdir(exist_ok=True)
    (folder / "compose.yaml").write_text(text)
    return read(folder / "compose.yaml", {"SECRET": "s"}, folder / "volumes")


def test_a_service_is_read_with_all_that_the_sandbox_follows(tmp_path: Path) -> None:
    found = services(tmp_path)
    assert found["one"] == Service(
        name="one",
        image="some/image:1",
        command=("serve", "--port=8000", "$HOME"),
        environment={"A": "1", "B": "s"},
        mounts=(Mount(tmp_path / "files", "/files"), Mount(tmp_path / "volumes/data", "/data", read_only=False)),
        tmpfs=("/tmp",),  # noqa: S108 - of a container
        user=(1000, 2000),
        read_only=True,
        shared_memory=2 << 20,
        ports=(("127.0.0.1", 9000, 8000),),
        health=("probe", "http://localhost:8000"),
        network="one",
    )
    assert (found["two"].network, found["two"].user, found["two"].command) == ("one", None, None)
    assert (tmp_path / "volumes/data").is_dir()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("shm_size: 2mb", "sysctls: {}", "service one: the sandbox does not know sysctls"),
        ("volumes: {data: }", "volumes: {data: }\nsecrets: {}", "does not know secrets"),
        ("./files:", "./missing:", "there is no"),
        ("SECRET", "OTHER", "OTHER: set it"),
    ],
)
def test_what_the_sandbox_cannot_follow_is_refused_in_a_sentence(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    with pytest.raises(ComposeError, match=words):
        services(tmp_path, FILE.replace(old, new))


def test_variables_are_replaced_as_compose_does() -> None:
    assert replaced(["${A}-${B:-b}", {"k": "${C:-}$${A}"}, 3], {"A": "a", "B": ""}) == ["a-b", {"k": "${A}"}, 3]


def test_a_program_or_a_reason_stands_for_each_image_of_our_compose_file(tmp_path: Path) -> None:
    found = read(COMPOSE, {**variables_of(DOTENV), "GRAFANA_ADMIN_PASSWORD": "a"}, tmp_path)
    names = {service.image.rpartition(":")[0] for service in found.values()}
    assert names == IMAGES.keys() | LEFT_OUT.keys()


def test_the_last_stage_of_a_dockerfile_says_how_its_image_starts(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text(
        'FROM a AS one\nENV X=no\nUSER root\nFROM b\n# ENV Z=no\nENV A=1 \\\n    B="two words"\nENV C=3\n'
        'WORKDIR /work\nUSER 7:8\nENTRYPOINT ["run", "it"]\nCMD ["now"]\n'
    )
    said = read_dockerfile(file)
    assert (said.entry, said.command, said.workdir, said.user) == (("run", "it"), ("now",), "/work", (7, 8))
    assert said.environment == {"A": "1", "B": "two words", "C": "3"}


def test_mounts_lie_over_those_above_them_and_the_root_is_closed_last(tmp_path: Path) -> None:
    mounts = (Mount(tmp_path, "/etc/app/deep"), Mount(tmp_path, "/etc/app", read_only=False))
    words = bubblewrap(tmp_path / "bwrap", Container(("run",), mounts=mounts), tmp_path / "hosts")
    line = " ".join(words)
    assert line.index(f"--bind {tmp_path} /etc/app ") < line.index(f"--ro-bind {tmp_path} /etc/app/deep ")
    assert line.index("/etc/app/deep ") < line.index("--remount-ro / ")
    assert line.endswith("--chdir / --clearenv run")
