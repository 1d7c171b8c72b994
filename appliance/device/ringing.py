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
        self, tasks: asyncio.TaskGroup, tone: Callable[[], Awaitable[None]],
        say: Callable[[Announcement], Awaitable[None]], on_change: Callable[[], None],
    ) -> None:
        self._tasks, self._tone, self._say, self._on_change = tasks, tone, say, on_change
        self._announcements: dict[str, Announcement] = {}
        self._task: asyncio.Task[None] | None = None

    def __bool__(self) -> bool:
        return bool(self._announcements)

    def ring(self, announcement: Announcement) -> None:
        """Ring for one more; for the same one again only once."""
        self._announcements[announcement.id] = announcement
        if self._task is None:
            self._task = self._tasks.create_task(self._ring())
            self._on_change()

    def stop(self) -> bool:
        """Stop everything that rings; False if nothing did. What is being said is the caller's to silence."""
        if self._task is None:
            return False
        self._task.cancel()
        self._end()
        return True

    async def _ring(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + RING_S
        while loop.time() < deadline:
            await self._tone()
            for announcement in tuple(self._announcements.values()):
                await self._say(announcement)
            await asyncio.sleep(PAUSE_S)
        self._end()

    def _end(self) -> None:
        self._announcements.clear()
        self._task = None
        self._on_change()
