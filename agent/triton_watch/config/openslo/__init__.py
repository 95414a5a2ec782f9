"""OpenSLO v1 documents: written from objectives, and read back; foreign ones are understood where they can be.

The specification: https://github.com/OpenSLO/OpenSLO (v1).
"""
