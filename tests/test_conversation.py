"""Turn-taking with fake faculties: order, barge-in, cancelling, failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from appliance import turns
from appliance.audio.pcm import Recording
from appliance.conversation import Conversation
from appliance.dialogue.types import Memory
from tests.support.faculties import FakeFaculties, FakeSink, willing


class Talk:
    """One conversation and everything it told."""

    def __init__(self, fake: FakeFaculties, tasks: asyncio.TaskGroup) -> None:
        self.events: list[turns.Event] = []
        self.sink = FakeSink()
        self.conversation = Conversation(fake.all(), tasks, Memory(), self.sink)

    def begin(self, request: turns.Request) -> asyncio.Task[None]:
        return self.conversation.begin(request, self.events.append)

    def say(self, id: str, text: str) -> asyncio.Task[None]:
        return self.begin(turns.Spoken(id, "en", Recording(text.encode(), 1000)))

    def kinds(self, id: str) -> list[str]:
        return [type(event).__name__ for event in self.events if getattr(event, "id", None) == id]

    async def until(self, kind: type, id: str) -> None:
        while not any(isinstance(e, kind) and getattr(e, "id", "") == id for e in self.events):  # noqa: ASYNC110
            await asyncio.sleep(0)  # one step of the tasks under test


@asynccontextmanager
async def talk(fake: FakeFaculties) -> AsyncIterator[Talk]:
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        yield Talk(fake, tasks)


async def test_a_spoken_turn_is_heard_answered_and_spoken_in_that_order() -> None:
    async with talk(willing()) as person:
        await person.say("1", "what time")
    assert person.kinds("1") == ["PartialHeard", "FinalHeard", "Answered", "SpeechStarted", "SpeechEnded"]
    assert person.sink.heard == ["flush"] + ["sound"] * 10 + ["drained"]


async def test_the_times_of_all_stages_are_told() -> None:
    async with talk(willing()) as person:
        await person.say("1", "what time")
    ended = person.events[-1]
    assert isinstance(ended, turns.SpeechEnded)
    assert list(ended.timings) == ["recognition_ms", "understanding_ms", "skill_ms", "first_audio_ms", "synthesis_ms"]
    assert ended.audio_s == 1000 / 16_000


async def test_barge_in_silences_before_anything_else_and_answers_the_new_turn() -> None:
    fake = willing()
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
    fake = willing()
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
    fake = willing()
    fake.hearing.clear()
    async with talk(fake) as person:
        task = person.say("1", "never mind")
        await person.until(turns.PartialHeard, "1")
        task.cancel()
        person.begin(turns.Typed("2", "en", "hello"))
    assert fake.forgotten == ["never mind"]
    assert person.kinds("1") == ["PartialHeard"]
    assert person.kinds("2") == ["Answered", "SpeechStarted", "SpeechEnded"]


async def test_a_bug_in_one_turn_is_told_and_the_next_turn_works() -> None:
    async with talk(willing(breaks_on="boom")) as person:
        await person.begin(turns.Typed("1", "en", "boom"))
        await person.begin(turns.Typed("2", "en", "hello"))
    assert person.kinds("1") == ["Failed"]
    assert person.kinds("2")[0] == "Answered"


async def test_a_missing_voice_still_gives_the_text() -> None:
    async with talk(willing()) as person:
        await person.begin(turns.Typed("1", "en", "mute"))
    assert person.kinds("1") == ["Answered", "SpeechStarted", "Failed", "SpeechEnded"]


async def test_an_announcement_waits_for_the_reply_being_spoken() -> None:
    fake = willing()
    fake.speaking.clear()
    async with talk(fake) as person:
        person.say("1", "long")
        await person.until(turns.SpeechStarted, "1")
        person.begin(turns.Announcement("a", "en", "The timer is done", "timer"))
        fake.speaking.set()
    ids = [getattr(event, "id", "") for event in person.events]
    assert ids == sorted(ids)  # everything of "1" comes before everything of "a"
    assert person.kinds("a") == ["Announced", "SpeechStarted", "SpeechEnded"]


async def test_a_person_who_wants_no_sound_gets_the_text_and_no_word_of_speech() -> None:
    async with talk(willing()) as person:
        person.conversation.sink = None
        await person.begin(turns.Typed("1", "en", "hello"))
        await person.begin(turns.Announcement("a", "en", "Time is up", "timer"))
        await person.begin(turns.Again("1", "en", "You said hello", {}))
    assert person.kinds("1") == ["Answered"]
    assert person.kinds("a") == ["Announced"]
    assert person.sink.heard == []


async def test_whoever_waits_for_a_recognizer_is_told_their_place() -> None:
    fake = willing()
    fake.queued = True
    async with talk(fake) as person:
        await person.say("1", "what time")
    assert person.events[0] == turns.Queued("1", 1)
    assert person.kinds("1")[1:3] == ["PartialHeard", "FinalHeard"]


async def test_an_answer_said_again_is_only_spoken() -> None:
    async with talk(willing()) as person:
        await person.begin(turns.Again("1", "en", "Three o'clock", {"skill_ms": 1.0}))
    assert person.kinds("1") == ["SpeechStarted", "SpeechEnded"]
    ended = person.events[-1]
    assert isinstance(ended, turns.SpeechEnded)
    assert list(ended.timings) == ["skill_ms", "first_audio_ms", "synthesis_ms"]


async def test_a_turn_that_was_overtaken_and_is_wanted_again_is_spoken() -> None:
    fake = willing()
    fake.thinking.clear()
    async with talk(fake) as person:
        request = turns.Typed("1", "en", "first")
        person.begin(request)
        person.conversation.interrupt()
        person.conversation.favour(request)
        fake.thinking.set()
    assert person.kinds("1") == ["Answered", "SpeechStarted", "SpeechEnded"]


async def test_a_bug_in_the_voice_costs_that_speech_and_the_next_turn_works() -> None:
    async with talk(willing()) as person:
        await person.begin(turns.Typed("1", "en", "stutter"))
        await person.begin(turns.Typed("2", "en", "hello"))
    assert person.kinds("1") == ["Answered", "SpeechStarted", "Failed", "SpeechEnded"]
    assert person.kinds("2")[-1] == "SpeechEnded"


async def test_the_volume_and_silence_are_told_after_the_answer_and_before_the_speech() -> None:
    async with talk(willing()) as person:
        await person.begin(turns.Typed("1", "en", "stop"))
        await person.begin(turns.Typed("2", "en", "quiet"))
    assert person.kinds("1") == ["Answered", "Silenced", "SpeechStarted", "SpeechEnded"]
    assert [type(event).__name__ for event in person.events[4:6]] == ["Answered", "VolumeChanged"]


async def test_it_is_settled_once_nothing_is_under_way() -> None:
    fake = willing()
    fake.thinking.clear()
    async with talk(fake) as person:
        assert await person.conversation.settled()
        person.begin(turns.Typed("1", "en", "hello"))
        assert not await person.conversation.settled(0)
        fake.thinking.set()
        assert await person.conversation.settled()
        assert person.conversation.open_turns == 0


async def test_a_sink_that_takes_nothing_holds_up_only_its_own_reply_and_barge_in_frees_it() -> None:
    async with talk(willing()) as person, talk(willing()) as other:
        person.sink.stalled = asyncio.Event()
        person.begin(turns.Typed("1", "en", "long"))
        await person.until(turns.SpeechStarted, "1")
        await other.begin(turns.Typed("1", "en", "hello"))
        assert other.kinds("1")[-1] == "SpeechEnded"
        assert "SpeechEnded" not in person.kinds("1")
        person.sink.stalled = None
        await person.begin(turns.Typed("2", "en", "new"))
    ended = [event for event in person.events if isinstance(event, turns.SpeechEnded)]
    assert [(event.id, event.interrupted) for event in ended] == [("1", True), ("2", False)]
