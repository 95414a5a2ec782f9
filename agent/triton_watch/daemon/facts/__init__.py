"""What the agent tells: the records behind the JSON API, the pages and `triton-watch top`. Field names are a contract.

Plain frozen dataclasses. `coding` writes and reads them as JSON, and makes the OpenAPI document of their types; so
their annotations are read at run time. Times are Unix seconds here and RFC 3339 in JSON; lengths of time are seconds,
ratios 0 to 1, sizes bytes. None is "not known", never 0.
"""
