"""Where events of objectives are kept: the embedded store (SQLite), and Prometheus for a fleet's history."""
