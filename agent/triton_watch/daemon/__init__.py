"""The daemon: it runs the poll cycles, and shows what they found over HTTP."""
