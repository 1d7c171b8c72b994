"""Where it is quiet: where long sound may be cut, and whether anybody speaks, by loudness alone."""

from __future__ import annotations

import numpy as np

from appliance.audio.endpointing import CHUNK_SAMPLES
from appliance.audio.pcm import RATE, SAMPLE_BYTES, floats

FRAME = RATE // 50
WINDOW = 10
"""Frames that are quiet together: a fifth of a second."""

LOUDER, MOST_QUIET = 4.0, 60.0
"""A voice is so many times louder than the floor, and so much more than that (of 32,768)."""
RISE = 1.003
"""The floor's, a chunk: it doubles in seven seconds of voice without a pause."""


def quietest(pcm: bytes) -> int:
    """The middle of the quietest fifth of a second of s16le at 16 kHz, in bytes from its beginning."""
    samples = np.frombuffer(pcm, "<i2")
    frames = len(samples) // FRAME
    if frames <= WINDOW:
        return len(samples) // 2 * SAMPLE_BYTES
    energy = np.square(samples[: frames * FRAME].astype(np.float32)).reshape(frames, FRAME).mean(axis=1)
    together = np.convolve(np.sqrt(energy), np.ones(WINDOW, np.float32), "valid")
    return (int(together.argmin()) + WINDOW // 2) * FRAME * SAMPLE_BYTES


class Levels:
    """Whether somebody speaks, by loudness alone: a hundredth of what Silero costs, for sound without much noise.

    What is four times as loud as the quietest of the last seconds is a voice.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._floor: float | None = None

    def feed(self, pcm: bytes) -> tuple[float, ...]:
        """As VoiceDetector.feed, 0 or 1."""
        pcm = self._rest + pcm
        whole = len(pcm) - len(pcm) % (CHUNK_SAMPLES * SAMPLE_BYTES)
        self._rest = pcm[whole:]
        chunks = np.frombuffer(pcm[:whole], "<i2").astype(np.float32).reshape(-1, CHUNK_SAMPLES)
        found = []
        for level in np.sqrt(np.square(chunks).mean(axis=1)).tolist():
            self._floor = level if self._floor is None else min(level, self._floor * RISE + 0.01)
            found.append(float(level > MOST_QUIET + LOUDER * self._floor))
        return tuple(found)


def signal_db(pcm: bytes) -> float:
    """How far the loudest fifth of the sound stands out of the quietest, in dB. pcm: s16le at 16 kHz."""
    samples = floats(pcm)
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    if len(frames) == 0:
        return 0.0
    levels = 10 * np.log10(np.mean(frames.astype(np.float64) ** 2, axis=1) + 1e-10)
    return float(np.percentile(levels, 80) - np.percentile(levels, 10))
