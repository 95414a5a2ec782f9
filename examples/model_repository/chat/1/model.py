"""Plays a streaming (decoupled) model: one request, one answer for each word, 15 ms apart."""

import time

import numpy as np
import triton_python_backend_utils as pb_utils

SECONDS_A_WORD = 0.015
FINAL = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL


class TritonPythonModel:
    """Says the prompt back, word by word."""

    def execute(self, requests):
        """PROMPT [1] becomes a stream of WORD [1]; a decoupled model returns nothing here."""
        for request in requests:
            self.stream(request)

    def stream(self, request):
        """Send the words of one request, then say that it is complete."""
        sender = request.get_response_sender()
        prompt = pb_utils.get_input_tensor_by_name(request, "PROMPT").as_numpy().reshape(-1)[0]
        for word in prompt.split():
            time.sleep(SECONDS_A_WORD)
            tensor = pb_utils.Tensor("WORD", np.array([word], dtype=np.object_))
            sender.send(pb_utils.InferenceResponse([tensor]))
        sender.send(flags=FINAL)
