"""Talks to Triton: its HTTP API, its metrics page, its model configurations."""
