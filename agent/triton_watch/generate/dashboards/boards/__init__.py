"""One file for each board."""
