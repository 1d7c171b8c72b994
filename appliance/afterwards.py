"""After an utterance was ended by the device: whether its speaker goes on, because the end was none.

Its reply is on the way already. Whoever goes on within a second is listened to again (session.py), and if both parts
read as one sentence, what the first did is taken back and the whole is answered (continuing.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from appliance.attention import Attention, Detector
from appliance.audio.endpointing import AFTER_S, CHUNK_SAMPLES, SOUND_SAMPLES, VOICE
from appliance.audio.pcm import RATE, SAMPLE_BYTES


class Afterwards:
    """The sound behind an utterance. Made when it has ended; belongs to one event loop.

    detector: the utterance's own; it has heard all before. goes_on: called once, with all sound from the end on, when
    somebody has spoken for as long as a word takes; a click or a cough is shorter.
    """

    def __init__(
        self, detector: Detector, attention: Attention, tasks: asyncio.TaskGroup, goes_on: Callable[[bytes], None]
    ) -> None:
        self._detector, self._attention, self._tasks, self._goes_on = detector, attention, tasks, goes_on
        self._kept = bytearray()
        self._seen_bytes = 0
        self._sounding = 0
        """Samples of the voice that sounds."""
        self._task: asyncio.Task[None] | None = None
        self.is_over = False

    def audio(self, pcm: bytes) -> None:
        """The next samples, s16le at 16 kHz. Without effect once it is over."""
        if self.is_over:
            return
        self._kept += pcm
        if self._task is None or self._task.done():
            self._task = self._tasks.create_task(self._listen())

    def drop(self) -> None:
        """Nobody is to be listened to any more: what was kept is wiped. Harmless when repeated."""
        self.is_over = True
        self._kept.clear()

    async def _listen(self) -> None:
        while not self.is_over and self._seen_bytes < len(self._kept):
            pcm = bytes(self._kept[self._seen_bytes :])
            self._seen_bytes += len(pcm)
            for voice in await self._attention.run(self._detector.feed, pcm):
                self._sounding = self._sounding + CHUNK_SAMPLES if voice >= VOICE else 0
                if self._sounding >= SOUND_SAMPLES and not self.is_over:
                    kept = bytes(self._kept)
                    self.drop()
                    self._goes_on(kept)
                    return
            if not self._sounding and self._seen_bytes >= AFTER_S * RATE * SAMPLE_BYTES:
                self.drop()
