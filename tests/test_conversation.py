"""Turn-taking with fake faculties: order, barge-in, cancelling, failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from appliance import turns
from appliance.audio.pcm import Recording, Source
from appliance.conversation import Conversation, Faculties
from appliance.dialogue.types import Intent, Memory, Reply
from appliance.errors import ModelError
from appliance.hearing.transcript import Final
from appliance.language import Language


@dataclass
class FakeAnswer:
    reply: Reply
    intent: Intent
    understanding_ms: float = 2.0
    skill_ms: float = 1.0


@dataclass
class FakeFaculties:
    """Ears that hear what the gate lets through, a mind that repeats, a mouth that speaks ten chunks."""

    hearing: asyncio.Event = field(default_factory=asyncio.Event)
    speaking: asyncio.Event = field(default_factory=asyncio.Event)
    forgotten: list[str] = field(default_factory=list)
    breaks_on: str = ""

    async def transcribe(
        self, source: Source, language: Language, *, on_partial: Callable[[str], None],
        on_place: Callable[[int], None] | None = None,
    ) -> Final:
        text = (await source.read()).decode()
        try:
            on_partial(text[:3])
            await self.hearing.wait()
        except asyncio.CancelledError:
            self.forgotten.append(text)
            raise
        return Final(text, (), 1.0, 1.0, 1.0)

    async def answer(self, text: str, language: Language, memory: Memory) -> FakeAnswer:
        if text == self.breaks_on:
            raise RuntimeError("a bug in a skill")
        return FakeAnswer(Reply(f"You said {text}", language), Intent("Echo", text, language))

    async def speak(self, text: str, language: Language, *, rate: int) -> AsyncGenerator[bytes, None]:
        if text == "You said mute":
            raise ModelError("no voice")
        for _ in range(10):
            yield b"\1\0" * 100
            await self.speaking.wait()


class FakeSink:
    rate = 16_000

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def write(self, pcm: bytes) -> None:
        self.heard.append("sound")

    async def drain(self) -> None:
        self.heard.append("drained")

    def flush(self) -> None:
        self.heard.append("flush")


class Talk:
    """One conversation and everything it told."""

    def __init__(self, fake: FakeFaculties, tasks: asyncio.TaskGroup) -> None:
        self.events: list[turns.Event] = []
        self.sink = FakeSink()
        self.conversation = Conversation(Faculties(fake, fake, fake), self.sink, self.events.append, tasks)

    def say(self, id: str, text: str) -> asyncio.Task[None]:
        return self.conversation.begin(turns.Spoken(id, "en", Recording(text.encode(), 1000)))

    def kinds(self, id: str) -> list[str]:
        return [type(event).__name__ for event in self.events if getattr(event, "id", None) == id]

    async def until(self, kind: type, id: str) -> None:
        while not any(isinstance(e, kind) and getattr(e, "id", "") == id for e in self.events):  # noqa: ASYNC110
            await asyncio.sleep(0)  # one step of the tasks under test


@asynccontextmanager
async def talk(fake: FakeFaculties) -> AsyncIterator[Talk]:
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        yield Talk(fake, tasks)


def open_faculties(breaks_on: str = "") -> FakeFaculties:
    fake = FakeFaculties(breaks_on=breaks_on)
    fake.hearing.set()
    fake.speaking.set()
    return fake


async def test_a_spoken_turn_is_heard_answered_and_spoken_in_that_order() -> None:
    async with talk(open_faculties()) as person:
        await person.say("1", "what time")
    assert person.kinds("1") == ["PartialHeard", "FinalHeard", "Answered", "SpeechStarted", "SpeechEnded"]
    assert person.sink.heard == ["flush"] + ["sound"] * 10 + ["drained"]


async def test_the_times_of_all_stages_are_told() -> None:
    async with talk(open_faculties()) as person:
        await person.say("1", "what time")
    ended = person.events[-1]
    assert isinstance(ended, turns.SpeechEnded)
    assert list(ended.timings) == ["recognition_ms", "understanding_ms", "skill_ms", "first_audio_ms", "synthesis_ms"]
    assert ended.audio_s == 1000 / 16_000


async def test_barge_in_silences_before_anything_else_and_answers_the_new_turn() -> None:
    fake = open_faculties()
    fake.speaking.clear()
    async with talk(fake) as person:
        person.say("1", "long")
        await person.until(turns.SpeechStarted, "1")
        await asyncio.sleep(0)
        count = len(person.events)
        person.say("2", "new")
        assert person.sink.heard[-1] == "flush"
        told = person.events[count]
        assert isinstance(told, turns.SpeechEnded) and told.interrupted and told.id == "1"
        fake.speaking.set()
    assert person.kinds("2")[-1] == "SpeechEnded"
    assert person.kinds("1").count("SpeechEnded") == 1


async def test_speech_of_a_turn_that_something_newer_overtook_is_answered_but_not_spoken() -> None:
    fake = open_faculties()
    fake.hearing.clear()
    async with talk(fake) as person:
        person.say("1", "first")
        await person.until(turns.PartialHeard, "1")
        person.say("2", "second")
        await person.until(turns.PartialHeard, "2")
        fake.hearing.set()
    assert person.kinds("1") == ["PartialHeard", "FinalHeard", "Answered", "SpeechEnded"]
    assert person.kinds("2")[-2:] == ["SpeechStarted", "SpeechEnded"]
    answers = [event.id for event in person.events if isinstance(event, turns.Answered)]
    assert answers == ["1", "2"]


async def test_a_cancelled_utterance_is_forgotten_and_the_next_turn_works() -> None:
    fake = open_faculties()
    fake.hearing.clear()
    async with talk(fake) as person:
        task = person.say("1", "never mind")
        await person.until(turns.PartialHeard, "1")
        task.cancel()
        person.conversation.begin(turns.Typed("2", "en", "hello"))
    assert fake.forgotten == ["never mind"]
    assert person.kinds("1") == ["PartialHeard"]
    assert person.kinds("2") == ["Answered", "SpeechStarted", "SpeechEnded"]


async def test_a_bug_in_one_turn_is_told_and_the_next_turn_works() -> None:
    async with talk(open_faculties(breaks_on="boom")) as person:
        await person.conversation.begin(turns.Typed("1", "en", "boom"))
        await person.conversation.begin(turns.Typed("2", "en", "hello"))
    assert person.kinds("1") == ["Failed"]
    assert person.kinds("2")[0] == "Answered"


async def test_a_missing_voice_still_gives_the_text() -> None:
    async with talk(open_faculties()) as person:
        await person.conversation.begin(turns.Typed("1", "en", "mute"))
    assert person.kinds("1") == ["Answered", "SpeechStarted", "Failed", "SpeechEnded"]


async def test_an_announcement_waits_for_the_reply_being_spoken() -> None:
    fake = open_faculties()
    fake.speaking.clear()
    async with talk(fake) as person:
        person.say("1", "long")
        await person.until(turns.SpeechStarted, "1")
        person.conversation.begin(turns.Announcement("a", "en", "The timer is done", "timer"))
        fake.speaking.set()
    ids = [getattr(event, "id", "") for event in person.events]
    assert ids == sorted(ids)  # everything of "1" comes before everything of "a"
    assert person.kinds("a") == ["Announced", "SpeechStarted", "SpeechEnded"]
