"""Inference over HTTP on the real server: every datatype, sequences, and how each failure is told."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np
import pytest

from triton_watch.demo import EmbeddedTriton
from triton_watch.records import CanaryReason, Target
from triton_watch.triton.client import TritonClient
from triton_watch.triton.infer.errors import InferError
from triton_watch.triton.infer.http import HttpInfer
from triton_watch.triton.infer.messages import DTYPES, InferRequest, Tensor, tensor_of

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[1] / "fixtures" / "canary_repository"
MODELS = (
    *("bf16", "cached", "every_type", "good", "good_no_batch", "nan", "pipeline", "raises", "sequence"),
    *("sequence_no_id", "sequence_text", "silent_error", "slow", "stream", "two_versions", "wrong_dtype"),
)
X = np.array([[1, 2, 3, 4]], dtype=np.float32)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("http")
    for model in MODELS:
        shutil.copytree(REPOSITORY / model, folder / "models" / model)
    with EmbeddedTriton(folder / "models", workdir=folder) as server:
        yield Target("real", server.http_url, server.metrics_url, server.grpc_address)


@pytest.fixture
def client(target: Target) -> Iterator[HttpInfer]:
    client = HttpInfer(target)
    yield client
    client.close()


def ask(client: HttpInfer, model: str, tensor: Tensor | None = None, timeout: float = 10.0, **fields: Any) -> Tensor:
    """The output Y of a model for one X."""
    request = InferRequest(model, fields.pop("version", ""), "", {"X": tensor or tensor_of(X, "FP32")}, fields)
    (answer,) = client.infer(request, timeout).answers
    assert answer.model == model
    return answer.outputs["Y"]


def refused(client: HttpInfer, model: str, tensor: Tensor | None = None, **fields: Any) -> InferError:
    with pytest.raises(InferError) as caught:
        ask(client, model, tensor, **fields)
    return caught.value


def test_good_models_answer_with_their_version_and_values(client: HttpInfer) -> None:
    assert ask(client, "good").array().tolist() == (2 * X + 1).tolist()
    assert ask(client, "good_no_batch", tensor_of(X[0], "FP32")).array().tolist() == (2 * X[0] + 1).tolist()
    assert ask(client, "pipeline").array().tolist() == (4 * X + 3).tolist()
    for version in ("1", "2"):
        request = InferRequest("two_versions", version, "", {"X": tensor_of(X, "FP32")})
        (answer,) = client.infer(request, 10.0).answers
        assert (answer.version, answer.outputs["Y"].array().tolist()) == (version, (int(version) * X).tolist())


def test_every_datatype_comes_back_byte_by_byte(client: HttpInfer) -> None:
    inputs = {f"IN_{name}": tensor_of(np.array([[1, 0]]), name) for name in DTYPES if name != "BF16"}
    inputs["IN_BYTES"] = tensor_of(np.array([[b"\xff\0\n", b""]], dtype=np.object_), "BYTES")
    (answer,) = client.infer(InferRequest("every_type", "1", "id", inputs), 10.0).answers
    assert answer.outputs == {name.replace("IN_", "OUT_"): tensor for name, tensor in inputs.items()}


def test_bf16_comes_back_as_it_was(client: HttpInfer) -> None:
    found = ask(client, "bf16", tensor_of(X / 3, "BF16"))
    assert found.datatype == "BF16"
    np.testing.assert_array_equal(found.array(), (X / 3).astype(ml_dtypes.bfloat16).astype(np.float32))


def test_lies_are_delivered_as_they_are(client: HttpInfer) -> None:
    assert np.isnan(ask(client, "nan").array()).all()
    assert ask(client, "wrong_dtype").datatype == "FP64"


def test_an_error_object_and_an_exception_are_server_errors_in_the_models_words(client: HttpInfer) -> None:
    error = refused(client, "silent_error")
    assert (error.reason, error.text) == (CanaryReason.SERVER_ERROR, "the weights are gone")
    error = refused(client, "raises")
    assert error.reason is CanaryReason.SERVER_ERROR
    assert "RuntimeError: the model fell over" in error.text


@pytest.mark.parametrize(("model", "name"), [("sequence", 77), ("sequence", 2**64 - 1), ("sequence_no_id", "a name")])
def test_a_sequence_goes_from_its_start_to_its_end(client: HttpInfer, model: str, name: int | str) -> None:
    flags: tuple[dict[str, Any], ...] = ({"sequence_start": True}, {}, {"sequence_end": True})
    sums = [ask(client, model, sequence_id=name, **more).array()[0, 0] for more in flags]
    assert sums == [1, 2, 3]
    error = refused(client, model, sequence_id=name)
    assert error.reason is CanaryReason.REFUSED
    assert "must specify the START flag" in error.text


def test_no_text_reaches_a_python_model_as_the_name_of_its_sequence(client: HttpInfer) -> None:
    """A fault of 24.10: see the fixture's README."""
    error = refused(client, "sequence_text", sequence_id="abc", sequence_start=True)
    assert error.reason is CanaryReason.REFUSED
    assert "unexpected number of string elements" in error.text


def test_unknown_models_and_versions_are_not_served(client: HttpInfer) -> None:
    for model, version in (("nobody", ""), ("good", "7")):
        error = refused(client, model, version=version)
        assert error.reason is CanaryReason.NOT_SERVED
        assert "unknown model" in error.text


def test_a_wrong_request_is_refused_in_the_servers_words_without_a_request_id(client: HttpInfer) -> None:
    error = refused(client, "good", tensor_of(X[0], "FP32"))
    assert error.reason is CanaryReason.REFUSED
    assert error.text.startswith("unexpected shape for input 'X'")
    assert refused(client, "stream").reason is CanaryReason.REFUSED


def test_a_slow_model_meets_the_deadline(client: HttpInfer) -> None:
    error = refused(client, "slow", timeout=0.15)
    assert error.reason is CanaryReason.DEADLINE
    assert error.seconds < 0.35


def test_an_ensemble_counts_its_members_too_and_a_hit_of_the_cache_no_execution(
    client: HttpInfer, target: Target
) -> None:
    with TritonClient(target) as watcher:
        before = watcher.metrics().decode()
        ask(client, "pipeline")
        ask(client, "cached", tensor_of(X + 7, "FP32"))
        ask(client, "cached", tensor_of(X + 7, "FP32"))
        after = watcher.metrics().decode()
    assert _risen(before, after, "nv_inference_request_success", "good") == 2
    assert _risen(before, after, "nv_inference_request_success", "cached") == 2
    assert _risen(before, after, "nv_inference_exec_count", "cached") == 1


def _risen(before: str, after: str, metric: str, model: str) -> float:
    start = f'{metric}{{model="{model}",'
    first, last = (
        next(float(line.split()[-1]) for line in page.splitlines() if line.startswith(start))
        for page in (before, after)
    )
    return last - first
