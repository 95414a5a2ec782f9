"""From the running daemon's state to the facts that are told: pure functions of a `StateSource` and of now.

    model_list, model_detail, status, target_list, target_detail, alert_list, finding_list, budget_list, canary_list

None does I/O, none waits for a poll. What costs time is kept for as long as the state it was made of is the latest
(`views`). Names are told as the server gave them, but whole (half characters replaced); sentences are printable.
"""
