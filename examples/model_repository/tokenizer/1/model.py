"""Plays a fast model: turns each text into 16 token numbers in well under a millisecond."""

import zlib

import numpy as np
import triton_python_backend_utils as pb_utils

LENGTH = 16


def tokens_of(text):
    """The first 16 words of a text as numbers below 30000; 0 fills up."""
    words = text.decode("utf-8", "replace").lower().split()[:LENGTH]
    numbers = [zlib.crc32(word.encode()) % 29999 + 1 for word in words]
    return numbers + [0] * (LENGTH - len(numbers))


class TritonPythonModel:
    """One vectorised answer for each request of the batch."""

    def execute(self, requests):
        """TEXT [n, 1] becomes TOKENS [n, 16]."""
        return [self.answer(request) for request in requests]

    def answer(self, request):
        """Tokens for all texts of one request."""
        texts = pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy().reshape(-1)
        tokens = np.array([tokens_of(text) for text in texts], dtype=np.int64)
        return pb_utils.InferenceResponse([pb_utils.Tensor("TOKENS", tokens)])
