"""What the client makes of a Triton server's good answers; bytes are those of tritonserver 2.51."""

from __future__ import annotations

import json

import pytest

from support.misbehaving import Server, answers, http_answer, routes, target_at
from triton_watch.records import Credentials, ModelKey, ModelStatus, ServerInfo
from triton_watch.triton.client import TritonClient
from triton_watch.triton.errors import ClientError, GarbageError, NotFoundError
from triton_watch.triton.http import HttpFetcher
from triton_watch.triton.metadata import TensorMetadata

NOT_READY = http_answer(b'{"error":"Model version not ready"}', status="400 Bad Request")
NO_MODEL = http_answer(b'{"error":"requested model \'x\' is not available"}', status="400 Bad Request")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(http_answer(), True), (http_answer(status="400 Bad Request"), False)],
    ids=["200", "400"],
)
def test_the_server_says_whether_it_is_live_and_ready(answer: bytes, expected: bool) -> None:
    paths = {"/v2/health/live": answer, "/v2/health/ready": answer}
    with Server(routes(paths)) as server, TritonClient(target_at(server.url)) as client:
        assert client.live() is expected
        assert client.ready() is expected


def test_a_model_is_ready_or_not_and_an_unknown_one_is_not() -> None:
    """Triton says 400 with the same text for a model that is not ready and one that it does not know."""
    paths = {
        "/v2/models/good/ready": http_answer(),
        "/v2/models/good/versions/2/ready": NOT_READY,
        "/v2/models/x/ready": NOT_READY,
    }
    with Server(routes(paths)) as server, TritonClient(target_at(server.url)) as client:
        assert client.model_ready("good")
        assert not client.model_ready("good", "2")
        assert not client.model_ready("x")


def test_a_model_name_cannot_leave_its_place_in_the_url() -> None:
    with Server(answers(http_answer())) as server, TritonClient(target_at(server.url)) as client:
        assert client.model_ready("a/../b c?d#e%")
        assert server.requests[-1].split()[1] == b"/v2/models/a%2F..%2Fb%20c%3Fd%23e%25/ready"


def test_the_path_of_a_reverse_proxy_stays_in_front() -> None:
    behaviour = routes({"/triton/v2/health/ready": http_answer()})
    with Server(behaviour) as server, TritonClient(target_at(f"{server.url}/triton")) as client:
        assert client.ready()


def test_server_metadata_has_name_version_and_extensions() -> None:
    body = b'{"name":"triton","version":"2.51.0","extensions":["statistics","logging"]}'
    with Server(routes({"/v2": http_answer(body)})) as server, TritonClient(target_at(server.url)) as client:
        assert client.server_metadata() == ServerInfo("triton", "2.51.0", ("statistics", "logging"))


def test_model_metadata_has_tensors_and_versions() -> None:
    body = json.dumps(
        {
            "name": "m",
            "versions": ["1", "3"],
            "platform": "python",
            "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}],
            "outputs": [{"name": "y", "datatype": "BYTES", "shape": [-1, 1]}],
        }
    ).encode()
    paths = {"/v2/models/m": http_answer(body), "/v2/models/m/versions/3": http_answer(body)}
    with Server(routes(paths)) as server, TritonClient(target_at(server.url)) as client:
        found = client.model_metadata("m")
        assert client.model_metadata("m", "3") == found
    assert (found.name, found.versions, found.platform) == ("m", ("1", "3"), "python")
    assert found.inputs == (TensorMetadata("x", "FP32", (-1, 4)),)
    assert found.outputs == (TensorMetadata("y", "BYTES", (-1, 1)),)


def test_model_config_is_read_from_the_server() -> None:
    paths = {
        "/v2/models/m/config": http_answer(b'{"name":"m","max_batch_size":8}'),
        "/v2/models/m/versions/2/config": http_answer(b'{"name":"m","max_batch_size":4}'),
        "/v2/models/x/config": http_answer(
            b'{"error":"Request for unknown model: \'x\' is not found"}', status="404 Not Found"
        ),
    }
    with Server(routes(paths)) as server, TritonClient(target_at(server.url)) as client:
        assert client.model_config("m").max_batch_size == 8
        assert client.model_config("m", "2").max_batch_size == 4
        with pytest.raises(NotFoundError) as caught:
            client.model_config("x")
    assert caught.value.server_text == "Request for unknown model: 'x' is not found"
    assert caught.value.http_status == 404
    assert caught.value.url == f"{server.url}/v2/models/x/config"


STATISTICS = {
    "model_stats": [
        {
            "name": "m",
            "version": "1",
            "last_inference": 1795366932182,
            "inference_count": 8,
            "execution_count": 2,
            "inference_stats": {"success": {"count": 8, "ns": 800}, "queue": {"count": 8, "ns": "80"}},
            "batch_stats": [{"batch_size": 4, "compute_infer": {"count": 2, "ns": 40}}],
        }
    ]
}


def test_statistics_are_read_for_all_models_or_one() -> None:
    body = http_answer(json.dumps(STATISTICS).encode())
    paths = {"/v2/models/stats": body, "/v2/models/m/stats": body, "/v2/models/x/stats": NO_MODEL}
    with Server(routes(paths)) as server, TritonClient(target_at(server.url)) as client:
        (found,) = client.statistics()
        assert client.statistics("m") == (found,)
        with pytest.raises(ClientError, match="requested model 'x' is not available"):
            client.statistics("x")
    assert found.key == ModelKey("m", "1")
    assert (found.inference_count, found.execution_count, found.last_inference) == (8, 2, 1795366932182)
    assert (found.durations["success"].count, found.durations["queue"].nanoseconds) == (8, 80)
    assert found.durations["fail"].count == 0
    assert (found.batches[0].batch_size, found.batches[0].compute_infer.nanoseconds) == (4, 40)


