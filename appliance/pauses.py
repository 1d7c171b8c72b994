"""Who speaks when in sound that just goes on, and where one utterance ends: by the sound alone, in step with it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from appliance.attention import Attention, Detector
from appliance.audio.endpointing import VOICE, Silence
from appliance.audio.pcm import RATE, SAMPLE_BYTES
from appliance.audio.quiet import Levels

PAUSE_S = 0.8
"""Such a silence behind a voice ends an utterance: Vosk's own rules say 0.5 to 1 s …"""
NOTHING_S = 10.0
"""… and so much without any voice."""
AT_ONCE_S = 3.0
"""Sound that is so far ahead of its time is a recording: it is judged by its loudness, which costs next to nothing.
Else a program that sends an hour in a second would keep the threads that listen along for everybody."""


class Voices:
    """attention: who listens along; None: nobody."""

    def __init__(self, attention: Attention | None) -> None:
        self._attention = attention
        self._detector: Detector | None = None
        self._levels = Levels()
        self._clock = asyncio.get_running_loop().time
        self._begun_at = self._clock()
        self._samples = 0

    async def feed(self, pcm: bytes) -> tuple[float, ...]:
        """How surely somebody speaks in each whole chunk of s16le at 16 kHz (audio/voice.py)."""
        self._samples += len(pcm) // SAMPLE_BYTES
        levels = self._levels.feed(pcm)
        attention = self._attention
        ahead_s = self._samples / RATE - (self._clock() - self._begun_at)
        if attention is None or ahead_s > AT_ONCE_S or attention.is_busy():
            return levels
        if self._detector is None:
            self._detector = await attention.run(attention.detector)
        return await attention.run(self._detector.feed, pcm)


def is_voice(voices: Iterable[float]) -> bool:
    """Whether anybody spoke at all in what came."""
    return any(voice >= VOICE for voice in voices)


class Pauses:
    """Finds the ends of utterances."""

    def __init__(self, attention: Attention | None) -> None:
        self._voices = Voices(attention)
        self._silence = Silence()
        self._spoken = False

    async def after(self, pcm: bytes) -> bool:
        """Whether an utterance ends with these samples, s16le at 16 kHz."""
        voices = await self._voices.feed(pcm)
        self._silence.feed(voices, None)
        self._spoken = self._spoken or is_voice(voices)
        if self._silence.is_voice or self._silence.seconds < (PAUSE_S if self._spoken else NOTHING_S):
            return False
        self._silence, self._spoken = Silence(), False
        return True
