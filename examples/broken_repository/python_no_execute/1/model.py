class TritonPythonModel:
    def predict(self, requests):
        return []
