"""Plays an ordinary healthy model: some milliseconds an execution, correct answers."""

import time

import numpy as np
import triton_python_backend_utils as pb_utils

SECONDS_A_BATCH = 0.004


class TritonPythonModel:
    """A softmax over a fixed random projection of the pixels."""

    def initialize(self, args):
        """Draw the weights, the same ones at every start."""
        self.weights = np.random.default_rng(11).normal(size=(192, 4)).astype(np.float32)

    def execute(self, requests):
        """PIXELS [n, 3, 8, 8] becomes PROBABILITIES [n, 4]."""
        time.sleep(SECONDS_A_BATCH)
        return [self.answer(request) for request in requests]

    def answer(self, request):
        """Probabilities for all images of one request."""
        pixels = pb_utils.get_input_tensor_by_name(request, "PIXELS").as_numpy()
        scores = np.exp(np.tanh(pixels.reshape(len(pixels), -1) @ self.weights))
        probabilities = scores / scores.sum(axis=1, keepdims=True)
        return pb_utils.InferenceResponse([pb_utils.Tensor("PROBABILITIES", probabilities.astype(np.float32))])
