"""Plays a slow model: most of a second an execution, so that its queue and latency show."""

import time

import numpy as np
import triton_python_backend_utils as pb_utils

SECONDS_A_BATCH = 0.7


class TritonPythonModel:
    """The summary of a text is its first five words."""

    def execute(self, requests):
        """TEXT [n, 1] becomes SUMMARY [n, 1]."""
        time.sleep(SECONDS_A_BATCH)
        return [self.answer(request) for request in requests]

    def answer(self, request):
        """Summaries for all texts of one request."""
        texts = pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy().reshape(-1)
        summaries = np.array([[b" ".join(text.split()[:5])] for text in texts], dtype=np.object_)
        return pb_utils.InferenceResponse([pb_utils.Tensor("SUMMARY", summaries)])
