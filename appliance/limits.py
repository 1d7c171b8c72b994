"""What everybody keeps to: the device, the page, and every program that talks to them.

tests/vectors/limits.json holds the same numbers, which the Python and the JavaScript tests both compare with.
"""

from __future__ import annotations

MAX_TEXT_CHARACTERS = 500
"""A typed question, and anything that was heard: longer text is no command."""

MAX_ID_CHARACTERS = 64
"""A turn's id, and a session's secret."""

MAX_MESSAGE_BYTES = 32 * 1024
"""One message, of text or of sound."""

CHUNK_BYTES = (128, 16_384)
"""Least and most sound in a page's messages, as AUDIO_CHUNK_SIZE sets it."""

WIRE_RATE = 16_000
"""Samples per second of everything that is recognized."""

REPLY_RATES = (8_000, 48_000)
"""Lowest and highest rate at which a reply can be had, in Hz."""

REPLY_SPEEDS = (0.5, 3.0)
"""Slowest and fastest that a reply is spoken; 1 is the voice's own speed."""

MOST_TIMER_CHANGE_S = 7 * 86_400
"""A timer on the board can be changed by so much at a time."""
