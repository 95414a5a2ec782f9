"""SLI formulas: pure functions over frozen records. No I/O, no clock (checked by import-linter)."""
