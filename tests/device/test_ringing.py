from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from appliance.device.ringing import Ringing
from appliance.turns import Announcement

PIZZA = Announcement("1", "en", "Pizza", "timer")
TEA = Announcement("2", "en", "Tea", "timer")


class Bell:
    def __init__(self) -> None:
        self.heard: list[str] = []
        self.changes = 0
        self.ringing: Ringing

    async def tone(self) -> None:
        self.heard.append("tone")
        await asyncio.sleep(0)

    async def say(self, announcement: Announcement) -> None:
        self.heard.append(announcement.text)
        await asyncio.sleep(0)

    def changed(self) -> None:
        self.changes += 1

    async def rings(self, count: int) -> None:
        while len(self.heard) < count:  # noqa: ASYNC110 - a test watches from outside
            await asyncio.sleep(0)


@asynccontextmanager
async def bell() -> AsyncIterator[Bell]:
    bell = Bell()
    async with asyncio.TaskGroup() as tasks:
        bell.ringing = Ringing(tasks, bell.tone, bell.say, bell.changed)
        yield bell
        bell.ringing.stop()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.device.ringing.PAUSE_S", 0.001)


async def test_it_rings_again_and_again_until_stopped() -> None:
    async with bell() as one:
        rings = one.ringing.ring(PIZZA)
        await one.rings(6)
        assert one.heard[:6] == ["tone", "Pizza"] * 3
        assert one.ringing.stop()
        assert await rings, "somebody was there"
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}, "nothing is left that could ring"
        assert (bool(one.ringing), one.ringing.stop(), one.changes) == (False, False, 2)


async def test_what_rings_at_once_is_said_one_after_the_other() -> None:
    async with bell() as one:
        one.ringing.ring(PIZZA)
        one.ringing.ring(TEA)
        one.ringing.ring(PIZZA)
        await one.rings(6)
        assert one.heard[:6] == ["tone", "Pizza", "Tea"] * 2


async def test_it_gives_up_when_nobody_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.device.ringing.RING_S", 0.02)
    async with bell() as one:
        async with asyncio.timeout(5):
            assert not await one.ringing.ring(PIZZA)
        assert one.heard[:2] == ["tone", "Pizza"]
        assert one.changes == 2


async def test_one_that_was_heard_elsewhere_stops_and_the_other_rings_on() -> None:
    async with bell() as one:
        pizza, tea = one.ringing.ring(PIZZA), one.ringing.ring(TEA)
        assert one.ringing.ring(PIZZA) is pizza
        await one.rings(3)
        pizza.cancel()
        await asyncio.sleep(0)
        one.heard.clear()
        await one.rings(4)
        assert "Pizza" not in one.heard[1:]
        tea.cancel()
        await asyncio.sleep(0)
        assert not one.ringing


async def test_a_device_that_stops_was_not_heard() -> None:
    async with bell() as one:
        rings = one.ringing.ring(PIZZA)
        one.ringing.stop(heard=False)
        assert not await rings


async def test_it_can_ring_anew() -> None:
    async with bell() as one:
        one.ringing.ring(PIZZA)
        await one.rings(2)
        one.ringing.stop()
        one.heard.clear()
        one.ringing.ring(TEA)
        await one.rings(2)
        assert one.heard[:2] == ["tone", "Tea"]
