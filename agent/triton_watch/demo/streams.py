"""The client of the load that streams: prompts to the decoupled model over gRPC, one after the other."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, Any

import numpy as np
import tritonclient.grpc as grpcclient

from triton_watch.demo.answers import DETAIL_LENGTH
from triton_watch.demo.senders import PAUSE_AFTER_FAILURE, TIMEOUT
from triton_watch.demo.tally import Seen, Tally
from triton_watch.demo.traffic import PROMPT, STREAM_MODEL, STREAM_PERIOD

if TYPE_CHECKING:
    import threading

NO_PROXY = [("grpc.enable_http_proxy", 0)]


class WordStream:
    """One open stream to the server; each prompt is answered word by word."""

    def __init__(self, address: str) -> None:
        self._answers: queue.SimpleQueue[tuple[Any, Any]] = queue.SimpleQueue()
        self._client = grpcclient.InferenceServerClient(address, channel_args=NO_PROXY)
        self._client.start_stream(lambda result, error: self._answers.put((result, error)))

    def ask(self, prompt: str) -> int:
        """How many words came back. Raises queue.Empty after `TIMEOUT`, or tritonclient's exception."""
        tensor = grpcclient.InferInput("PROMPT", [1], "BYTES")
        tensor.set_data_from_numpy(np.array([prompt.encode()], dtype=np.object_))
        self._client.async_stream_infer(STREAM_MODEL, [tensor], enable_empty_final_response=True)
        words = 0
        while True:
            result, error = self._answers.get(timeout=TIMEOUT)
            if error is not None:
                raise error
            response = result.get_response()
            words += len(response.outputs)
            if response.parameters["triton_final_response"].bool_param:
                return words

    def close(self) -> None:
        """Give the stream and the connection up, without waiting for answers."""
        self._client.stop_stream(cancel_requests=True)
        self._client.close()


def send_streams(address: str, tally: Tally, stop: threading.Event) -> None:
    """Be the streaming client until `stop` is set; a broken stream is opened again."""
    while not stop.is_set():
        stream = WordStream(address)
        while not stop.wait(STREAM_PERIOD):
            seen, detail = _judge_one(stream)
            tally.add(STREAM_MODEL, seen, detail)
            if seen in (Seen.UNREACHABLE, Seen.HTTP_ERROR):
                break
        stream.close()
        stop.wait(PAUSE_AFTER_FAILURE)


def _judge_one(stream: WordStream) -> tuple[Seen, str]:
    """Send one prompt; what the client saw, and what was wrong with it in words."""
    expected = len(PROMPT.split())
    try:
        words = stream.ask(PROMPT)
    except queue.Empty:
        return Seen.UNREACHABLE, f"no answer within {TIMEOUT:g} seconds"
    except grpcclient.InferenceServerException as error:
        return Seen.HTTP_ERROR, " ".join(str(error).split())[:DETAIL_LENGTH]
    if words != expected:
        return Seen.WRONG_SHAPE, f"the stream had {words} words, not {expected}"
    return Seen.OK, ""
