""" "Stop" alone silences what sounds, and only then; the device's own words do not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from appliance.device.stopping import LISTENS_S, Stopping
from tests.support.faculties import FakeFaculties, willing
from tests.support.patience import rounds


class Ears(FakeFaculties):
    """Hears whole words."""

    async def transcribe(self, source, language, *, on_partial, **more):  # type: ignore[no-untyped-def]
        heard = b""
        self.listened = getattr(self, "listened", 0) + 1
        while pcm := await source.read():
            heard += pcm
            on_partial(heard.decode().replace("\0", " ").strip())


class Room:
    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self.ears, self.sounds, self.says, self.stops = Ears(), True, "", 0
        self.stopping = Stopping(
            self.ears,
            tasks,
            is_sounding=lambda: self.sounds,
            says=lambda: self.says,
            stop=self.stop,
            language=lambda: "en",
        )

    def stop(self) -> None:
        self.stops += 1
        self.sounds = False

    async def hear(self, words: str) -> None:
        self.stopping.overhear(words.encode().ljust(3200, b"\0"))
        await rounds()


@asynccontextmanager
async def room() -> AsyncIterator[Room]:
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        here = Room(tasks)
        yield here
        here.stopping.end()


async def test_stop_silences_what_sounds_once() -> None:
    async with room() as here:
        await here.hear("it is seven oh")
        assert here.stops == 0
        await here.hear("stop")
        await here.hear("stop")
        assert here.stops == 1


async def test_nobody_listens_while_nothing_sounds() -> None:
    async with room() as here:
        here.sounds = False
        await here.hear("stop")
        assert here.stops == 0 and not hasattr(here.ears, "listened")


@pytest.mark.parametrize(("says", "stops"), [("I will stop the timer.", 0), ("Stop! Hammer time.", 0), ("Okay.", 1)])
async def test_what_the_device_says_itself_does_not_stop_it(says: str, stops: int) -> None:
    async with room() as here:
        here.says = says
        await here.hear("stop")
        assert here.stops == stops


async def test_an_hour_of_sound_does_not_grow() -> None:
    async with room() as here:
        for _ in range(round(3 * LISTENS_S / 0.1)):
            here.stopping.overhear(bytes(3200))
        await rounds()
        assert here.stopping._sound is not None and here.stopping._sound.samples <= LISTENS_S * 16_000
        assert here.stops == 0 and not willing().forgotten
