"""What is durable, live: a snapshot now, and again after every change, for pages and other programs that show it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from appliance.state.database import Database

T = TypeVar("T")


def follow(database: Database, snapshot: Callable[[], T], told: Callable[[T], None]) -> Callable[[], None]:
    """Call `told` with a snapshot at once, and whenever it is another one. The returned function ends that.

    snapshot: reads the memory of repositories, as `lambda: (store.pending(), store.unheard())`. Both are called in the
    event loop that runs now, whichever thread changed something; several changes in a row may be told as one. Times to
    come are moments, so nothing is told while time merely passes.
    """
    loop = asyncio.get_running_loop()
    last = snapshot()
    scheduled = ended = False

    def look() -> None:
        nonlocal last, scheduled
        scheduled = False
        if not ended and (now := snapshot()) != last:
            last = now
            told(now)

    def changed() -> None:
        nonlocal scheduled
        if not scheduled:
            scheduled = True
            loop.call_soon_threadsafe(look)

    def end() -> None:
        nonlocal ended
        ended = True
        unlisten()

    unlisten = database.listen(changed)
    told(last)
    return end
