"""A question asked again after a drop: told again, not done again."""

from __future__ import annotations

import asyncio

from appliance import turns
from appliance.replay import MOST_KEPT, TOLD_AGAIN_S
from tests.support.faculties import willing
from tests.support.visits import UNIQUE, After, house, pcm, until


async def test_a_question_asked_again_on_a_later_visit_is_told_its_answer_and_not_carried_out_twice() -> None:
    async with house() as here:
        before = here.visit()
        before.session.text("set a timer", "1")
        await before.session.settled()
        after = here.revisit(before)
        after.session.text("set a timer", "1")
        await after.session.settled()
    assert len(here.fake.carried_out) == 1
    assert after.kinds("1") == ["Answered", "SpeechStarted", "SpeechEnded"]
    assert after.sink.heard.count("sound") == 10


async def test_asked_again_before_the_first_answer_it_is_carried_out_once_and_spoken() -> None:
    fake = willing()
    fake.thinking.clear()
    async with house(fake) as here:
        before = here.visit()
        before.session.text("set a timer", "1")
        await asyncio.sleep(0)
        after = here.revisit(before)
        after.session.text("set a timer", "1")
        after.session.text("set a timer", "1")
        fake.thinking.set()
        await after.session.settled()
    assert len(fake.carried_out) == 1
    assert after.kinds("1") == ["Answered", "SpeechStarted", "SpeechEnded"]
    assert after.sink.heard.count("sound") == 10


async def test_an_utterance_said_again_is_told_its_transcript_and_answer_and_not_decoded_again() -> None:
    async with house() as here:
        before = here.visit()
        before.say("set a timer", "1")
        await before.session.settled()
        after = here.revisit(before)
        after.session.begin("1")
        sound = pcm("set a timer")
        for start in range(0, len(sound), 1000):  # cut otherwise than the first time
            after.session.audio(sound[start : start + 1000])
        after.session.end("1")
        await after.session.settled()
    assert len(here.fake.carried_out) == 1
    assert after.kinds("1") == ["Listening", "FinalHeard", "Answered", "SpeechStarted", "SpeechEnded"]
    assert here.sessions.backlog_s == 0


async def test_a_drop_between_transcript_and_answer_costs_neither_and_carries_out_once() -> None:
    fake = willing()
    fake.thinking.clear()
    async with house(fake) as here:
        before = here.visit()
        before.say("set a timer", "1")
        while "FinalHeard" not in before.kinds("1"):  # noqa: ASYNC110 - the clock stands still
            await asyncio.sleep(0)
        after = here.revisit(before)
        after.say("set a timer", "1")
        fake.thinking.set()
        await after.session.settled()
    assert len(fake.carried_out) == 1
    assert after.kinds("1") == ["Listening", "FinalHeard", "Answered", "SpeechStarted", "SpeechEnded"]


async def test_what_the_device_ended_by_itself_is_known_again_however_long_the_client_went_on() -> None:
    async with house() as here:
        before = here.visit()
        before.session.begin("1", endpointer=After(2))
        for piece in (pcm("set a timer"), pcm("")):
            before.session.audio(piece)
        await before.session.settled()
        after = here.revisit(before)
        after.session.begin("1", endpointer=After(99))
        sound = pcm("set a timer") + pcm("") + pcm("and more")
        for start in range(0, len(sound), 1000):
            after.session.audio(sound[start : start + 1000])
        assert not after.session.open_id, "it ends where it ended the first time"
        after.session.end("1")
        await after.session.settled()
    assert len(here.fake.carried_out) == 1
    assert after.kinds("1") == ["Listening", "Endpoint", "FinalHeard", "Answered", "SpeechStarted", "SpeechEnded"]


async def test_what_turns_out_to_be_new_is_heard_while_it_is_still_being_said() -> None:
    async with house() as here:
        before = here.visit()
        before.say("set a timer", "1")
        await before.session.settled()
        after = here.revisit(before)
        after.session.begin("1")
        after.session.audio(pcm("what time", 0.05))
        await asyncio.sleep(0)
        assert after.texts(turns.PartialHeard) == []
        after.session.audio(pcm("", 0.05))
        await until(lambda: after.texts(turns.PartialHeard))
        after.session.end()
        await after.session.settled()
    assert after.texts(turns.Answered) == ["You said what time"]


