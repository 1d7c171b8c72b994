"""One utterance between the one who captures it and the one who recognizes it: a bounded native ring."""

from __future__ import annotations

import asyncio

from appliance.audio.pcm import RATE, SAMPLE_BYTES, Padding
from native.ring import Ring


class Utterance:
    """A Source that an event loop writes into. `limit` is the longest it may get, in samples.

    While no recognizer is free the sound waits here; nothing is dropped before the limit, and the writer is told
    how much was taken after it.
    """

    rate = RATE

    def __init__(self, limit: int) -> None:
        self._ring = Ring(limit)
        self._left = limit
        self._arrived = asyncio.Event()
        self.ended = False
        self.truncated = False
        """True once more was offered than the limit allows."""
        self.ended_at = 0.0
        """Loop time of the endpoint, in seconds."""
        self.samples = 0
        """Samples taken so far."""
        self.paddings: tuple[Padding, ...] = ()
        """None: all of it was recorded."""

    @property
    def waiting(self) -> int:
        """Samples that nobody has read yet."""
        return len(self._ring)

    def write(self, pcm: bytes) -> int:
        """Take samples (s16le) up to the limit; returns how many. After `end()` none."""
        if self.ended:
            return 0
        offered = len(pcm) // SAMPLE_BYTES
        if offered > self._left:
            self.truncated = True
            pcm = pcm[: self._left * SAMPLE_BYTES]
        taken = self._ring.write(pcm) if pcm else 0
        self._left -= taken
        self.samples += taken
        self._arrived.set()
        return taken

    def end(self) -> None:
        """The endpoint: whoever reads gets the rest, then b""."""
        if not self.ended:
            self.ended = True
            self.ended_at = asyncio.get_running_loop().time()
            self._arrived.set()

    async def read(self) -> bytes:
        """See Source.read."""
        while True:
            pcm = self._ring.read()
            if pcm or self.ended:
                return pcm
            self._arrived.clear()
            await self._arrived.wait()
