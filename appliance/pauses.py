"""Where one utterance ends and the next begins in sound that just goes on: by the sound alone, and in step with it."""

from __future__ import annotations

from appliance.attention import Attention, Detector
from appliance.audio.endpointing import Silence

PAUSE_S = 0.8
"""Such a silence behind a voice ends an utterance: Vosk's own rules say 0.5 to 1 s …"""
NOTHING_S = 10.0
"""… and so much without any voice."""


class Pauses:
    """attention: who listens along; None: nobody, so there are no pauses."""

    def __init__(self, attention: Attention | None) -> None:
        self._attention = attention
        self._detector: Detector | None = None
        self._silence = Silence()
        self._spoken = False

    async def after(self, pcm: bytes) -> bool:
        """Whether an utterance ends with these samples, s16le at 16 kHz."""
        attention = self._attention
        if attention is None or not pcm or attention.is_busy():
            self._silence.unknown()
            return False
        if self._detector is None:
            self._detector = await attention.run(attention.detector)
        self._silence.feed(await attention.run(self._detector.feed, pcm), None)
        self._spoken = self._spoken or self._silence.is_voice
        if self._silence.is_voice or self._silence.seconds < (PAUSE_S if self._spoken else NOTHING_S):
            return False
        self._silence, self._spoken = Silence(), False
        return True