INDEX = [
    {"name": "refused"},
    {"name": "ready", "version": "1", "state": "READY"},
    {"name": "failed", "version": "1", "state": "UNAVAILABLE", "reason": "Internal: no such weights"},
    {"name": "unloaded", "version": "2", "state": "UNAVAILABLE", "reason": "unloaded"},
    {"name": "duplicate", "version": "", "state": "UNAVAILABLE", "reason": "model appears in two or more"},
    {"name": "loading", "version": "1", "state": "LOADING"},
    {"name": "unloading", "version": "1", "state": "UNLOADING"},
    {"name": "future", "version": "1", "state": "HIBERNATING"},
    {"name": "stateless", "version": "1"},
    {"name": "ready", "version": "1", "state": "READY", "namespace": "/models"},
]


def test_each_state_in_the_index_is_told_apart() -> None:
    with Server(routes({"/v2/repository/index": http_answer(json.dumps(INDEX).encode())})) as server:
        with TritonClient(target_at(server.url)) as client:
            states = client.repository_index()
        assert server.requests[0].startswith(b"POST /v2/repository/index HTTP/1.1\r\n")
    assert [(state.key.name, state.status) for state in states] == [
        ("refused", ModelStatus.NOT_LOADED),
        ("ready", ModelStatus.READY),
        ("failed", ModelStatus.UNAVAILABLE),
        ("unloaded", ModelStatus.UNLOADED),
        ("duplicate", ModelStatus.UNAVAILABLE),
        ("loading", ModelStatus.LOADING),
        ("unloading", ModelStatus.UNLOADING),
        ("future", ModelStatus.UNKNOWN),
        ("stateless", ModelStatus.UNKNOWN),
        ("ready", ModelStatus.READY),
    ]
    assert states[2].reason == "Internal: no such weights"
    assert states[-1].key == ModelKey("ready", "1", "/models")


def test_an_index_that_did_not_change_is_the_very_same_object() -> None:
    one = http_answer(b'[{"name":"a","version":"1","state":"READY"}]')
    two = http_answer(b'[{"name":"a","version":"1","state":"LOADING"}]')
    with Server(answers(one, one, two)) as server, TritonClient(target_at(server.url)) as client:
        first = client.repository_index()
        assert client.repository_index() is first
        third = client.repository_index()
    assert third is not first
    assert third[0].status is ModelStatus.LOADING


def test_a_broken_index_does_not_hide_behind_the_last_good_one() -> None:
    good = http_answer(b'[{"name":"a","version":"1","state":"READY"}]')
    bad = http_answer(b'[{"name":7}]')
    with Server(answers(good, bad, bad, good)) as server, TritonClient(target_at(server.url)) as client:
        first = client.repository_index()
        for _ in range(2):
            with pytest.raises(GarbageError, match=r"\[0\]\.name is a int and not a string"):
                client.repository_index()
        assert client.repository_index() is first


def test_an_empty_repository_has_an_empty_index() -> None:
    with Server(answers(http_answer(b"[]"))) as server, TritonClient(target_at(server.url)) as client:
        assert client.repository_index() == ()


def test_the_metrics_page_comes_as_it_is() -> None:
    page = b'nv_inference_count{model="m",version="1"} 3\n' * 1000
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (
        len(page),
        page,
    )
    with Server(answers(http_answer(page), chunked)) as server, TritonClient(target_at(server.url)) as client:
        assert client.metrics() == page
        assert client.metrics() == page
        assert server.connections == 1


def test_the_restricted_header_goes_to_the_v2_endpoints_and_never_to_the_metrics_url() -> None:
    credentials = Credentials(restricted_header=("triton-key", "s3cret"), headers=(("X-Team", "vision"),))
    with Server(answers(http_answer(b"[]"))) as server:
        with TritonClient(target_at(server.url, credentials=credentials)) as client:
            client.repository_index()
            client.metrics()
        v2, metrics = server.requests
    assert b"triton-key: s3cret" in v2
    assert b"s3cret" not in metrics
    assert b"X-Team: vision" in v2
    assert b"X-Team: vision" in metrics


def test_hanging_up_closes_the_http_port_s_connection_and_keeps_that_of_the_metrics_port() -> None:
    behaviour = answers(http_answer(b"[]"))
    with Server(behaviour) as http, Server(behaviour) as metrics:
        target = target_at(http.url, metrics_url=f"{metrics.url}/metrics")
        with TritonClient(target) as client:
            for _ in range(3):
                client.repository_index()
                client.repository_index()
                client.metrics()
                client.hang_up()
            client.hang_up()
        assert http.connections == 3
        assert metrics.connections == 1


def test_a_fetcher_that_was_handed_in_stays_open() -> None:
    with Server(answers(http_answer())) as server:
        target = target_at(server.url)
        with HttpFetcher(target) as fetcher:
            for _ in range(2):
                with TritonClient(target, fetcher) as client:
                    assert client.live()
        assert server.connections == 1
