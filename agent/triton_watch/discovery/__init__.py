"""Finding targets: by DNS and in files, and what becomes of several sources.

look_ups        DNS: the addresses behind a name
targets_file    one file in the format of Prometheus's file_sd
files           all files that match a pattern, noticed when they change
merge           configured and found targets as one list
once            everything looked up one time, for a command
"""
