"""Facts in words and drawings, for terminals and pages alike: text made safe, numbers, budgets, charts."""
