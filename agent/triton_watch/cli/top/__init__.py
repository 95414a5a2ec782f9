"""`triton-watch top`: what the agent tells, in a terminal, sorted and filtered by keys.

One direction: `sources` read records of daemon.facts, `fetching` does that in a thread, `view` says what is looked at
(keys move it, purely), `list_screen` and `detail_screen` write lines of both, `live` puts them on the terminal.
"""
