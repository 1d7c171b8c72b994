"""A session without any wire: what is remembered, coming back, and what everybody hears."""

from __future__ import annotations

import gc
import weakref

from appliance import turns
from appliance.sessions import FORGOTTEN_AFTER_S, MOST_GONE
from tests.support.faculties import willing
from tests.support.visits import house, pcm, until


async def test_what_is_remembered_outlives_the_connection_and_is_forgotten_after_minutes() -> None:
    async with house() as here:
        before = here.visit()
        secret = before.session.secret
        before.session.memory.volume = 20
        before.session.text("hello")
        await before.session.settled()
        before.session.detach(before)
        here.clock.passes(FORGOTTEN_AFTER_S - 1)
        after = here.revisit(before)
        assert (after.session.memory.volume, after.session.memory.last_heard) == (20, "hello")
        here.clock.passes(10 * FORGOTTEN_AFTER_S)
        assert here.sessions.resume(secret, "anna") is after.session
        after.session.detach(after)
        here.clock.passes(FORGOTTEN_AFTER_S + 1)
        assert here.sessions.resume(secret, "anna") is None


async def test_a_session_comes_back_only_to_its_visitor_and_only_by_its_secret() -> None:
    async with house() as here:
        page = here.visit()
        secret = page.session.secret
        assert len(secret) >= 20 and secret != here.visit().session.secret
        assert here.sessions.resume(secret, "ben") is None
        assert here.sessions.resume("", "anna") is None
        assert here.sessions.resume(secret, "anna") is page.session


async def test_who_was_never_told_a_secret_leaves_nothing_behind() -> None:
    async with house() as here:
        page = here.visit()
        page.session.text("hello")
        page.session.detach(page)
        await page.session.settled()
        assert not here.sessions._gone and not here.sessions._present
    assert here.fake.carried_out, "what was asked is carried out all the same"
    assert page.texts(turns.Answered) == []


async def test_what_was_said_is_not_kept_longer_than_it_is_needed() -> None:
    async with house() as here:
        page = here.visit()
        page.session.begin("1")
        assert page.session._floor._open is not None
        sound = weakref.ref(page.session._floor._open.sound)
        page.session.audio(pcm("hello"))
        page.session.end("1")
        await page.session.settled()
        gc.collect()
        assert sound() is None


async def test_no_more_than_so_many_are_remembered() -> None:
    async with house() as here:
        first = here.visit()
        secret = first.session.secret
        first.session.detach(first)
        for _ in range(MOST_GONE):
            page = here.visit()
            assert page.session.secret
            page.session.detach(page)
        assert here.sessions.resume(secret, "anna") is None
        assert len(here.sessions._gone) == len(here.sessions._returning) == MOST_GONE


async def test_the_old_connection_is_told_when_its_client_has_come_back_by_a_new_one() -> None:
    async with house() as here:
        before = here.visit()
        after = here.revisit(before)
        assert before.was_displaced and not after.was_displaced
        before.session.detach(before)  # its socket is noticed to be dead at last
        after.session.text("hello", "1")
        await after.session.settled()
    assert after.kinds("1") and not before.kinds("1")


async def test_leaving_silences_the_reply_and_carries_out_what_was_asked() -> None:
    fake = willing()
    fake.speaking.clear()
    async with house(fake) as here:
        page = here.visit()
        page.session.text("long", "1")
        await until(lambda: "SpeechStarted" in page.kinds("1"))
        page.session.text("set a timer", "2")
        page.session.detach(page)
        await page.session.settled()
    assert [words for words, _ in fake.carried_out] == ["long", "set a timer"]
    assert page.sink.heard[-1] == "flush"


# What everybody hears


async def test_stop_is_one_event_whoever_says_it() -> None:
    async with house() as here:
        page = here.visit()
        page.session.text("stop", "1")
        page.session.text("quiet", "2")
        await page.session.settled()
    assert here.observed.count(turns.Silenced("1")) == 1
    assert here.observed.count(turns.VolumeChanged(10)) == 1


async def test_an_announcement_is_told_and_spoken() -> None:
    async with house() as here:
        page = here.visit()
        page.session.announce(turns.Announcement("a", "en", "Time is up.", "timer"))
        await page.session.settled()
    assert page.kinds("a") == ["Announced", "SpeechStarted", "SpeechEnded"]
