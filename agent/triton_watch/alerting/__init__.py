"""Alerts: defined once, evaluated here and by Prometheus, delivered to Alertmanagers.

definition    what an alert is: a condition in Python and the same in PromQL, with its words
definitions/  every alert there is
effective     a definition after overrides; in_force: all of them, and the conditions run
machine       inactive -> pending -> firing -> resolved, pure
evaluator     the conditions of all targets through the machine; board: one target; roster: the sorted whole
kept          what outlives a restart
rules         the same definitions as Prometheus rules
manager/      delivery to Alertmanagers
runbooks/     one page an alert
"""
