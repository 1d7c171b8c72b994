"""The utterance that is open in a session: begun, fed, ended, cancelled, overdue."""

from __future__ import annotations

import pytest

from appliance import turns
from appliance.asking import MOST_TURNS
from appliance.audio.endpointing import Pause
from appliance.errors import ProtocolError
from appliance.floor import OVERDUE_S
from tests.support.faculties import willing
from tests.support.visits import LIMIT_S, After, code, house, pcm, until


async def test_what_is_said_between_begin_and_end_is_answered() -> None:
    async with house() as here:
        page = here.visit()
        page.say("hello", "7")
        await page.session.settled()
    assert page.kinds("7") == ["Listening", "PartialHeard", "FinalHeard", "Answered", "SpeechStarted", "SpeechEnded"]
    assert here.observed == page.events
    assert here.sessions.backlog_s == 0


async def test_turns_without_an_id_get_different_ones() -> None:
    async with house() as here:
        page = here.visit()
        ids = {page.say("one"), page.say("two"), page.session.text("three")}
        await page.session.settled()
    assert len(ids) == 3 and sorted(page.texts(turns.Answered)) == ["You said one", "You said three", "You said two"]


async def test_end_and_cancel_need_an_open_utterance_and_its_id() -> None:
    async with house() as here:
        page = here.visit()
        with pytest.raises(ProtocolError) as nothing:
            page.session.end("7")
        page.session.begin("7")
        with pytest.raises(ProtocolError, match="'8' is not being listened to, but '7' is") as other:
            page.session.end("8")
        with pytest.raises(ProtocolError) as another:
            page.session.cancel("8")
        page.session.cancel("7")
    assert (code(nothing), code(other), code(another)) == (("not_started", "7"), ("wrong_id", "8"), ("wrong_id", "8"))


async def test_a_second_begin_is_refused_and_the_first_goes_on() -> None:
    async with house() as here:
        page = here.visit()
        page.session.begin("7")
        with pytest.raises(ProtocolError) as caught:
            page.session.begin("8")
        page.session.audio(pcm("hello"))
        page.session.end("7")
        await page.session.settled()
    assert code(caught) == ("already_started", "8")
    assert page.texts(turns.Answered) == ["You said hello"]


async def test_a_language_without_a_recognizer_is_refused() -> None:
    async with house() as here:
        with pytest.raises(ProtocolError) as caught:
            here.visit().session.begin("7", "de")
    assert code(caught) == ("no_recognizer", "7")


async def test_odd_bytes_are_refused_and_the_utterance_goes_on() -> None:
    async with house() as here:
        page = here.visit()
        page.session.begin("7")
        with pytest.raises(ProtocolError, match="3 bytes") as caught:
            page.session.audio(b"\0\0\0")
        page.session.end()
    assert code(caught) == ("odd_bytes", "7")
    assert here.dropped == ["odd_bytes"]


async def test_stray_sound_is_counted_each_time_and_told_once() -> None:
    async with house() as here:
        page = here.visit()
        with pytest.raises(ProtocolError) as caught:
            page.session.audio(pcm(""))
        page.session.audio(pcm(""))
        page.say("hello")
        with pytest.raises(ProtocolError):
            page.session.audio(pcm(""))
    assert code(caught)[0] == "not_started"
    assert here.dropped == ["not_started"] * 3


async def test_an_utterance_ends_at_its_limit_and_whoever_ends_it_too_late_hears_no_complaint() -> None:
    async with house() as here:
        page = here.visit()
        page.session.begin("7")
        page.session.audio(pcm("hello", LIMIT_S))
        assert page.session.open_id == "7"
        page.session.audio(pcm("more"))
        page.session.audio(pcm("stray"))
        page.session.end("7")
        await page.session.settled()
    assert [event for event in page.events if isinstance(event, turns.Endpoint)] == [turns.Endpoint("7", "limit")]
    assert here.dropped == ["audio_too_long", "not_started"]
    final = next(event for event in page.events if isinstance(event, turns.FinalHeard))
    assert (final.text, final.truncated) == ("hello", True)


