"""Prometheus rules: indicators and objectives recorded, and the alerts over them.

agent, triton   the two rule files: over what the agents export, and over Triton's own metrics
agent_slo       objectives recorded from the agents' counters; `fleet_burn` alerts on them over all servers
triton_sli      indicators recorded from Triton's counters; `triton_events`, `triton_slo`, `triton_burn` objectives
triton_alerts   what Triton's metrics alone can tell; `triton_table` has the expressions, `triton_parts` their parts
lengths         windows and periods, and the objectives that have them
adjusted        settings as flags want them; `left_out` what of them the rules do not say
options         where the rules will run: jobs, selectors, labels, intervals
"""
