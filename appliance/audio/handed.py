"""Sound that somebody else hands over piece by piece."""

from __future__ import annotations

import asyncio

from appliance.audio.pcm import RATE


class Handed:
    """A Source that `put` fills; nothing bounds it but whoever does that."""

    def __init__(self, rate: int = RATE) -> None:
        self.rate = rate
        self.ended = False
        self._pieces: list[bytes] = []
        self._arrived = asyncio.Event()

    def put(self, pcm: bytes, ended: bool) -> None:
        """The next samples (s16le), and whether they are the last."""
        self._pieces.append(pcm)
        self.ended = ended
        self._arrived.set()

    async def read(self) -> bytes:
        """See Source.read."""
        while not self._pieces and not self.ended:
            self._arrived.clear()
            await self._arrived.wait()
        pcm = b"".join(self._pieces)
        self._pieces.clear()
        return pcm
