"""`triton-watch check`: what is wrong with model repositories, configurations, manifests and live servers.

Everything here works offline and never executes what it reads; what a live server said is handed in.
"""
