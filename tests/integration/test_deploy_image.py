"""The container image: built from deploy/Dockerfile and run, non-root and with a read-only root.

podman does it where it works; else, or with IMAGE_ENGINE=chroot, the steps of the same Dockerfile are done in a chroot,
and the report says so.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import requests

from support.dockerfile import read
from support.image_base import Engine, ImageError, make_base
from support.image_chroot import Chroot
from support.image_podman import Podman
from triton_watch.demo import example_repository
from triton_watch.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from triton_watch.demo import EmbeddedTriton

ROOT: Final = Path(__file__).resolve().parents[2]
DOCKERFILE: Final = ROOT / "deploy" / "Dockerfile"
NAME: Final = f"triton-watch:{__version__}"
LARGEST: Final = 200_000_000
PATIENCE: Final = 30.0
USER: Final = 65532

INSPECT: Final = """
import importlib.util, json, os, pathlib, shutil, stat
def writes(folder):
    try:
        pathlib.Path(folder, "probe").write_text("x")
    except OSError as error:
        return error.strerror
    return "yes"
programs = ["gcc", "cc", "c++", "ld", "as", "make", "pip", "pip3", "strip", "git", "curl"]
files = [f for root in ("/opt", "/usr/lib/python3", "/usr/lib/python3.11") for f in pathlib.Path(root).rglob("*")]
print(json.dumps({
    "ids": [os.getuid(), os.getgid(), *os.getgroups()],
    "folder": os.getcwd(),
    "writes": {f: writes(f) for f in ("/", "/etc/triton-watch", "/opt/triton-watch", "/var/lib/triton-watch", "/tmp")},
    "programs": [p for p in programs if shutil.which(p)],
    "modules": [m for m in ("pip", "setuptools", "pkg_resources", "ensurepip") if importlib.util.find_spec(m)],
    "left over": [str(f) for f in files if f.suffix in (".pyi", ".h", ".a", ".pxd")][:5],
    "not compiled": [str(f) for f in pathlib.Path("/opt").rglob("*.py")
                     if not pathlib.Path(importlib.util.cache_from_source(str(f))).exists()][:5],
    "privileged": [str(f) for f in files if not f.is_symlink() and f.stat().st_mode & (stat.S_ISUID | stat.S_ISGID)],
    "owned": [str(f) for f in files if f.lstat().st_uid == os.getuid()][:5],
}))
"""
WORDS: Final = """
import pathlib, re, triton_watch.alerting
from pygments.lexers import get_lexer_by_name
pages = pathlib.Path(triton_watch.alerting.__file__).with_name("runbooks").rglob("*.md")
words = {word for page in pages for word in re.findall(r"^```(\\w+)", page.read_text(), re.M)}
print(sorted(get_lexer_by_name(word).name for word in words))
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("image")
    if os.geteuid() != 0 and not os.environ.get("CI"):
        pytest.skip("the image is built from a base made by debootstrap, and that needs root")
    began = time.monotonic()
    try:
        engine, why = _engine(folder)
        engine.build(ROOT, NAME)
    except ImageError as error:
        pytest.fail(str(error), pytrace=False)
    report: Any = request.config.pluginmanager.getplugin("terminalreporter")
    capture: Any = request.config.pluginmanager.getplugin("capturemanager")
    size = engine.size()
    text = f"{NAME} built by {engine.kind}{why}: {size / 1e6:.1f} MB in {time.monotonic() - began:.0f} s"
    if report is not None:  # a worker of pytest-xdist has none
        with capture.global_and_fixture_disabled():
            report.write_line(f"\n{text}")
    yield engine
    engine.remove()
    shutil.rmtree(folder, ignore_errors=True)


def _engine(folder: Path) -> tuple[Engine, str]:
    """podman where one of its runtimes runs a container here, else a chroot and the reason. Raises `ImageError`."""
    base, tree = read(DOCKERFILE).final.base, folder / "base"
    make_base(tree)
    why = ", for there is no podman"
    if os.environ.get("IMAGE_ENGINE") == "chroot":
        why = ", for IMAGE_ENGINE says so"
    elif shutil.which("podman"):
        podman = Podman(folder)
        try:
            podman.import_base(tree, base)
            if podman.choose_runtime():
                return podman, f" with {podman.runtime}"
            why = f", for podman runs nothing here ({'; '.join(podman.refusals)})"
        except ImageError as error:
            why = f", for {error}"
        podman.remove()
    chroot = Chroot(folder)
    chroot.import_base(tree, base)
    return chroot, why


