"""Every name that leaves the process: metrics with their HELP, labels, probes. Docs are made from this."""
