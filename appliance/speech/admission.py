"""Who gets one of the recognizers: people who have finished speaking first, then whoever began first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from appliance.audio.pcm import Source

LOOK_AGAIN_S = 0.01
"""How often those who wait are asked whether they have finished, while a reserved place is free."""

TELL_ALL_BELOW = 5
"""Someone further back is told their place only when it has halved: a hundred people would be told a hundred times."""


class Admission:
    """`limit` places, `reserved` of which go only to utterances that have ended. Belongs to one event loop.

    Someone who is still speaking loses nothing by waiting: the sound waits in its source and is decoded many times
    faster than it is spoken. Without the reserve, someone who has finished would wait for others to finish speaking.
    """

    def __init__(self, limit: int, reserved: int) -> None:
        if not 0 <= reserved < limit:
            raise ValueError(f"{reserved} of {limit} places reserved, expected fewer than there are")
        self._free = limit
        self._reserved = reserved
        self._waiting: list[_Waiting] = []
        self._look_again: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def enter(self, source: Source, on_place: Callable[[int], None] | None) -> None:
        """Return once the utterance has a place, to be given back with `leave`.

        on_place: told the place in the queue, 1 is next, whenever it changed much.
        """
        one = _Waiting(source, on_place)
        self._waiting.append(one)
        self._admit()
        if not one.admitted.done():
            one.tell(len(self._waiting))
        try:
            await one.admitted
        except asyncio.CancelledError:
            if one.admitted.cancelled():
                self._waiting.remove(one)
                self._tell()
            else:
                self.leave()
            raise

    def leave(self) -> None:
        self._free += 1
        self._admit()

    def _admit(self) -> None:
        admitted = False
        while self._free and (one := self._next()) is not None:
            self._waiting.remove(one)
            self._free -= 1
            one.admitted.set_result(None)
            admitted = True
        if admitted:
            self._tell()
        if self._free and self._waiting and self._look_again is None:
            self._look_again = asyncio.get_running_loop().call_later(LOOK_AGAIN_S, self._look)

    def _look(self) -> None:
        self._look_again = None
        self._admit()

    def _next(self) -> _Waiting | None:
        waiting = [one for one in self._waiting if not one.admitted.done()]  # done: cancelled a moment ago
        for one in waiting:
            if one.source.ended:
                return one
        return waiting[0] if waiting and self._free > self._reserved else None

    def _tell(self) -> None:
        for place, one in enumerate(self._waiting, 1):
            one.tell(place)


class _Waiting:
    """An utterance without a recognizer."""

    def __init__(self, source: Source, on_place: Callable[[int], None] | None) -> None:
        self.source = source
        self.admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._on_place = on_place
        self._told = 0

    def tell(self, place: int) -> None:
        if self._on_place is None or place == self._told:
            return
        if not self._told or place < TELL_ALL_BELOW or place <= self._told // 2:
            self._told = place
            self._on_place(place)
