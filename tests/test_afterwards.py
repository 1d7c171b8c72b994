"""After a wrong end: who goes on is heard; the answer is taken back if both are one sentence, else it was a turn."""

from __future__ import annotations

import asyncio

import pytest

from appliance import turns
from appliance.audio.endpointing import AFTER_S
from appliance.audio.pcm import Padding
from appliance.hearing.transcript import Final, Word, without
from tests.support.faculties import willing
from tests.support.visits import House, Place, pcm
from tests.test_attention import attended

CHUNK = 1024
REST = f"and {'o' * 6400}n."
"""Long enough that the fake detector hears a voice for more than a word's length."""


async def hear(here: House, page: Place, *pieces: bytes) -> None:
    """Sound that comes whether or not anybody listens, 32 ms at a time."""
    sound = b"".join(pieces)
    for begin in range(0, len(sound), CHUNK):
        here.clock.passes(0.032)
        page.session.audio(sound[begin : begin + CHUNK])
        for _ in range(12):
            await asyncio.sleep(0)


def quiet(seconds: float) -> bytes:
    return bytes(CHUNK * round(seconds / 0.032))


def begin(page: Place, *, lingers: bool = True) -> None:
    page.session.begin("7", endpointer=page.session.by_itself(), lingers=lingers)


def listenings(page: Place) -> list[tuple[str, str]]:
    return [(event.id, event.continues) for event in page.events if isinstance(event, turns.Listening)]


async def test_the_rest_of_a_sentence_takes_the_first_answer_back() -> None:
    async with asyncio.TaskGroup() as tasks:
        page = attended(here := House(willing(), tasks), tasks)
        begin(page)
        await hear(here, page, pcm("up.", 0.032), quiet(0.5), REST.encode(), quiet(1.0))
        await page.session.settled()
    assert listenings(page) == [("7", ""), ("7+", "7")]
    assert here.fake.taken_back == ["up."]
    assert page.texts(turns.Answered) == ["You said up.", f"You said up. {REST}"]


async def test_another_sentence_is_the_next_turn() -> None:
    async with asyncio.TaskGroup() as tasks:
        page = attended(here := House(willing(), tasks), tasks)
        begin(page)
        other = "n" * 6401 + "."
        await hear(here, page, pcm("up.", 0.032), quiet(0.5), other.encode(), quiet(1.0))
        await page.session.settled()
    assert not here.fake.taken_back
    assert page.texts(turns.Answered) == ["You said up.", f"You said {other}"]


async def test_a_cough_interrupts_nobody_and_after_a_second_nobody_listens() -> None:
    async with asyncio.TaskGroup() as tasks:
        page = attended(here := House(willing(), tasks), tasks)
        begin(page)
        await hear(here, page, pcm("up.", 0.032), quiet(0.4), pcm("x", 0.064), quiet(AFTER_S), REST.encode())
        await page.session.settled()
    assert listenings(page) == [("7", "")]
    assert page.texts(turns.Answered) == ["You said up."]


async def test_a_client_that_does_not_linger_is_as_ever() -> None:
    async with asyncio.TaskGroup() as tasks:
        page = attended(here := House(willing(), tasks), tasks)
        begin(page, lingers=False)
        await hear(here, page, pcm("up.", 0.032), quiet(0.5), REST.encode())
        await page.session.settled()
    assert page.texts(turns.Answered) == ["You said up."]


@pytest.mark.parametrize("what", ["begin", "text", "interrupt", "detach"])
async def test_whoever_does_something_else_does_not_go_on(what: str) -> None:
    async with asyncio.TaskGroup() as tasks:
        page = attended(here := House(willing(), tasks), tasks)
        begin(page)
        await hear(here, page, pcm("up.", 0.032), quiet(0.5))
        waiting = page.session._floor._afterwards
        assert waiting is not None and waiting._kept
        match what:
            case "begin":
                page.session.begin("8")
                page.session.cancel()
            case "text":
                page.session.text("hello")
            case "interrupt":
                page.session.interrupt()
            case _:
                page.session.detach(page)
        assert page.session._floor._afterwards is None and waiting.is_over and not waiting._kept
        await page.session.settled()


async def test_a_stop_for_the_first_part_does_not_end_the_second() -> None:
    async with asyncio.TaskGroup() as tasks:
        page = attended(here := House(willing(), tasks), tasks)
        begin(page)
        await hear(here, page, pcm("up.", 0.032), quiet(0.5), REST.encode()[:2048])
        await hear(here, page, REST.encode()[2048:])
        page.session.end("7")  # its client did not know yet
        assert page.session.open_id == "7+"
        await hear(here, page, quiet(1.0))
        await page.session.settled()
    assert page.texts(turns.Answered)[-1] == f"You said up. {REST}"


async def test_a_sound_without_words_is_answered_as_before() -> None:
    async with asyncio.TaskGroup() as tasks:
        page = attended(here := House(willing(), tasks), tasks)
        begin(page)
        await hear(here, page, pcm("up.", 0.032), quiet(0.5))
        page.session._floor._go_on(page.session._floor._open or _listening(page), b"")
        page.session.end()
        await page.session.settled()
    assert page.texts(turns.Answered) == ["You said up.", "You said up."]
    assert [text for text, _ in here.fake.carried_out] == ["up."]


def _listening(page: Place):  # type: ignore[no-untyped-def]
    from appliance.listening import Listening

    return Listening("7", "en", 16_000, None, None)


def test_silence_that_was_put_in_is_in_no_time() -> None:
    words = (Word("what", 0.2, 0.4, 1.0), Word("time", 1.12, 1.32, 1.0), Word("now", 2.0, 2.1, 1.0))
    final = Final("what time now", words, 1.0, audio_s=2.64)
    found = without(final, (Padding(0.6, 0.32), Padding(1.5, 0.32)))
    assert found.audio_s == pytest.approx(2.0)
    assert [(one.start_s, one.end_s) for one in found.words] == [(0.2, 0.4), (0.8, 1.0), (1.5, 1.5)]
    assert without(final, ()) is final
