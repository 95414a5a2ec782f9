"""The image built and run by podman, with storage of its own, whatever runtime of containers works here."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from support.image_base import ImageError, Settings, authorities, pip_settings

if TYPE_CHECKING:
    from pathlib import Path

_RUNTIMES: Final = ("runc", "crun")
_TIMEOUT: Final = 300
_LIMITS: Final = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
"""A machine may allow fewer than podman asks for."""
_RESTRICTED: Final = (
    *_LIMITS, "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--no-healthcheck",
)  # fmt: skip
"""As the restricted profile of Kubernetes has it. A health check of podman's own would need systemd: tests ask it."""


@dataclass
class Podman:
    """`folder` holds images and containers until `remove`."""

    folder: Path
    runtime: str = ""

    kind = "podman"

    def import_base(self, tree: Path, name: str) -> None:
        archive = self.folder / "base.tar"
        words = ["tar", "--create", "--one-file-system", "--exclude=./dev/*", "--file", str(archive)]
        subprocess.run([*words, "--directory", str(tree), "."], check=True)
        self.call("import", "--quiet", str(archive), f"docker.io/library/{name}")
        archive.unlink()
        self.base = f"docker.io/library/{name}"

    def choose_runtime(self) -> bool:
        """Find a runtime that runs a container of the base here; what each said is in `refusals`."""
        self.refusals: list[str] = []
        for name in filter(shutil.which, _RUNTIMES):
            self.runtime = name
            done = self._call("run", *_LIMITS, "--rm", "--network", "none", self.base, "true")
            if done.returncode == 0:
                return True
            self.refusals.append(f"{name}: {' '.join(done.stderr.split())[-200:]}")
        return False

    def build(self, checkout: Path, name: str) -> None:
        conf = self.folder / "pip.conf"
        conf.write_text(pip_settings())
        bundle = authorities()
        secrets = [f"id=pip,src={conf}", *([] if bundle is None else [f"id=ca,src={bundle}"])]
        words = [word for secret in secrets for word in ("--secret", secret)]
        # The build's own steps need no runtime; HEALTHCHECK is in docker's format alone.
        done = self._call(
            "build", "--isolation", "chroot", "--pull=never", "--format", "docker", "--layers=false", *words,
            "--build-arg", "REVISION=0123456789abcdef", "--file", str(checkout / "deploy/Dockerfile"),
            "--tag", name, str(checkout),
        )  # fmt: skip
        if done.returncode != 0:
            raise ImageError(f"podman could not build the image: {(done.stdout + done.stderr)[-3000:]}")
        self.name = name

    def size(self) -> int:
        return int(self._inspected()["Size"])

    def settings(self) -> Settings:
        config = self._inspected()["Config"]
        # podman has the check at the top, and its command after a word that says that it is no shell's.
        check = self._inspected()["Healthcheck"]["Test"]
        assert check[0] == "CMD", check
        return Settings(config["User"], config["Entrypoint"], config["Cmd"], check[1:], config["Labels"])

    def run(self, name: str, *command: str, alone: bool = False, **environ: str) -> None:
        given = [word for key, value in environ.items() for word in ("--env", f"{key}={value}")]
        network = "none" if alone else "host"
        self.call("run", "--detach", "--name", name, *_RESTRICTED, "--network", network, *given, self.name, *command)

    def run_here(self, *command: str, mount: Path | None = None) -> subprocess.CompletedProcess[str]:
        volume = ("--volume", f"{mount}:/mnt:ro") if mount else ()
        words = ("--entrypoint", command[0], *volume, self.name, *command[1:])
        return self._call("run", "--rm", *_RESTRICTED, "--network", "none", *words)

    def inside(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        return self._call("exec", name, *command)

    def stop(self, name: str) -> int:
        """Send SIGTERM, and wait: the exit code."""
        self.call("kill", "--signal", "TERM", name)
        return int(self.call("wait", name))

    def log(self, name: str) -> str:
        done = self._call("logs", name)
        return done.stdout + done.stderr

    def remove(self) -> None:
        """Remove all containers and images of this storage."""
        self._call("rm", "--all", "--force", "--time", "0")
        self._call("rmi", "--all", "--force")
        self._call("unmount", "--all", "--force")

    def _inspected(self) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(self.call("image", "inspect", self.name))
        return found[0]

    def call(self, *words: str) -> str:
        """What a command of podman says. Raises `ImageError`."""
        done = self._call(*words)
        if done.returncode != 0:
            raise ImageError(f"podman {words[0]} failed: {done.stderr.strip()[-600:]}")
        return done.stdout

    def _call(self, *words: str) -> subprocess.CompletedProcess[str]:
        runtime = ("--runtime", self.runtime) if self.runtime else ()
        own = ("--root", str(self.folder / "root"), "--runroot", str(self.folder / "run"))
        command = ["podman", *own, "--cgroup-manager", "cgroupfs", *runtime, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
