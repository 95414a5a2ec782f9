"""Prometheus rules: indicators and objectives recorded, and the alerts over them.

options  where the rules will run: jobs, selectors, labels, intervals
"""
