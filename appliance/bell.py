"""What is due, said wherever somebody is: at every page, and at the device, which rings until somebody comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from appliance.dialogue.things import Timer
from appliance.language import Language
from appliance.state.timers import TimerStore
from appliance.state.watch import Watch

Texts = Mapping[Language, str]

LATE_S = 60.0
"""Later than this, people are told when it was."""


LINGER_S = 2.0
"""In a farm each machine rings for itself as soon as it sees that something rings; what one's pages took at once must
not be over before the others have seen it."""


class Place(Protocol):
    """Where something can be said."""

    def announce(self, texts: Texts, announcement_id: str, kind: str) -> Awaitable[bool]:
        """Say it; True once somebody has it, False if nobody is there. Cancelled when that is no longer wanted."""


class Bell:
    """Rings at all places. missed: what is said of a timer that rang a while ago; announced: of one that rings now.

    tasks: visitors are told in it. run: where disk work is done. linger_s: it rings for so long at least.
    """

    def __init__(
        self,
        store: TimerStore,
        announced: Callable[[Timer], Texts],
        missed: Callable[[Timer], Texts],
        tasks: asyncio.TaskGroup,
        run: Callable[..., Awaitable[object]],
        *,
        linger_s: float = 0.0,
    ) -> None:
        self.places: list[Place] = []
        """Where it is said."""
        self.ringers: list[Place] = []
        """Where it rings besides, until somebody stops it there: then everywhere."""
        self._store, self._announced, self._missed, self._tasks, self._run = store, announced, missed, tasks, run
        self._linger_s = linger_s
        self.watch = Watch(store, self._ring, run)

    def greet(self, place: Place) -> None:
        """Somebody has come: they are told what nobody has heard."""

        async def take(timer: Timer) -> bool:
            if self._store.late_s(timer) < LATE_S:
                return await place.announce(self._announced(timer), _id(timer), timer.kind)
            return await place.announce(self._missed(timer), _id(timer), "notice")

        if self._store.unheard():
            self._tasks.create_task(self.watch.tell(take))

    async def _ring(self, timer: Timer) -> bool:
        texts = self._announced(timer)

        async def until_stopped(place: Place) -> bool:
            stopped = await place.announce(texts, _id(timer), timer.kind)
            if stopped:
                await self._run(self._store.heard, timer.id)
            return stopped

        said = (place.announce(texts, _id(timer), timer.kind) for place in self.places)
        taken = any(await asyncio.gather(*said, *map(until_stopped, self.ringers)))
        if taken and self._linger_s:
            await asyncio.sleep(self._linger_s)
        return taken


def _id(timer: Timer) -> str:
    return f"timer-{timer.id}"