async def test_someone_who_begins_and_falls_silent_does_not_keep_a_recognizer() -> None:
    async with house() as here:
        page = here.visit()
        page.session.begin("7")
        here.clock.passes(LIMIT_S + OVERDUE_S - 0.01)
        assert page.session.open_id
        here.clock.passes(0.02)
        assert not page.session.open_id
        await page.session.settled()
    assert page.kinds("7")[:3] == ["Listening", "Endpoint", "FinalHeard"]


async def test_an_utterance_whose_sound_comes_slowly_is_waited_for() -> None:
    async with house() as here:
        page = here.visit()
        page.session.begin("7")
        for _ in range(9):
            page.session.audio(pcm("", 0.1))
            here.clock.passes(0.8)
        assert page.session.open_audio_s == pytest.approx(0.9)
        here.clock.passes(2 * OVERDUE_S)
        assert not page.session.open_id, "nothing comes any more"
        await page.session.settled()


async def test_a_cancelled_utterance_is_forgotten_and_its_length_is_told() -> None:
    fake = willing()
    fake.hearing.clear()
    async with house(fake) as here:
        page = here.visit()
        page.session.begin("7")
        page.session.audio(pcm("never mind", 0.5))
        await until(lambda: page.texts(turns.PartialHeard))
        page.session.cancel()
        await page.session.settled()
    assert page.events[-1] == turns.Cancelled("7", 0.5)
    assert fake.forgotten == ["never mind"] and not fake.carried_out


async def test_an_endpointer_hears_all_sound_and_ends_the_utterance() -> None:
    async with house() as here:
        page, rule = here.visit(), After(3)
        page.session.begin("7", endpointer=rule)
        page.session.audio(pcm("hello"))
        await until(lambda: page.texts(turns.PartialHeard))
        here.clock.passes(0.1)
        page.session.audio(pcm(""))
        page.session.audio(pcm(""))
        assert not page.session.open_id
        await page.session.settled()
    assert (rule.partials, rule.times) == (["", "hel", "hel"], [0.0, 0.1, 0.1])
    assert page.events.count(turns.Endpoint("7", "complete")) == 1
    assert page.texts(turns.Answered) == ["You said hello"]


async def test_how_long_it_will_be_waited_is_told_once_and_when_it_changes() -> None:
    async with house() as here:
        page, rule = here.visit(), After(9)
        page.session.begin("7", endpointer=rule)
        pauses = (None, Pause(0.2, 1.2), Pause(0.3, 1.2), Pause(0.4, 0.7), None, None)
        for rule.pause in pauses:
            page.session.audio(pcm(""))
        page.session.cancel()
    told = [event for event in page.events if isinstance(event, turns.Paused)]
    assert told == [turns.Paused("7", 200.0, 1200.0), turns.Paused("7", 400.0, 700.0), turns.Paused("7", 0.0, 0.0)]


async def test_an_endpointer_can_come_later_and_knows_who_waits_for_a_recognizer() -> None:
    fake = willing()
    fake.queued = True
    async with house(fake) as here:
        page, rule = here.visit(), After(1)
        page.session.begin("7")
        await until(lambda: "Queued" in page.kinds("7"))
        page.session.endpoint(rule)
        page.session.audio(pcm("hello"))
    assert rule.partials == [None]
    assert turns.Endpoint("7", "complete") in page.events


async def test_a_seventeenth_turn_under_way_is_refused() -> None:
    fake = willing()
    fake.thinking.clear()
    async with house(fake) as here:
        page = here.visit()
        for number in range(MOST_TURNS):
            page.session.text("hello", f"{number}")
        with pytest.raises(ProtocolError) as typed:
            page.session.text("hello", "one more")
        with pytest.raises(ProtocolError) as spoken:
            page.session.begin("one more")
        fake.thinking.set()
    assert code(typed) == code(spoken) == ("too_many_turns", "one more")


async def test_nothing_new_is_taken_up_while_the_device_stops() -> None:
    async with house() as here:
        page = here.visit()
        page.session.begin("7")
        here.sessions.stop()
        with pytest.raises(ProtocolError) as caught:
            page.session.text("hello", "8")
        page.session.end("7")
        assert await page.session.settled(5)
    assert code(caught) == ("stopping", "8")
    assert "Answered" in page.kinds("7")
