"""Plays a silent failure: every client gets HTTP 500, and the server counts every request as a success."""

import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """Answers each request with an error response, as a model does whose database is gone."""

    def execute(self, requests):
        """FEATURES [n, 4] becomes an error."""
        return [pb_utils.InferenceResponse([], error=_no_answer()) for _ in requests]


def _no_answer():
    """One error object a response: tritonserver 2.51 dies of signal 11 when two responses share one."""
    return pb_utils.TritonError("feature store did not answer within 200 ms")
