"""What rings at several places is stopped at one of them for all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from appliance.bell import Bell, Texts
from appliance.dialogue.actions import SetTimer
from appliance.state.database import Database
from appliance.state.timers import TimerStore
from tests.state.clocks import HandClock


class Room:
    """Rings until `stops` is set, or until it is cancelled."""

    def __init__(self) -> None:
        self.began, self.stops, self.silenced = asyncio.Event(), asyncio.Event(), False

    async def announce(self, texts: Texts, announcement_id: str, kind: str) -> bool:
        self.began.set()
        try:
            await self.stops.wait()
        except asyncio.CancelledError:
            self.silenced = True
            raise
        return True


async def at_once(call: Callable[..., object], *arguments: Any) -> object:
    return call(*arguments)


def texts(_: object) -> Texts:
    return {"en": "Time is up.", "de": "Die Zeit ist um."}


async def test_who_stops_it_at_the_device_stops_it_at_every_page() -> None:
    page, device, clock = Room(), Room(), HandClock()
    with Database(None) as database:
        store = TimerStore(database, clock)
        store.add(SetTimer("timer", clock.now() + timedelta(seconds=5), "egg", 5))
        async with asyncio.TaskGroup() as tasks:
            bell = Bell(store, texts, texts, tasks, at_once)
            bell.places.append(page)
            bell.ringers.append(device)
            watching = tasks.create_task(bell.watch.watch())
            await device.began.wait()
            device.stops.set()
            while not page.silenced:  # noqa: ASYNC110 - turns of the loop, no time
                await asyncio.sleep(0)
            assert store.unheard() == ()
            watching.cancel()
