"""Plays a silent failure: three scores come where the configuration promises four, with HTTP 200."""

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """A new version of a model that lost a class, behind an old configuration."""

    def execute(self, requests):
        """FEATURES [n, 4] becomes SCORES [n, 3]; the configuration says [n, 4]."""
        return [self.answer(request) for request in requests]

    def answer(self, request):
        """Scores for all rows of one request, one column short."""
        features = pb_utils.get_input_tensor_by_name(request, "FEATURES").as_numpy()
        return pb_utils.InferenceResponse([pb_utils.Tensor("SCORES", np.ascontiguousarray(features[:, :3]))])
