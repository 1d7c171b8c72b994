"""Listening along: an utterance is judged when the recognizer has heard what it was given, and ends by the words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar, TypeVarTuple

from appliance import turns
from appliance.attention import Attention
from appliance.config import EndpointConfig
from appliance.sessions import Sessions
from tests.support.faculties import willing
from tests.support.visits import House, Place, pcm

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
WAITS = replace(EndpointConfig(), complete_s=0.2, unknown_s=0.6)


class Detector:
    """Hears a voice wherever samples are not 0."""

    def feed(self, pcm: bytes) -> tuple[float, ...]:
        return tuple(float(any(pcm[begin : begin + 1024])) for begin in range(0, len(pcm) - 1023, 1024))


async def at_once(function: Callable[[*Ts], T], *args: *Ts) -> T:
    await asyncio.sleep(0)
    return function(*args)


def attended(here: House, tasks: asyncio.TaskGroup, busy: Callable[[], bool] = lambda: False) -> Place:
    attention = Attention(WAITS, here.fake, Detector, at_once, busy, here.clock.now)
    here.sessions = Sessions(
        here.fake.all(),
        tasks,
        language="en",
        max_audio_duration_s=60,
        clock=here.clock.now,
        later=here.clock.later,
        attention=attention,
    )
    return here.visit()


async def say(here: House, page: Place, words: str, quiet: int) -> list[turns.Endpoint]:
    """Words, then so many quiet pieces of 32 ms."""
    for piece in (pcm(words, 0.064), *[bytes(1024)] * quiet):
        here.clock.passes(0.032)
        if page.session.open_id:
            page.session.audio(piece)
        for _ in range(12):
            await asyncio.sleep(0)
    return [event for event in page.events if isinstance(event, turns.Endpoint)]


async def test_a_whole_sentence_ends_soon_and_is_answered() -> None:
    async with asyncio.TaskGroup() as tasks:
        page = attended(here := House(willing(), tasks), tasks)
        page.session.begin("7", endpointer=page.session.by_itself())
        ends = await say(here, page, "up.", 40)
        await page.session.settled()
    assert [(end.reason, end.setting) for end in ends] == [("complete", "endpoint.complete_s")]
    assert 200 <= ends[0].silence_ms < 240
    assert page.texts(turns.Answered) == ["You said up."]


async def test_words_that_mean_nothing_yet_get_more_time() -> None:
    async with asyncio.TaskGroup() as tasks:
        page = attended(here := House(willing(), tasks), tasks)
        page.session.begin("7", endpointer=page.session.by_itself())
        ends = await say(here, page, "hello", 40)
        await page.session.settled()
    assert [(end.reason, end.setting) for end in ends] == [("silence", "endpoint.unknown_s")]
    assert 600 <= ends[0].silence_ms < 640


async def test_who_holds_the_button_is_not_interrupted_and_a_tap_may_come_later() -> None:
    async with asyncio.TaskGroup() as tasks:
        page = attended(here := House(willing(), tasks), tasks)
        page.session.begin("7")
        assert not await say(here, page, "up.", 40)
        page.session.endpoint(page.session.by_itself())
        assert len(await say(here, page, "", 10)) == 1
        await page.session.settled()


async def test_with_no_time_to_listen_for_voices_patience_decides() -> None:
    async with asyncio.TaskGroup() as tasks:
        page = attended(here := House(willing(), tasks), tasks, lambda: True)
        page.session.begin("7", endpointer=page.session.by_itself())
        ends = await say(here, page, "up.", 90)
        await page.session.settled()
    assert [(end.reason, end.setting) for end in ends] == [("silence", "")]
    assert ends[0].silence_ms >= 2000


async def test_an_utterance_cancelled_while_it_is_judged_ends_nothing() -> None:
    async with asyncio.TaskGroup() as tasks:
        page = attended(here := House(willing(), tasks), tasks)
        page.session.begin("7", endpointer=page.session.by_itself())
        await say(here, page, "hello", 0)
        page.session.audio(bytes(2048))
        page.session.cancel()
        page.session.begin("8")
        assert not await say(here, page, "", 1)
        page.session.end()
        await page.session.settled()
