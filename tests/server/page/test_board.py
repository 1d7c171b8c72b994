"""What followers are told of timers and lists, and what they do to them: with the real stores and a clock by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from appliance.dialogue.actions import SetTimer
from appliance.errors import ProtocolError
from appliance.server.page import messages, protocol
from appliance.server.page.board import Board
from appliance.state.database import Database
from appliance.state.feed import follow
from appliance.state.lists import ListStore
from appliance.state.timers import TimerStore
from tests.state.clocks import HandClock


class Kitchen:
    """A board, and one page that follows it."""

    def __init__(self, database: Database, tasks: asyncio.TaskGroup) -> None:
        self.clock = HandClock()
        self.timers, self.lists = TimerStore(database, self.clock), ListStore(database)
        self.board = Board(
            self.timers, self.lists, partial(follow, database), self.clock.now, self._run, tasks, rings_s=600
        )
        self.told: list[dict[str, Any]] = []
        self.refused: list[ProtocolError] = []
        self.board.follow(self, lambda text: self.told.append(json.loads(text)))

    async def _run(self, call: Callable[..., Any], *arguments: Any) -> Any:
        return call(*arguments)

    async def does(self, **fields: Any) -> dict[str, Any]:
        """A message from the page; returns the latest board."""
        message = protocol.parse(json.dumps(fields))
        assert isinstance(message, messages.ChangeTimer | messages.ChangeItem)
        self.board.change(message, self.refused.append)
        for _ in range(3):
            await asyncio.sleep(0)
        return self.told[-1]

    async def sets(self, seconds: float = 600, kind: Any = "timer", name: str = "pizza", place: str = "Kitchen") -> int:
        due = self.clock.now() + timedelta(seconds=seconds)
        timer = self.timers.add(SetTimer(kind, due, name, seconds), place=place)
        await asyncio.sleep(0)
        return timer.id

    async def rings(self, **what: Any) -> int:
        id = await self.sets(1, **what)
        self.clock.pass_s(2)
        self.timers.begin_ringing()
        await asyncio.sleep(0)
        return id


@pytest.fixture
async def kitchen() -> AsyncIterator[Kitchen]:
    with Database(None) as database:
        async with asyncio.TaskGroup() as tasks:
            yield Kitchen(database, tasks)


async def test_a_follower_is_told_what_there_is_and_where_it_was_set(kitchen: Kitchen) -> None:
    assert kitchen.told[0]["timers"] == []
    id = await kitchen.sets()
    (timer,) = kitchen.told[-1]["timers"]
    assert (timer["id"], timer["name"], timer["place"]) == (id, "pizza", "Kitchen")
    assert timer["due"] - kitchen.told[-1]["now"] == 600
    assert timer["due_local"] == "2026-03-03T15:17"


async def test_nothing_is_told_while_time_merely_passes(kitchen: Kitchen) -> None:
    await kitchen.sets()
    before = len(kitchen.told)
    kitchen.clock.pass_s(30)
    await asyncio.to_thread(kitchen.timers.cancel, 0)
    assert len(kitchen.told) == before


async def test_a_timer_is_paused_goes_on_and_is_extended(kitchen: Kitchen) -> None:
    id = await kitchen.sets()
    kitchen.clock.pass_s(100)
    (timer,) = (await kitchen.does(type="timer", timer=id, do="pause"))["timers"]
    assert (timer["paused_s"], timer["due"]) == (500, None)
    (timer,) = (await kitchen.does(type="timer", timer=id, do="extend", seconds=60))["timers"]
    assert (timer["paused_s"], timer["duration_s"]) == (560, 660)
    board = await kitchen.does(type="timer", timer=id, do="resume")
    assert board["timers"][0]["due"] - board["now"] == 560
    kitchen.clock.pass_s(560)
    assert [timer.id for timer in kitchen.timers.due()] == [id]


async def test_a_timer_shortened_by_more_than_it_has_rings_in_a_second(kitchen: Kitchen) -> None:
    id = await kitchen.sets(60)
    board = await kitchen.does(type="timer", timer=id, do="extend", seconds=-300)
    assert board["timers"][0]["due"] - board["now"] == 1


async def test_what_rings_is_stopped_for_everybody(kitchen: Kitchen) -> None:
    id = await kitchen.rings()
    assert [timer["id"] for timer in kitchen.told[-1]["ringing"]] == [id]
    assert (await kitchen.does(type="timer", timer=id, do="stop"))["ringing"] == []
    await kitchen.does(type="timer", timer=id, do="stop")
    assert kitchen.refused == [], "two people may press at once"


async def test_what_rings_is_snoozed_and_rings_again(kitchen: Kitchen) -> None:
    id = await kitchen.rings(kind="alarm", name="")
    board = await kitchen.does(type="timer", timer=id, do="snooze", seconds=300)
    (alarm,) = board["timers"]
    assert (board["ringing"], alarm["kind"], alarm["place"]) == ([], "alarm", "Kitchen")
    assert alarm["due"] - board["now"] == 300


async def test_who_comes_too_late_is_told(kitchen: Kitchen) -> None:
    id = await kitchen.sets()
    await kitchen.does(type="timer", timer=id, do="cancel")
    await kitchen.does(type="timer", timer=id, do="pause")
    assert [error.code for error in kitchen.refused] == ["gone"]


async def test_items_are_added_and_ticked_off(kitchen: Kitchen) -> None:
    await kitchen.does(type="item", list="shopping", item="milk", do="add")
    board = await kitchen.does(type="item", list="shopping", item="bread", do="add")
    assert board["lists"] == [{"name": "shopping", "items": ["milk", "bread"]}]
    board = await kitchen.does(type="item", list="shopping", item="MILK", do="remove")
    assert board["lists"] == [{"name": "shopping", "items": ["bread"]}]


async def test_who_has_left_is_told_nothing(kitchen: Kitchen) -> None:
    other: list[str] = []
    kitchen.board.follow("other", other.append)
    assert len(other) == 1
    kitchen.board.leave("other")
    await kitchen.sets()
    assert len(other) == 1
    kitchen.board.leave(kitchen)
    assert not kitchen.board.is_watched
    told = len(kitchen.told)
    await kitchen.sets(30)
    assert len(kitchen.told) == told
