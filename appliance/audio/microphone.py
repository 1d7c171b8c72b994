"""The microphone: 16 kHz mono from whatever card there is, with the last 300 ms before the press."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import soxr

from appliance.audio.pcm import RATE, SAMPLE_BYTES
from appliance.audio.portaudio import Stream, first_that_opens, refusal
from appliance.audio.selection import AudioDevice, capture_channels
from appliance.audio.stats import StreamStats
from native.ring import Ring
from native.stream import Capture

BLOCK_S = 0.02
"""Length of one callback: the longest that a sample waits for others."""

LATENCY_S = 0.06
"""How long the card keeps sound for a late callback. Three blocks: PortAudio divides by three, longer is coarser."""

PREROLL_S = 0.3
"""Sound kept from before the press, so that no first syllable is cut."""

RING_S = 4.0
"""Captured sound that may wait for the event loop."""


def open_microphone(wanted: str, channel: int, on_end: Callable[[], None]) -> Microphone:
    """Open and start the wanted microphone, or the first that works. Blocks. Raises AudioDeviceError.

    wanted, channel: as configured. on_end: called from the audio thread when the stream ends by itself.
    """
    return first_that_opens("microphone", wanted, lambda device: Microphone(device, channel, on_end))


class Microphone:
    """A running microphone. Keeps the last 300 ms to itself; hands on sound only while armed, as 16 kHz s16le."""

    def __init__(self, device: AudioDevice, channel: int, on_end: Callable[[], None]) -> None:
        self.device, self.name = device, device.name
        self.rate = RATE if refusal(device, "microphone", RATE) is None else device.rate
        """What the card runs at; 16 kHz if it can."""
        channels, index = capture_channels(device, channel)
        self._ring = Ring(round(RING_S * self.rate), notify=True)
        self.capture = Capture(self._ring, channels, index, rate=self.rate, preroll=round(PREROLL_S * self.rate))
        self._resampler = soxr.ResampleStream(self.rate, RATE, 1, dtype="int16") if self.rate != RATE else None
        self._skip_samples = 0
        self._disarmed_at = 0  # in blocks
        self._stream = Stream("input", device, channels, BLOCK_S, LATENCY_S, self.capture, on_end)
        self._stream.start()

    @property
    def stats(self) -> StreamStats:
        return StreamStats(
            self.capture.blocks, self.capture.overflows, self._ring.dropped, 0, self.capture.lateness_counts
        )

    def fileno(self) -> int:
        """Readable when sound has come, for loop.add_reader."""
        return self._ring.fileno()

    def arm(self, *, preroll: bool, skip_s: float = 0.0) -> None:
        """Hand on sound from now on, after leaving out skip_s; with preroll also what came just before."""
        kept = (self.capture.blocks - self._disarmed_at) * round(BLOCK_S * self.rate)
        before = 0 if preroll else min(kept, round(PREROLL_S * self.rate))
        self._skip_samples = before + round(skip_s * self.rate)
        if self._resampler is not None:
            self._resampler.clear()
        self.capture.arm()

    def read(self, *, last: bool = False) -> bytes:
        """All sound that has come since. last: the utterance is over; no more is handed on until armed again."""
        if last:
            self.capture.disarm()
            self._disarmed_at = self.capture.blocks
        self._ring.clear_wakeup()
        pcm = self._ring.read()
        if self._skip_samples:
            skipped = min(self._skip_samples, len(pcm) // SAMPLE_BYTES)
            self._skip_samples -= skipped
            pcm = pcm[skipped * SAMPLE_BYTES :]
        if self._resampler is None:
            return pcm
        resampled: bytes = self._resampler.resample_chunk(np.frombuffer(pcm, "<i2"), last=last).tobytes()
        return resampled

    def close(self) -> None:
        """Stop capture and wipe every sample that was kept. Blocks for a moment; harmless when repeated."""
        if not self._stream.is_closed:
            self._stream.close()
            self.capture.wipe()
            self.capture.close()
            self._ring.wipe()
            self._ring.close()
