"""Goldens: recorded answers of models, and how an answer is compared with them."""
