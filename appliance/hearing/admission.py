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
        self._waiting: dict[_Waiting, None] = {}  # in the order of their coming
        self._look_again: asyncio.TimerHandle | None = None
        self._telling: asyncio.Handle | None = None

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def enter(self, source: Source, on_place: Callable[[int], None] | None) -> None:
        """Return once the utterance has a place, to be given back with `leave`.

        on_place: told the place in the queue, 1 is next, whenever it changed much.
        """
        one = _Waiting(source, on_place)
        self._waiting[one] = None
        self._admit()
        if not one.admitted.done():
            one.tell(len(self._waiting))
        try:
            await one.admitted
        except asyncio.CancelledError:
            if one.admitted.cancelled():
                del self._waiting[one]
                self._tell_soon()
            else:
                self.leave()
            raise

    def leave(self) -> None:
        self._free += 1
        self._admit()

    def _admit(self) -> None:
        while self._free and (one := self._next()) is not None:
            del self._waiting[one]
            self._free -= 1
            one.admitted.set_result(None)
            self._tell_soon()
        if self._free and self._waiting and self._look_again is None:
            self._look_again = asyncio.get_running_loop().call_later(LOOK_AGAIN_S, self._look)

    def _look(self) -> None:
        self._look_again = None
        self._admit()

    def _next(self) -> _Waiting | None:
        oldest = None
        for one in self._waiting:
            if one.admitted.done():
                continue  # cancelled a moment ago
            if one.source.ended:
                return one
            oldest = oldest or one
        return oldest if self._free > self._reserved else None

    def _tell_soon(self) -> None:
        """Once, however many leave now."""
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        self._telling = None
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