def wait(condition: Callable[[], bool], image: Engine, name: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, image.log(name)
        time.sleep(0.2)


def get(url: str) -> requests.Response | None:
    try:
        return requests.get(url, timeout=5)
    except requests.ConnectionError:
        return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def test_it_is_small(image: Engine) -> None:
    assert image.size() < LARGEST


def test_it_says_what_it_is_and_how_it_starts(image: Engine) -> None:
    settings = image.settings()
    assert settings.user == f"{USER}:{USER}"
    assert (settings.entry_point, settings.command) == (["triton-watch"], ["run"])
    assert settings.health_check == ["triton-watch", "health"]
    assert settings.labels["org.opencontainers.image.version"] == __version__
    assert settings.labels["org.opencontainers.image.title"] == "triton-watch"


def test_it_has_no_root_nothing_to_build_with_and_writes_its_state_alone(image: Engine) -> None:
    done = image.run_here("python3", "-c", INSPECT)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found["ids"]) == {USER}
    assert found["folder"] == "/etc/triton-watch"
    read_only = "Read-only file system"
    assert found["writes"] == {
        "/": read_only,
        "/etc/triton-watch": read_only,
        "/opt/triton-watch": read_only,
        "/var/lib/triton-watch": "yes",
        "/tmp": "yes",  # noqa: S108 - the container's own
    }
    for nothing in ("programs", "modules", "left over", "not compiled", "privileged", "owned"):
        assert found[nothing] == [], nothing


def test_the_commands_work_in_it(image: Engine) -> None:
    for words, code in (
        (("--version",), 0),
        (("config", "check", "triton-watch.yaml"), 0),
        (("check", "--profile", "dev", "/mnt"), 0),
        (("generate", "rules"), 0),
        (("generate", "dashboards", "--out", "/tmp/boards"), 0),  # noqa: S108 - the container's own
        (("alerts", "explain", "TritonCanaryFailing"), 0),
        (("slo", "check", "triton-watch.yaml"), 0),
        (("status", "--target", "http://127.0.0.1:1"), 3),
        (("top", "--once", "--target", "http://127.0.0.1:1"), 3),
    ):
        done = image.run_here("triton-watch", *words, mount=example_repository())
        assert done.returncode == code, (words, done.stdout[-500:], done.stderr[-2000:])
        assert "Traceback" not in done.stderr


def test_it_can_colour_the_code_of_each_runbook(image: Engine) -> None:
    """Pygments is there with few of its lexers."""
    done = image.run_here("python3", "-c", WORDS)
    assert done.returncode == 0, done.stderr
    assert "Bash" in done.stdout


def test_it_answers_on_8003_as_it_comes_and_sigterm_ends_it(image: Engine) -> None:
    """No flag, no configuration, no network: the image's own file and variables."""
    check = image.settings().health_check
    assert image.run_here(*check).returncode == 3
    image.run("alone", alone=True)
    wait(lambda: image.inside("alone", *check).returncode == 0, image, "alone")
    everywhere = image.inside("alone", "grep", "-c", "00000000:1F43 ", "/proc/self/net/tcp")  # 0.0.0.0:8003
    assert everywhere.stdout == "1\n", image.log("alone")
    assert image.inside("alone", "triton-watch", "health", "--serving").returncode == 1
    assert "watching" in image.log("alone")
    began = time.monotonic()
    assert image.stop("alone") == 0
    assert time.monotonic() - began < 5.0


def test_it_watches_a_real_triton(image: Engine, triton: EmbeddedTriton) -> None:
    """Polls, canaries over HTTP and gRPC, the store on its volume: what the image's parts are there for."""
    listen = f"127.0.0.1:{free_port()}"
    metrics = ("--metrics-url", triton.metrics_url, "--grpc", triton.grpc_address)
    image.run("watcher", "run", "--target", triton.http_url, *metrics, TRITON_WATCH_LISTEN=listen)
    url = f"http://{listen}"

    def page(path: str = "/metrics") -> str:
        answer = get(f"{url}{path}")
        return answer.text if answer is not None and answer.status_code == 200 else ""

    def answered(model: str) -> bool:
        return bool(re.search(rf'^triton_watch_canary_success\{{.*model="{model}".*\}} 1', page(), re.MULTILINE))

    wait(lambda: page("/-/healthy") == "healthy\n", image, "watcher")
    wait(lambda: page("/-/ready") == "ready\n", image, "watcher")
    wait(lambda: answered("ranker") and answered("chat"), image, "watcher")  # chat streams, and that is gRPC's
    assert image.inside("watcher", *image.settings().health_check).returncode == 0
    assert image.inside("watcher", "triton-watch", "health", "--ready").returncode == 0
    wait(lambda: bool(image.inside("watcher", "ls", "/var/lib/triton-watch").stdout), image, "watcher")
    assert "Traceback" not in image.log("watcher")
    assert image.stop("watcher") == 0
