"""What the demo says at its end can be copied, and works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from triton_watch.cli.demo import where_to_look
from triton_watch.records import Target

HTTP, METRICS, WATCHER = "http://127.0.0.1:8000", "http://127.0.0.1:8002/metrics", "http://127.0.0.1:8003"


def lines(grpc: str, *, is_kept: bool = True) -> str:
    return "\n".join(where_to_look(Target("demo", HTTP, METRICS, grpc), WATCHER, Path("/state"), is_kept=is_kept))


def test_asking_again_names_the_grpc_address_where_it_is_not_beside_the_http_port() -> None:
    assert f"--target {HTTP} --metrics-url {METRICS} --grpc 127.0.0.1:9001 --name demo" in lines("127.0.0.1:9001")
    assert "--grpc" not in lines("127.0.0.1:8001")


def test_budgets_that_go_with_the_demo_are_not_said_to_be_there_later() -> None:
    assert "budgets, also later      triton-watch slo report --state /state" in lines("127.0.0.1:8001")
    assert "later" not in lines("127.0.0.1:8001", is_kept=False)


def test_where_there_is_no_pip_it_is_not_advised() -> None:
    code = "import sys; sys.modules['pip'] = None; from triton_watch.demo.wheel import install; print(install('x'))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False).stdout
    assert told == "there is no pip here to install it with: run `make demo` in a checkout of triton-watch\n"
