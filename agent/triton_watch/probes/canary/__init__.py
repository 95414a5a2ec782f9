"""Canaries: real inferences on a schedule, and what came of them."""
