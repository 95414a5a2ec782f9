"""The client against the real tritonserver: what the unit tests take for granted, it says itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import requests

from support.misbehaving import target_at
from triton_watch.records import Credentials, ModelStatus, Outcome, Timeouts
from triton_watch.triton.client import TritonClient
from triton_watch.triton.errors import TritonError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from triton_watch.demo import EmbeddedTriton
    from triton_watch.records import Target

TIMEOUTS = Timeouts(connect=2, read=5, total=8)
IDLE_MODEL = """
import triton_python_backend_utils as pb

class TritonPythonModel:
    def execute(self, requests):
        return [pb.InferenceResponse([]) for _ in requests]
"""
CONFIG = """
backend: "python"
max_batch_size: 8
input [ { name: "x" data_type: TYPE_FP32 dims: [ -1 ] } ]
output [ { name: "y" data_type: TYPE_FP32 dims: [ 2 ] } ]
instance_group [ { count: 2 kind: KIND_CPU } ]
dynamic_batching { }
"""


def target_of(server: EmbeddedTriton, credentials: Credentials | None = None) -> Target:
    return target_at(
        server.http_url,
        metrics_url=server.metrics_url,
        timeouts=TIMEOUTS,
        credentials=credentials or Credentials(),
    )


def outcome_of(call: Callable[[], object]) -> tuple[Outcome, str]:
    with pytest.raises(TritonError) as caught:
        call()
    return caught.value.outcome, str(caught.value)


@pytest.fixture
def client(triton: EmbeddedTriton) -> Iterator[TritonClient]:
    with TritonClient(target_of(triton)) as client:
        yield client


def test_a_server_tells_of_itself_and_of_its_models(client: TritonClient) -> None:
    assert client.live()
    info = client.server_metadata()
    assert info.name == "triton"
    assert info.version[0].isdigit()
    ready = [state for state in client.repository_index() if state.status is ModelStatus.READY]
    assert ready
    for state in ready:
        assert client.model_ready(state.key.name, state.key.version)
        assert client.model_config(state.key.name).name == state.key.name
        assert client.model_metadata(state.key.name).versions
        assert client.statistics(state.key.name)[0].key == state.key
    assert b"nv_inference_request_success" in client.metrics()


def test_an_index_that_stands_still_is_the_same_object(client: TritonClient) -> None:
    assert client.repository_index() is client.repository_index()


def test_an_unknown_model_is_not_ready_and_has_no_configuration(client: TritonClient) -> None:
    assert not client.model_ready("nobody")
    assert not client.model_ready("a/b c")
    outcome, text = outcome_of(lambda: client.model_config("nobody"))
    assert outcome is Outcome.NOT_FOUND
    assert "'nobody' is not found" in text
    outcome, text = outcome_of(lambda: client.statistics("nobody"))
    assert outcome is Outcome.CLIENT_ERROR
    assert "'nobody' is not available" in text


def test_the_grpc_port_is_told_from_the_http_port(triton: EmbeddedTriton) -> None:
    with TritonClient(target_at(f"http://{triton.grpc_address}", timeouts=TIMEOUTS)) as client:
        outcome, text = outcome_of(client.ready)
    assert outcome is Outcome.NOT_HTTP
    assert "is this the gRPC port (8001)?" in text


def test_the_metrics_port_is_told_from_the_http_port(triton: EmbeddedTriton) -> None:
    """It answers 200 with an empty body to every GET, so its health looks good: the rest gives it away."""
    url = triton.metrics_url.removesuffix("/metrics")
    with TritonClient(target_at(url, metrics_url=f"{url}/other", timeouts=TIMEOUTS)) as client:
        outcome, text = outcome_of(client.server_metadata)
        assert outcome is Outcome.NOT_TRITON
        assert "is it the metrics port (8002)?" in text
        outcome, text = outcome_of(client.repository_index)
        assert outcome is Outcome.CLIENT_ERROR
        assert "is it the metrics port (8002)?" in text
        assert outcome_of(client.metrics)[0] is Outcome.EMPTY


def test_https_to_the_plain_port_is_a_tls_error(triton: EmbeddedTriton) -> None:
    url = triton.http_url.replace("http:", "https:")
    with TritonClient(target_at(url, timeouts=TIMEOUTS)) as client:
        outcome, text = outcome_of(client.ready)
    assert outcome is Outcome.TLS_ERROR
    assert "write http://" in text


def repository_at(folder: Path) -> Path:
    """Models that become ready, fail to load, are refused when read, and are never loaded."""
    broken = 'raise RuntimeError("no such weights")'
    models = {
        "good": (CONFIG, IDLE_MODEL),
        "broken": (CONFIG, broken),
        "refused": ("nonsense: 3", IDLE_MODEL),
    }
    for name, (config, code) in models.items():
        version = folder / name / "1"
        version.mkdir(parents=True)
        (version / "model.py").write_text(code)
        (version.parent / "config.pbtxt").write_text(config)
    return folder


def test_states_are_told_apart_and_restricted_apis_named(
    triton_factory: Callable[..., EmbeddedTriton], tmp_path: Path
) -> None:
    """One server for all of it, since a start takes seconds."""
    server = triton_factory(
        repository_at(tmp_path / "models"),
        strict_readiness=False,
        extra_args=[
            "--exit-on-error=false",
            "--model-control-mode=explicit",
            "--load-model=good",
            "--load-model=broken",
            "--http-restricted-api=metadata,model-repository:watch-key=open-sesame",
        ],
    )
    with TritonClient(target_of(server)) as client:
        outcome, text = outcome_of(client.repository_index)
        assert outcome is Outcome.RESTRICTED
        assert "restricted_api to the header 'watch-key'" in text
        assert outcome_of(client.server_metadata)[0] is Outcome.RESTRICTED
        assert client.metrics()
    header = ("watch-key", "open-sesame")
    with TritonClient(target_of(server, Credentials(restricted_header=header))) as client:
        assert client.server_metadata().name == "triton"
        states = {state.key.name: state for state in client.repository_index()}
        assert states["good"].status is ModelStatus.READY
        assert states["broken"].status is ModelStatus.UNAVAILABLE
        assert "no such weights" in states["broken"].reason
        assert states["refused"].status is ModelStatus.NOT_LOADED
        assert not client.model_ready("broken")
        config = client.model_config("good")
        assert (config.instances, config.max_batch_size, config.dynamic_batching) == (2, 8, True)
        unload = f"{server.http_url}/v2/repository/models/good/unload"
        requests.post(unload, headers=dict([header]), timeout=10).raise_for_status()
        assert status_after_unloading(client) is ModelStatus.UNLOADED
        assert not client.model_ready("good")


def status_after_unloading(client: TritonClient) -> ModelStatus:
    """The state of the model `good` once it is unloaded; UNLOADING comes before."""
    while True:
        (state,) = (state for state in client.repository_index() if state.key.name == "good")
        if state.status not in {ModelStatus.READY, ModelStatus.UNLOADING}:
            return state.status


def test_a_client_that_hangs_up_lets_the_server_stop(
    triton_factory: Callable[..., EmbeddedTriton], tmp_path: Path
) -> None:
    """An open connection to the HTTP port would hold the server back for its exit timeout, 30 s."""
    server = triton_factory(repository_at(tmp_path / "models"), extra_args=["--exit-on-error=false"])
    with TritonClient(target_of(server)) as client:
        assert not client.ready()
        assert client.metrics()
        client.hang_up()
        begun = time.monotonic()
        server.stop()
        assert time.monotonic() - begun < 20
        assert outcome_of(client.ready)[0] is Outcome.REFUSED
        assert outcome_of(client.metrics)[0] is Outcome.REFUSED
