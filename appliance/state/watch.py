"""Rings what is due, until somebody has heard it; tells it to whoever comes next if nobody was there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from appliance.dialogue.things import Timer
from appliance.state.timers import RINGS_S, TimerStore

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 10
"""How long until a change of the clock is noticed while something is pending."""

Ring = Callable[[Timer], Awaitable[bool]]
"""Ring for a timer; True once somebody has heard it, False if nobody has. Cancelled when it was heard elsewhere."""


class Watch:
    """What rings at the moment. run: where disk work is done, a worker thread."""

    def __init__(
        self, store: TimerStore, ring: Ring, run: Callable[..., Awaitable[object]] = asyncio.to_thread
    ) -> None:
        self._store, self._ring, self._run = store, ring, run
        self._ringing: dict[int, asyncio.Task[None]] = {}
        self._known: set[int] = set()
        self._told: set[int] = set()

    async def watch(self) -> None:
        """Ring for each timer when it is due, until cancelled. No error of a disk or a bell ends it."""
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(changed.set)

        unlisten = self._store.database.listen(wake)
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._run(self._store.begin_ringing)
                while True:
                    changed.clear()
                    if self._store.due():
                        await self._run(self._store.begin_ringing)
                    self._follow(tasks)
                    await self._run(self._store.follow_clock)
                    await self._store.clock.wait(changed, self._until_next_s())
        finally:
            unlisten()

    async def tell(self, take: Ring) -> None:
        """Somebody has come: tell them what nobody has heard. take: as Ring, for this somebody alone."""
        for timer in self._store.unheard():
            if not await take(timer):
                return
            if timer.id in self._ringing:
                self._told.add(timer.id)  # it rings on elsewhere, but somebody knows
            else:
                await self._run(self._store.heard, timer.id)

    def _follow(self, tasks: asyncio.TaskGroup) -> None:
        """Begin to ring for what is new, stop for what was heard or cancelled meanwhile."""
        unheard = {timer.id: timer for timer in self._store.unheard()}
        for id in self._ringing.keys() - unheard.keys():
            self._ringing.pop(id).cancel()
        for id in unheard.keys() - self._known:
            if self._store.late_s(unheard[id]) <= RINGS_S:
                self._ringing[id] = tasks.create_task(self._ring_until_heard(unheard[id]))
            else:
                self._log_unheard(unheard[id])
        self._known = set(unheard)
        self._told &= self._known

    async def _ring_until_heard(self, timer: Timer) -> None:
        heard = False
        try:
            heard = await self._ring(timer)
        except Exception:
            log.exception("%s %d could not ring", timer.kind, timer.id)
        if self._ringing.pop(timer.id, None) is None:
            return  # it was heard elsewhere in the same moment
        if heard or timer.id in self._told:
            await self._run(self._store.heard, timer.id)
        else:
            self._log_unheard(timer)

    @staticmethod
    def _log_unheard(timer: Timer) -> None:
        log.warning(
            "%s %d, due at %s, was heard by nobody: the next visitor is told",
            timer.kind,
            timer.id,
            timer.due.strftime("%Y-%m-%d %H:%M:%S"),
        )

    def _until_next_s(self) -> float | None:
        timers = self._store.pending()
        if not timers:
            return None
        left_s = timers[0].due.timestamp() - self._store.clock.now().timestamp()
        return min(max(left_s, 0.0), LONGEST_WAIT_S)
