"""The loudspeaker: a Sink that falls silent within one block, and rests while there is nothing to say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from appliance.audio.pcm import SAMPLE_BYTES
from appliance.audio.portaudio import Stream, first_that_opens, refusal
from appliance.audio.selection import AudioDevice
from appliance.audio.stats import StreamStats
from appliance.errors import AudioDeviceError
from native.ring import Ring
from native.stream import Playback

RATE = 48_000
"""What nearly every card runs at; the card's own rate where it does not. The voice is resampled once, by soxr."""

BLOCK_S = 0.01
"""Length of one callback: a reply falls silent within it."""

LATENCY_S = 0.03
"""How far ahead of the loudspeaker the callback writes; this much of a reply is still heard after an interruption."""

REST_AFTER_S = 10.0
"""A loudspeaker that has nothing to say for so long is stopped: an idle stream costs as much as the microphone's."""

REPLY_S = 40.0
"""Reply sound that may wait for the loudspeaker; pages are committed only as it fills."""


def open_loudspeaker(wanted: str, on_end: Callable[[], None]) -> Loudspeaker:
    """Open the wanted loudspeaker, or the first that works. Blocks. Raises AudioDeviceError.

    wanted: as configured. on_end: called from the audio thread or the event loop when the stream ends by itself.
    """
    return first_that_opens("loudspeaker", wanted, lambda device: Loudspeaker(device, on_end))


class Loudspeaker:
    """A loudspeaker: a Sink. Its stream runs while there is something to say and for a while after it."""

    def __init__(self, device: AudioDevice, on_end: Callable[[], None]) -> None:
        self.name = device.name
        self.rate = RATE if refusal(device, "loudspeaker", RATE) is None else device.rate
        channels = min(2, device.outputs)
        self._ring = Ring(round(REPLY_S * self.rate))
        self.playback = Playback(self._ring, channels, rate=self.rate)
        self._on_end = on_end
        self._rest: asyncio.TimerHandle | None = None
        self._stream = Stream("output", device, channels, BLOCK_S, LATENCY_S, self.playback, on_end)
        self.latency_s = self._stream.latency_s

    @property
    def is_heard(self) -> bool:
        """True while something is being said or waits to be."""
        return not self.playback.drained

    @property
    def stats(self) -> StreamStats:
        played = self.playback
        return StreamStats(played.blocks, played.device_underflows, 0, played.underflows, played.lateness_counts)

    async def write(self, pcm: bytes) -> None:
        """See Sink.write. Begins a reply; drain() or flush() ends it."""
        if not self.playback.speaking:
            self.playback.begin()
        self._wake()
        while pcm := pcm[self._ring.write(pcm) * SAMPLE_BYTES :]:  # noqa: ASYNC110 - 40 s wait already: no hurry
            await asyncio.sleep(0.1)

    async def drain(self) -> None:
        """See Sink.drain."""
        self.playback.finish()
        loop, left = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self.playback.fileno(), left.set)
        try:
            while self.is_heard:
                left.clear()
                self.playback.clear_wakeup()
                if self.is_heard:
                    await left.wait()
        finally:
            loop.remove_reader(self.playback.fileno())
        await asyncio.sleep(self.latency_s)

    def flush(self) -> None:
        """See Sink.flush."""
        self.playback.flush()

    def play(self, pcm: bytes) -> None:
        """A short sound of the device itself, at once; left out while something is being said."""
        self._wake()
        if not self.is_heard:
            self._ring.write(pcm)

    def set_gain(self, gain: float) -> None:
        """gain: 0 to 1, reached within one block."""
        self.playback.volume = gain

    def close(self) -> None:
        """Blocks for a moment; harmless when repeated. Whoever is still writing must be cancelled, and sees nothing."""
        self._stream.close()

    def _wake(self) -> None:
        """Starting takes less than a millisecond. A loudspeaker that went away while it rested is noticed here."""
        try:
            self._stream.start()
        except AudioDeviceError:
            self._on_end()
        if self._rest is not None:
            self._rest.cancel()
        self._rest = asyncio.get_running_loop().call_later(REST_AFTER_S, self._fall_asleep)

    def _fall_asleep(self) -> None:
        if self.is_heard:
            self._wake()
        elif not self._stream.is_closed:
            self._stream.stop()
