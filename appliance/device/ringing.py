"""A timer or alarm that rings: tone and announcement, again and again, until somebody stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from appliance.turns import Announcement

RING_S = 60.0
"""Nobody may be at home."""

PAUSE_S = 1.5


class Ringing:
    """Everything that rings at the moment, one after the other, in one task of `tasks`.

    tone: plays the alarm, and returns when it was heard. say: speaks an announcement, likewise. on_change: called
    when ringing begins and ends.
    """

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        tone: Callable[[], Awaitable[None]],
        say: Callable[[Announcement], Awaitable[None]],
        on_change: Callable[[], None],
    ) -> None:
        self._tasks, self._tone, self._say, self._on_change = tasks, tone, say, on_change
        self._announcements: dict[str, Announcement] = {}
        self._heard: dict[str, asyncio.Future[bool]] = {}
        self._task: asyncio.Task[None] | None = None

    def __bool__(self) -> bool:
        return bool(self._announcements)

    def ring(self, announcement: Announcement) -> asyncio.Future[bool]:
        """Ring for one more; for the same one again only once.

        Returns whether somebody has stopped it (True) or nobody came (False). Cancelling that stops this one.
        """
        id = announcement.id
        self._announcements[id] = announcement
        if id not in self._heard:
            future = self._heard[id] = asyncio.get_running_loop().create_future()
            future.add_done_callback(lambda future: self._forget(id, future) if future.cancelled() else None)
        if self._task is None:
            self._task = self._tasks.create_task(self._ring())
            self._on_change()
        return self._heard[id]

    def stop(self, *, heard: bool = True) -> bool:
        """Stop everything that rings; False if nothing did. What is being said is the caller's to silence.

        heard: somebody is there who wants it quiet.
        """
        if self._task is None:
            return False
        self._task.cancel()
        self._end(heard)
        return True

    def _forget(self, id: str, future: asyncio.Future[bool]) -> None:
        """This one has been heard elsewhere."""
        if self._heard.get(id) is future:
            del self._heard[id], self._announcements[id]
            if not self._announcements:
                self.stop()

    async def _ring(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + RING_S
        while loop.time() < deadline:
            await self._tone()
            for announcement in tuple(self._announcements.values()):
                await self._say(announcement)
            await asyncio.sleep(PAUSE_S)
        self._end(heard=False)

    def _end(self, heard: bool) -> None:
        self._announcements.clear()
        futures, self._heard = self._heard, {}
        for future in futures.values():
            if not future.done():
                future.set_result(heard)
        self._task = None
        self._on_change()
