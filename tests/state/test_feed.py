"""Whoever follows is told what there is, what becomes of it, and nothing twice."""

from __future__ import annotations

import asyncio

from appliance.dialogue.actions import SetTimer
from appliance.state.database import Database
from appliance.state.feed import follow
from appliance.state.timers import TimerStore
from tests.state.clocks import HandClock


async def test_a_follower_gets_a_snapshot_and_every_change() -> None:
    told: list[list[str]] = []
    clock = HandClock()
    with Database(None) as database:
        store = TimerStore(database, clock)
        store.add(SetTimer("timer", clock.now(), "egg", 60))
        end = follow(database, lambda: [timer.name for timer in store.pending()], told.append)
        assert told == [["egg"]]
        tea = await asyncio.to_thread(store.add, SetTimer("timer", clock.now(), "tea", 90))
        await asyncio.sleep(0)
        assert told[1:] == [["egg", "tea"]]
        await asyncio.to_thread(store.cancel, tea.id)
        await asyncio.to_thread(store.cancel, 0)  # changes nothing
        await asyncio.sleep(0)
        assert told[2:] == [["egg"]]
        store.add(SetTimer("timer", clock.now(), "rice", 60))
        end()
        await asyncio.sleep(0)
        assert len(told) == 3


async def test_changes_in_a_row_are_told_as_one() -> None:
    told: list[int] = []
    clock = HandClock()
    with Database(None) as database:
        store = TimerStore(database, clock)
        follow(database, lambda: len(store.pending()), told.append)
        for _ in range(5):
            store.add(SetTimer("timer", clock.now(), "egg", 60))
        await asyncio.sleep(0)
        assert told == [0, 5]
