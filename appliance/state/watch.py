"""Rings what is due."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from appliance.dialogue.types import Timer
from appliance.state.timers import TimerStore

log = logging.getLogger(__name__)

FORGIVEN_S = 600
"""What rang while the device was off is made up for if it is less overdue than this, else dropped."""
LONGEST_WAIT_S = 10
"""How long until a change of the clock is noticed while something is pending."""


async def watch(
    store: TimerStore, ring: Callable[[Timer], Awaitable[None]],
    run: Callable[..., Awaitable[object]] = asyncio.to_thread,
) -> None:
    """Call `ring` for each timer when it is due, one after the other, until cancelled.

    A timer is deleted once `ring` has returned: after a crash it rings again rather than never. What is overdue by
    more than FORGIVEN_S is dropped with a line in the log. run: where disk work is done.
    """
    loop, changed = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        loop.call_soon_threadsafe(changed.set)

    unlisten = store.database.listen(wake)
    try:
        while True:
            changed.clear()
            for timer in store.due():
                await _ring(store, timer, ring)
                await run(store.cancel, timer.id)
                changed.clear()
            await run(store.follow_clock)
            await store.clock.wait(changed, _until_next_s(store))
    finally:
        unlisten()


async def _ring(store: TimerStore, timer: Timer, ring: Callable[[Timer], Awaitable[None]]) -> None:
    late_s = store.clock.now().timestamp() - timer.due.timestamp()
    if late_s > FORGIVEN_S:
        log.warning("%s %d was due %.0f minutes ago: dropped", timer.kind, timer.id, late_s / 60)
        return
    try:
        await ring(timer)
    except Exception:
        log.exception("%s %d could not ring", timer.kind, timer.id)


def _until_next_s(store: TimerStore) -> float | None:
    timers = store.pending()
    if not timers:
        return None
    left_s = timers[0].due.timestamp() - store.clock.now().timestamp()
    return min(max(left_s, 0.0), LONGEST_WAIT_S)
