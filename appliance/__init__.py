"""Stimme: a private voice assistant for the Raspberry Pi. Read `conversation.py` first."""

import os

# Read when NumPy is loaded. Its products here are small, and its threads would fight with ours for the cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
