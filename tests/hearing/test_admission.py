"""Who gets a recognizer next, and who is told what about it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from appliance.audio.pcm import RATE
from appliance.hearing.admission import Admission


class Talk:
    """A Source that only matters for whether it has ended."""

    rate = RATE
    ended_at = 0.0

    def __init__(self, ended: bool = False) -> None:
        self.ended = ended

    async def read(self) -> bytes:
        raise AssertionError("nobody reads while waiting")


class Crowd:
    """People who want a place; `admitted` are their numbers in the order they got one."""

    def __init__(self, admission: Admission) -> None:
        self.admitted: list[int] = []
        self.places: list[list[int]] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._admission = admission

    async def come(self, talk: Talk) -> None:
        number = len(self.tasks)
        self.places.append([])
        self.tasks.append(asyncio.create_task(self._enter(talk, number)))
        await asyncio.sleep(0)

    async def _enter(self, talk: Talk, number: int) -> None:
        await self._admission.enter(talk, self.places[number].append)
        self.admitted.append(number)

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    def leave(self) -> None:
        for task in self.tasks:
            task.cancel()


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    crowd = Crowd(Admission(3, 1))
    yield crowd
    crowd.leave()


async def test_one_who_has_finished_goes_before_those_who_still_speak(crowd: Crowd) -> None:
    for ended in (False, False, False, False, True):
        await crowd.come(Talk(ended))
    assert crowd.admitted == [0, 1, 4]


async def test_the_reserve_waits_for_someone_to_finish(crowd: Crowd) -> None:
    talks = [Talk() for _ in range(4)]
    for talk in talks:
        await crowd.come(talk)
    assert crowd.admitted == [0, 1]
    talks[3].ended = True
    async with asyncio.timeout(5):
        await crowd.tasks[3]
    assert crowd.admitted == [0, 1, 3]


async def test_a_place_given_back_goes_to_whoever_began_first() -> None:
    admission = Admission(1, 0)
    crowd = Crowd(admission)
    for _ in range(3):
        await crowd.come(Talk())
    admission.leave()
    await crowd.settle()
    assert crowd.admitted == [0, 1]
    assert crowd.places == [[], [1], [2, 1]]
    crowd.leave()


async def test_one_who_was_admitted_and_cancelled_in_the_same_moment_leaves_the_place() -> None:
    admission = Admission(1, 0)
    crowd = Crowd(admission)
    for _ in range(3):
        await crowd.come(Talk())
    admission.leave()  # admits 1 …
    crowd.tasks[1].cancel()  # … who is gone before noticing
    await crowd.settle()
    assert crowd.admitted == [0, 2]
    assert admission.waiting == 0


async def test_a_long_queue_is_told_its_places_rarely() -> None:
    admission = Admission(1, 0)
    crowd = Crowd(admission)
    for _ in range(201):
        await crowd.come(Talk())
    for _ in range(200):
        admission.leave()
        await crowd.settle()
    assert crowd.admitted == list(range(201)), "first come, first served"
    assert crowd.places[200] == [200, 100, 50, 25, 12, 6, 4, 3, 2, 1]


def test_not_every_place_can_be_reserved() -> None:
    with pytest.raises(ValueError, match="2 of 2 places reserved"):
        Admission(2, 2)
