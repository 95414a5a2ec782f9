"""Alerts: defined once, evaluated here and by Prometheus, delivered to Alertmanagers.

definition    what an alert is: a condition in Python and the same in PromQL, with its words
definitions/  every alert there is
machine       inactive -> pending -> firing -> resolved, pure
evaluator     the conditions of all targets through the machine
rules         the same definitions as Prometheus rules
manager/      delivery to Alertmanagers
runbooks/     one page an alert
"""
