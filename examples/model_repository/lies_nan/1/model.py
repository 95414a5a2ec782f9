"""Plays a silent failure: every score is NaN, with HTTP 200."""

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """A model whose weights overflowed: 0 / 0 in every score."""

    def execute(self, requests):
        """FEATURES [n, 4] becomes SCORES [n, 4], all NaN."""
        return [self.answer(request) for request in requests]

    def answer(self, request):
        """Not a number, in the right shape and type."""
        features = pb_utils.get_input_tensor_by_name(request, "FEATURES").as_numpy()
        return pb_utils.InferenceResponse([pb_utils.Tensor("SCORES", np.full_like(features, np.nan))])
