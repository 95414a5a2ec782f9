"""Plays a model that batches well: a batch of 16 costs hardly more than a batch of 1, and it is given batches."""

import time

import numpy as np
import triton_python_backend_utils as pb_utils

SECONDS_A_BATCH = 0.100
SECONDS_A_SAMPLE = 0.0002


class TritonPythonModel:
    """A fixed random projection; the time of a GPU is played by sleeping."""

    def initialize(self, args):
        """Draw the weights, the same ones at every start."""
        self.weights = np.random.default_rng(7).normal(size=(16, 32)).astype(np.float32)

    def execute(self, requests):
        """TOKENS [n, 16] becomes EMBEDDING [n, 32], each row of length 1."""
        batches = [pb_utils.get_input_tensor_by_name(request, "TOKENS").as_numpy() for request in requests]
        time.sleep(SECONDS_A_BATCH + SECONDS_A_SAMPLE * sum(len(batch) for batch in batches))
        return [pb_utils.InferenceResponse([pb_utils.Tensor("EMBEDDING", self.embed(batch))]) for batch in batches]

    def embed(self, tokens):
        """Embeddings of one request's rows."""
        raw = np.cos(tokens.astype(np.float32) / 1000.0) @ self.weights
        return (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)
