"""The JSON API: GET /api/v1/… and its OpenAPI document, both made of one table of endpoints and parameters."""
