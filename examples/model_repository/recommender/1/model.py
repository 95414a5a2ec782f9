"""Plays a cached model: the server answers a user that it has seen before from its response cache."""

import time

import numpy as np
import triton_python_backend_utils as pb_utils

SECONDS_A_BATCH = 0.025


class TritonPythonModel:
    """Five items a user, always the same ones."""

    def execute(self, requests):
        """USER_ID [n, 1] becomes ITEMS [n, 5]."""
        time.sleep(SECONDS_A_BATCH)
        return [self.answer(request) for request in requests]

    def answer(self, request):
        """Items for all users of one request."""
        users = pb_utils.get_input_tensor_by_name(request, "USER_ID").as_numpy().reshape(-1, 1)
        items = (users * 31 + np.arange(1, 6) * 17) % 1000
        return pb_utils.InferenceResponse([pb_utils.Tensor("ITEMS", items.astype(np.int64))])
