"""A turn from words to reply, with what it changes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from appliance.dialogue.actions import SetVolume, StopSpeaking
from appliance.dialogue.dialogue import Dialogue
from appliance.dialogue.families import FAMILIES
from appliance.dialogue.family import Family
from appliance.dialogue.types import Answer, Context, Intent, Memory, Reply
from appliance.dialogue.understanding import Understanding
from appliance.errors import SkillError
from appliance.language import Language
from appliance.state.database import Database
from appliance.state.timers import TimerStore
from tests.state.clocks import HandClock


@pytest.fixture
def store() -> Iterator[TimerStore]:
    with Database(None) as database:
        yield TimerStore(database, HandClock())


@pytest.fixture
def dialogue(understanding: Understanding, store: TimerStore) -> Dialogue:
    return Dialogue(understanding, store, random=Random(1))


async def said(dialogue: Dialogue, text: str, language: Language = "en", memory: Memory | None = None) -> str:
    return (await dialogue.answer(text, language, memory or Memory())).reply.text


async def test_an_answer_carries_reply_intent_and_times(dialogue: Dialogue) -> None:
    answer = await dialogue.answer("What time is it?", "en", Memory())
    assert isinstance(answer, Answer)
    assert answer.reply == Reply("It's seven minutes past three.", "en")
    assert answer.intent == Intent("HassGetCurrentTime", "What time is it?", "en")
    assert answer.understanding_ms > 0
    assert answer.skill_ms > 0


async def test_a_timer_lives_from_being_set_to_being_cancelled(dialogue: Dialogue, store: TimerStore) -> None:
    assert await said(dialogue, "set a pizza timer for ten minutes") == "Pizza timer set for ten minutes."
    assert [(timer.name, timer.duration_s) for timer in store.pending()] == [("pizza", 600)]
    assert isinstance(store.clock, HandClock)
    store.clock.pass_s(90)
    left = "The pizza timer has eight minutes and thirty seconds left."
    assert await said(dialogue, "how much time is left") == left
    left = "Okay, the pizza timer has thirteen minutes and thirty seconds left."
    assert await said(dialogue, "add five minutes to the pizza timer") == left
    assert [(timer.name, timer.duration_s) for timer in store.pending()] == [("pizza", 810)]
    assert await said(dialogue, "cancel the pizza timer") == "Pizza timer cancelled."
    assert store.pending() == ()


async def test_timers_belong_to_the_house_whatever_language_is_spoken(dialogue: Dialogue) -> None:
    await said(dialogue, "stelle einen timer auf zehn minuten", "de")
    assert await said(dialogue, "how much time is left", "en") == "Ten minutes left."


async def test_repeat_says_the_last_reply_again(dialogue: Dialogue) -> None:
    memory = Memory()
    assert await said(dialogue, "repeat that", memory=memory) == "I have not said anything yet."
    first = await said(dialogue, "tell me a joke", memory=memory)
    assert await said(dialogue, "say that again", memory=memory) == first
    assert await said(dialogue, "repeat that", memory=memory) == first


async def test_what_did_you_hear_tells_the_utterance_before(dialogue: Dialogue) -> None:
    memory = Memory()
    assert await said(dialogue, "what did you hear", memory=memory) == "I have not heard anything yet."
    await said(dialogue, "turn on the moon", memory=memory)
    assert await said(dialogue, "what did you hear", memory=memory) == "I heard: turn on the moon."
    assert await said(dialogue, "what did you hear", memory=memory) == "I heard: turn on the moon."


async def test_silence_is_not_remembered(dialogue: Dialogue) -> None:
    memory = Memory()
    await said(dialogue, "what time is it", memory=memory)
    assert await said(dialogue, "  ", memory=memory) == "I did not hear anything."
    assert memory.last_heard == "what time is it"
    assert memory.last_reply == "It's seven minutes past three."


async def test_conversations_do_not_share_what_they_remember(dialogue: Dialogue) -> None:
    mine, yours = Memory(), Memory()
    await said(dialogue, "set the volume to thirty percent", memory=mine)
    assert (mine.volume, yours.volume) == (30, 70)
    assert await said(dialogue, "what did you hear", memory=yours) == "I have not heard anything yet."


async def test_mute_and_unmute_come_back_to_the_volume_before(dialogue: Dialogue) -> None:
    memory = Memory(volume=40)
    answer = await dialogue.answer("mute", "en", memory)
    assert answer.reply.actions == (SetVolume(0),)
    await said(dialogue, "mute", memory=memory)
    assert await said(dialogue, "unmute", memory=memory) == "Volume forty percent."
    assert memory.volume == 40


async def test_stop_is_handed_to_the_loudspeakers_owner(dialogue: Dialogue) -> None:
    assert (await dialogue.answer("stopp", "de", Memory())).reply.actions == (StopSpeaking(),)


@pytest.mark.parametrize(
    ("language", "reply"),
    [("en", "That was too long for me. Please say it in one short sentence."),
     ("de", "Das war mir zu lang. Bitte sag es in einem kurzen Satz.")],
)  # fmt: skip
async def test_ten_thousand_characters_get_a_clear_answer(language: Language, reply: str, dialogue: Dialogue) -> None:
    answer = await dialogue.answer("what time is it " * 625, language, Memory())
    assert (answer.reply.text, answer.reply.understood) == (reply, False)


async def test_what_was_not_understood_is_said_back_without_markup(dialogue: Dialogue) -> None:
    answer = await dialogue.answer("<script>alert('x')</script> 🎉\u202e", "en", Memory())
    assert answer.reply.understood is False
    assert answer.reply.text.startswith("I heard: script alert 'x' /script. I can't help with that.")


def with_failing(error: Exception) -> list[Family]:
    """All families, but thanking fails."""

    def skill(intent: Intent, context: Context) -> Reply:
        raise error

    return [*FAMILIES, Family("failing", {"Thank": skill})]


@pytest.mark.parametrize(
    ("language", "reply"),
    [("en", "Sorry, something went wrong there."), ("de", "Entschuldigung, dabei ist etwas schiefgegangen.")],
)
async def test_a_bug_in_a_skill_costs_one_turn(
    language: Language, reply: str, understanding: Understanding, store: TimerStore, caplog: pytest.LogCaptureFixture
) -> None:
    dialogue = Dialogue(understanding, store, families=with_failing(RuntimeError("oh")))
    assert await said(dialogue, "danke" if language == "de" else "thanks", language) == reply
    assert "RuntimeError: oh" in caplog.text
    assert "danke" not in caplog.text  # what people say is not logged
    assert await said(dialogue, "hallo" if language == "de" else "hello", language) in (
        "Hallo.",
        "Hello.",
        "Hello there.",
        "Hallo, was kann ich tun?",
    )


async def test_a_skill_error_is_spoken(understanding: Understanding, store: TimerStore) -> None:
    dialogue = Dialogue(understanding, store, families=with_failing(SkillError("Not today.")))
    assert await said(dialogue, "thanks") == "Not today."


@pytest.mark.parametrize(
    ("words", "language", "reply"),
    [
        (
            "timer ten minutes",
            "en",
            "Timer set for ten minutes. But I can't write to my disk, so I would forget that if I were switched off.",
        ),
        (
            "timer zehn minuten",
            "de",
            "Timer auf zehn Minuten gestellt. Aber ich kann gerade nichts speichern: Nach dem"
            " Ausschalten wäre das vergessen.",
        ),
    ],
)
async def test_a_timer_that_cannot_be_stored_is_set_and_says_so(
    words: str, language: Language, reply: str, understanding: Understanding, tmp_path: Path
) -> None:
    (tmp_path / "a file").touch()
    with Database(tmp_path / "a file" / "stimme.sqlite3") as database:
        store = TimerStore(database, HandClock())
        dialogue = Dialogue(understanding, store)
        assert await said(dialogue, words, language) == reply
        assert len(store.pending()) == 1
        assert await said(dialogue, "thanks") in ("You're welcome.", "My pleasure.")


async def test_understanding_and_disk_are_left_to_the_worker(understanding: Understanding, store: TimerStore) -> None:
    ran: list[str] = []

    async def run(function: Callable[..., Any], /, *args: Any) -> Any:
        ran.append(function.__name__)
        return function(*args)

    dialogue = Dialogue(understanding, store, run=run)
    await said(dialogue, "what time is it")
    await said(dialogue, "timer ten minutes")
    assert ran == ["understand", "understand", "add"]
