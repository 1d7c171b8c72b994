"""Two languages listened for at once: what was said decides, and the setting only where both could be meant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from appliance.dialogue.understanding import Understanding
from appliance.hearing.both import BothEars
from appliance.hearing.pool import RecognizerPool
from appliance.language import Language
from appliance.models.choose import find_recognizer
from appliance.workers import Workers
from tests.support.kit import Chunks, cut
from tests.support.server import MODELS
from tests.support.speech import spoken


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def both(model: Path) -> AsyncIterator[BothEars]:
    german = find_recognizer("de", MODELS)
    assert german is not None
    workers = Workers(2, "test-hear")
    pool = RecognizerPool({"en": model, "de": german.path}, workers, limit=2)
    await pool.open()
    understanding = Understanding()

    async def understood(text: str, language: Language) -> bool:
        return bool(understanding.understand(text, language).name)

    yield BothEars(pool, understood)
    workers.close()


@pytest.mark.parametrize("wanted", ["en", "de"])
@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "set a timer for five minutes"),
        ("en", "what time is it"),
        ("de", "stelle einen timer auf fünf minuten"),
        ("de", "wie spät ist es"),
    ],
)
async def test_what_is_said_decides_the_language(
    both: BothEars, language: Language, text: str, wanted: Language
) -> None:
    (pcm,) = await spoken([text], language)
    final = await both.transcribe(Chunks(cut(pcm, 1024)), wanted, on_partial=lambda text: None)
    assert (final.language, final.text) == (language, text)


async def test_silence_is_heard_in_the_language_that_is_set(both: BothEars) -> None:
    final = await both.transcribe(Chunks([bytes(32_000)]), "de", on_partial=lambda text: None)
    assert (final.language, final.text) == ("de", "")


async def test_more_people_than_recognizers_are_all_heard(both: BothEars) -> None:
    (pcm,) = await spoken(["wie spät ist es"], "de")
    finals = await asyncio.gather(
        *(both.transcribe(Chunks(cut(pcm, 1024)), "en", on_partial=lambda text: None) for _ in range(4))
    )
    assert {final.text for final in finals} == {"wie spät ist es"}


async def test_a_turn_that_is_given_up_gives_both_recognizers_back(both: BothEars) -> None:
    begun = asyncio.Event()

    class Endless(Chunks):
        async def read(self) -> bytes:
            begun.set()
            await asyncio.sleep(0)
            return bytes(640)

        ended = False

    task = asyncio.create_task(both.transcribe(Endless([]), "en", on_partial=lambda text: None))
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    assert both.stats.in_use == 0
