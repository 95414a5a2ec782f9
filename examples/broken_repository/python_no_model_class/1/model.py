class Ranker:
    def execute(self, requests):
        return []
