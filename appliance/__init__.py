"""Stimme: a private voice assistant for the Raspberry Pi. Read `conversation.py` first."""

__version__ = "0.1.0"
