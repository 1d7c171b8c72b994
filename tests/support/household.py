"""A house that is talked to by typing: the real dialogue, performers and sessions; only sound is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from appliance import turns
from appliance.config import PlaceConfig
from appliance.deeds import Deeds
from appliance.dialogue.dialogue import Dialogue, Helper
from appliance.dialogue.families.system.skill import PAIRING
from appliance.dialogue.performers import speech_of
from appliance.dialogue.understanding import Understands
from appliance.errors import ModelError
from appliance.facts import Facts, Voices
from appliance.language import Language
from appliance.models.choose import Choice
from appliance.server.pairing import Pairing
from appliance.session import Session
from appliance.sessions import Sessions
from appliance.state.database import Database
from appliance.state.stores import Stores
from appliance.state.timers import TimerStore
from tests.state.clocks import HandClock
from tests.support.faculties import FakeSink, willing

VOICES: Voices = {
    "en": {
        "joe": Choice(Path("joe"), "en_US-joe-medium", "", "piper"),
        "pico": Choice(Path("p"), "pico-en-US", "", "pico"),
    },
    "de": {"pico": Choice(Path("p"), "pico-de-DE", "", "pico")},
}


class Person:
    """Somebody at a place who types."""

    def __init__(self, session: Session, name: str) -> None:
        self.session, self.name = session, name
        self.events: list[turns.Event] = []
        self.sink = FakeSink()
        session.attach(self, self.sink)

    def tell(self, event: turns.Event) -> None:
        self.events.append(event)

    def displaced(self) -> None:
        raise AssertionError("nobody else is here")

    async def ask(self, text: str, language: Language | None = None) -> str:
        """Ask, and return the answer."""
        id = self.session.text(text, language=language)
        await self.session.settled()
        return next(each.text for each in self.events if isinstance(each, turns.Answered) and each.id == id)

    def said(self) -> list[str]:
        """What was announced here."""
        return [event.text for event in self.events if isinstance(event, turns.Announced)]


class FakeDevice:
    """The device as far as deeds reach it (device/local.py)."""

    called = "the device"

    def __init__(self, session: Session) -> None:
        self.session, self.muted = session, False
        self.wake_words: tuple[str, ...] = ()
        self.usual_words, self.waking = ("okay_nabu",), self
        self.is_able = True
        """Wake words are installed."""
        self.announced: list[Mapping[Language, str]] = []

    async def choose(self, words: Sequence[str]) -> None:
        if not self.is_able:
            raise ModelError("pip install 'stimme[wake]'")
        self.wake_words = tuple(words)

    def set_muted(self, muted: bool, *, aloud: bool = True) -> None:
        self.muted = muted

    async def announce(self, texts: Mapping[Language, str], announcement_id: str, kind: str) -> bool:
        self.announced.append(texts)
        return True


class FakePeople:
    """Pages that are open (server/page/people.py)."""

    def __init__(self) -> None:
        self.persons: list[Person] = []

    def others(self, memory: object) -> tuple[str, ...]:
        return tuple(person.name for person in self.persons if person.session.memory is not memory)

    async def announce(
        self, texts: Mapping[Language, str], id: str, kind: str, *, to: object = (), but: object = None
    ) -> bool:
        for person in self.persons:
            if person.session.memory is not but and (not to or person.name in to):  # type: ignore[operator]
                language, text = next(iter(texts.items()))
                person.session.announce(turns.Announcement(id, language, text))
        return True


class House:
    """Everything a test may look at."""

    def __init__(self, understanding: Understands, tasks: asyncio.TaskGroup, database: Database, **more: Any) -> None:
        self.clock, self.bus_calls, self.bus_says = HandClock(), list[tuple[str, ...]](), 's "yes"\n'
        self.slept: list[float] = []
        self.awake = asyncio.Event()
        timers = TimerStore(database, self.clock)
        self.stores = Stores.beside(timers)
        self.facts = Facts(PlaceConfig(), VOICES, Path("/"))
        self.deeds = Deeds(
            _at_once, has_device=True, is_appliance=more.pop("is_appliance", True), later=self._later, bus=self._bus
        )
        self.fake = willing()
        helpers: dict[str, Helper] = {PAIRING: self.deeds.code, **more.pop("helpers", {})}
        self.dialogue = Dialogue(
            understanding,
            timers,
            stores=self.stores,
            run=_at_once,
            device=self.facts,
            voices=VOICES,
            helpers=helpers,
            more_performers={**self.deeds.performers, **more.pop("more_performers", {})},
            random=Random(0),
            **more,
        )
        self.sessions = Sessions(
            replace(self.fake.all(), mind=self.dialogue),
            tasks,
            language="en",
            max_audio_duration_s=10,
            recall=partial(speech_of, self.stores),
        )
        self.people, self.pairing = FakePeople(), Pairing(digits=lambda: 123456)
        self.device = FakeDevice(self.sessions.open("device"))
        self.device.session.memory.may_configure = True
        self.deeds.tasks, self.deeds.pairing = tasks, self.pairing
        self.deeds.people, self.deeds.device = self.people, self.device  # type: ignore[assignment]
        self.facts.rooms, self.facts.fingerprint = self.deeds.rooms, ("alpha", "gecko", "oval", "zebra")

    def enters(self, name: str, *, may_configure: bool = True) -> Person:
        person = Person(self.sessions.open(name), name)
        person.session.memory.may_configure = may_configure
        self.people.persons.append(person)
        return person

    async def _later(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self.awake.wait()

    def _bus(self, *call: str) -> str:
        self.bus_calls.append(call)
        return self.bus_says


@asynccontextmanager
async def house(understanding: Understands, **more: Any) -> AsyncIterator[House]:
    """A house over an empty database. more: for the Dialogue; is_appliance: the device is all its own."""
    with Database(None) as database:
        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            house = House(understanding, tasks, database, **more)
            yield house
            house.awake.set()


async def _at_once(function: Any, /, *args: Any) -> Any:
    await asyncio.sleep(0)
    return function(*args)
