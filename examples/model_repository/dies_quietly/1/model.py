"""Plays a dead backend: its process is gone after some requests, and Triton goes on saying READY."""

import os
import signal

import numpy as np
import triton_python_backend_utils as pb_utils

REQUESTS_UNTIL_DEATH = 6


class TritonPythonModel:
    """Doubles its features until it dies without a word, as a process does that runs out of memory."""

    def initialize(self, args):
        """Nothing was asked yet."""
        self.asked = 0

    def execute(self, requests):
        """FEATURES [n, 4] becomes SCORES [n, 4], for a while."""
        self.asked += len(requests)
        if self.asked > REQUESTS_UNTIL_DEATH:
            os.kill(os.getpid(), signal.SIGKILL)
        return [self.answer(request) for request in requests]

    def answer(self, request):
        """Twice the features."""
        features = pb_utils.get_input_tensor_by_name(request, "FEATURES").as_numpy()
        return pb_utils.InferenceResponse([pb_utils.Tensor("SCORES", (2 * features).astype(np.float32))])