async def test_the_same_id_with_the_same_beginning_is_another_question() -> None:
    async with house() as here:
        before = here.visit()
        before.say("set a timer", "1")
        await before.session.settled()
        after = here.revisit(before)
        after.session.begin("1")
        after.session.audio(pcm("set a timer") + b" for ten minutes")
        after.session.end("1")
        await after.session.settled()
    assert len(here.fake.carried_out) == 2


async def test_the_same_id_with_other_words_or_other_sound_is_another_question() -> None:
    async with house() as here:
        before = here.visit()
        before.session.text("set a timer", "1")
        before.say("what time is it", "2")
        await before.session.settled()
        after = here.revisit(before)
        after.session.text("what day is it", "1")
        after.say("", "2")
        await after.session.settled()
    assert after.texts(turns.Answered) == ["You said what day is it", "You said "]
    assert after.texts(turns.FinalHeard) == [""]


async def test_an_utterance_cut_off_in_the_middle_is_forgotten_and_said_again_from_the_beginning() -> None:
    async with house() as here:
        before = here.visit()
        before.session.begin("1")
        before.session.audio(pcm("set a"))
        await asyncio.sleep(0)
        before.session.detach(before)
        after = here.revisit(before)
        after.say("set a timer", "1")
        await after.session.settled()
    assert [words for words, _ in here.fake.carried_out] == ["set a timer"]


async def test_a_client_whose_ids_are_all_alike_is_answered_each_time() -> None:
    async with house() as here:
        page = here.visit()
        for words in ("one", "one", "two"):
            page.session.text(words, "x")
            await page.session.settled()
        page.say("three", "x")
        page.session.text("four", "x")
        await page.session.settled()
    assert [words for words, _ in here.fake.carried_out] == ["one", "one", "two", "three", "four"]
    assert page.texts(turns.Answered) == [f"You said {words}" for words, _ in here.fake.carried_out]


async def test_two_clients_with_the_same_ids_never_hear_each_others_words() -> None:
    async with house() as here:
        anna, ben = here.visit(), here.visit()
        anna.say("my secret", UNIQUE)
        await anna.session.settled()
        ben.session.begin(UNIQUE)
        ben.session.end(UNIQUE)
        ben.session.text("what time is it", "1")
        await ben.session.settled()
    assert ben.texts(turns.FinalHeard) == [""]
    assert ben.texts(turns.Answered) == ["You said ", "You said what time is it"]


async def test_an_answer_is_told_again_for_half_a_minute_only() -> None:
    async with house() as here:
        before = here.visit()
        before.session.text("set a timer", "1")
        await before.session.settled()
        here.clock.passes(TOLD_AGAIN_S + 1)
        after = here.revisit(before)
        after.session.text("set a timer", "1")
        await after.session.settled()
    assert len(here.fake.carried_out) == 2


async def test_a_failure_is_told_again_too() -> None:
    async with house(willing(breaks_on="boom")) as here:
        before = here.visit()
        before.session.text("boom", "1")
        await before.session.settled()
        after = here.revisit(before)
        after.session.text("boom", "1")
        await after.session.settled()
    assert after.kinds("1") == ["Failed"]


async def test_only_the_latest_questions_of_a_session_are_kept() -> None:
    async with house() as here:
        before = here.visit()
        for number in range(MOST_KEPT + 1):
            before.session.text("hello", f"id-{number}")
            await before.session.settled()
        after = here.revisit(before)
        after.session.text("hello", "id-0")
        after.session.text("hello", f"id-{MOST_KEPT}")
        await after.session.settled()
    assert len(here.fake.carried_out) == MOST_KEPT + 2


async def test_effects_carry_the_turns_unique_id_and_otherwise_a_name_of_their_own() -> None:
    async with house() as here:
        page = here.visit()
        for id in (UNIQUE, UNIQUE, "1", "1", ""):
            page.session.text("set a timer", id)
            await page.session.settled()
    keys = [key for _, key in here.fake.carried_out]
    assert keys[0] == f"anna/{UNIQUE}"
    assert len(set(keys)) == 5
