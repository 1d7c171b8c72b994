"""Programs share ears and mouth with those who speak with Stimme itself, and never come before them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from appliance import guests as module
from appliance.audio.pcm import RATE
from appliance.errors import ProtocolError
from appliance.guests import STEP_BYTES, Guests, _Steady
from appliance.listening import Listening
from appliance.longhand import passages
from tests.support.faculties import FakeFaculties, willing
from tests.support.patience import rounds, until
from tests.support.programs import said


@asynccontextmanager
async def guests(faculties: FakeFaculties, longest_s: float = 30) -> AsyncIterator[Guests]:
    async with asyncio.TaskGroup() as tasks:
        yield Guests(faculties.all(), tasks, "en", longest_s)


async def test_a_minute_that_is_there_already_has_ended_only_when_a_second_is_left() -> None:
    now = Listening("", "en", 60 * RATE, None, None)
    now.sound.write(bytes(10 * STEP_BYTES))
    now.sound.end()
    steady, read, ended = _Steady(now), 0, []
    while True:
        ended.append(steady.ended)
        if not (pcm := await steady.read()):
            break
        read += len(pcm)
        assert len(pcm) <= STEP_BYTES
    assert read == 10 * STEP_BYTES and ended == [False] * 9 + [True, True]


async def test_half_of_the_recognizers_work_for_programs_and_one_of_those_for_what_has_ended() -> None:
    fake = FakeFaculties()
    fake.stats = replace(fake.stats, limit=8)
    async with guests(fake) as one:
        open_ones = [one.hear("en") for _ in range(10)]
        await rounds()
        assert one.places_taken == 3
        ended = [asyncio.ensure_future(dictation.final()) for dictation in open_ones[5:]]
        await until(lambda: one.places_taken == 4)
        await rounds()
        assert one.places_taken == 4
        fake.hearing.set()
        await asyncio.gather(*ended)
        for dictation in open_ones:
            dictation.forget()


async def test_what_is_forgotten_gives_its_recognizer_back() -> None:
    fake = FakeFaculties()
    async with guests(fake) as one:
        dictation = one.hear("en")
        await dictation.audio(b"hi")
        await asyncio.sleep(0)
        dictation.forget()
    assert fake.forgotten and one.places_taken == 0


async def test_a_bug_in_a_recognizer_costs_one_utterance() -> None:
    class Broken(FakeFaculties):
        async def transcribe(self, *arguments: object, **named: object) -> None:  # type: ignore[override]
            raise RuntimeError("a bug")

    async with guests(Broken()) as one:
        with pytest.raises(ProtocolError, match="error in the device"):
            await one.hear("en").final()


async def test_an_utterance_of_which_nothing_comes_any_more_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_AGAIN_S", 0.02)
    async with guests(willing()) as one:
        dictation = one.hear("en")
        await dictation.audio(said("hi"))
        await until(lambda: dictation.ended is not None)
        assert dictation.ended == "silence" and (await dictation.final()).text == "hi"


@pytest.mark.parametrize(
    ("wanted", "language"), [("de", "de"), ("de-DE", "de"), ("en_US", "en"), ("EN", "en"), (None, "en"), ("", "en")]
)
async def test_a_language_is_understood_however_a_program_writes_it(wanted: object, language: str) -> None:
    async with guests(willing()) as one:
        assert one.language_of(wanted) == language
        for nonsense in ("fr", 7, "german"):
            with pytest.raises(ProtocolError, match="expected en or de"):
                one.language_of(nonsense)


async def test_times_of_long_sound_count_from_its_beginning() -> None:
    async def sound() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"ab" * 8_000

    async with guests(willing(), longest_s=1) as one:
        found = [passage async for passage in passages(one, sound(), "en")]
    assert len("".join(passage.text for passage in found)) == 80_000
    assert [passage.begin_s for passage in found[1:]] == [passage.end_s for passage in found[:-1]]
