"""Plays an honest failure: it raises, clients get HTTP 500, and the server counts a failure."""


class TritonPythonModel:
    """A model with a bug that shows at its first request."""

    def execute(self, requests):
        """FEATURES [n, 4] becomes an exception."""
        raise RuntimeError("division of a batch by its empty part")
