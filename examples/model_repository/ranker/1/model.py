"""Plays a model that batches badly: it could take 8 at once, but its configuration gives it one at a time."""

import time

import numpy as np
import triton_python_backend_utils as pb_utils

SECONDS_A_BATCH = 0.040


class TritonPythonModel:
    """The score is the mean of the features."""

    def execute(self, requests):
        """FEATURES [n, 12] becomes SCORE [n, 1]."""
        time.sleep(SECONDS_A_BATCH)
        return [self.answer(request) for request in requests]

    def answer(self, request):
        """Scores for all rows of one request."""
        features = pb_utils.get_input_tensor_by_name(request, "FEATURES").as_numpy()
        score = features.mean(axis=1, keepdims=True).astype(np.float32)
        return pb_utils.InferenceResponse([pb_utils.Tensor("SCORE", score)])
