"""What the tests of speech share besides fixtures: sources, sentences, and a look at sound."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Iterator
from contextlib import aclosing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.audio.pcm import RATE
from appliance.hearing.pool import RecognizerPool
from appliance.hearing.transcript import Final
from appliance.language import Language
from appliance.models.choose import find_voice
from appliance.speaking.synthesizer import Synthesizer
from tests.support.speech import commands

TESTS = Path(__file__).parents[1]

MORE_SENTENCES = """
turn on the kitchen light
turn off all the lights in the living room
set the bedroom light to fifty percent
open the garage door
close the curtains please
lock the front door
what is the temperature outside
set the temperature to twenty one degrees
play some music in the kitchen
next song please
turn the radio up
add milk and bread to the shopping list
what is on the shopping list
remind me to water the plants tomorrow morning
how many days until christmas
what time is it in london
is it going to rain tomorrow
what is the square root of sixteen
set a timer for one hour and thirty minutes
how old are you
wake me up at half past six
good night
""".strip().splitlines()


def sentences() -> list[str]:
    return list(dict.fromkeys(commands() + MORE_SENTENCES))


class Chunks:
    """A Source whose samples are there already and come in the given chunks of bytes. Every read yields to others."""

    rate = RATE

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = list(chunks)

    @property
    def ended(self) -> bool:
        return not self._chunks

    async def read(self) -> bytes:
        await asyncio.sleep(0)
        return self._chunks.pop(0) if self._chunks else b""


def cut(pcm: bytes, size_bytes: int) -> list[bytes]:
    return [pcm[begin : begin + size_bytes] for begin in range(0, len(pcm), size_bytes)]


def cut_randomly(pcm: bytes, seed: int) -> list[bytes]:
    def sizes() -> Iterator[int]:
        dice = random.Random(seed)
        while True:
            yield 2 * dice.choice((1, 7, 160, 512, 3_200, 40_000))

    chunks, size = [], sizes()
    while pcm:
        this = next(size)
        chunks.append(pcm[:this])
        pcm = pcm[this:]
    return chunks


async def transcribe(pool: RecognizerPool, pcm: bytes, size_bytes: int = 1024) -> Final:
    return await pool.transcribe(Chunks(cut(pcm, size_bytes)), "en", on_partial=lambda _: None)


async def pieces(synthesizer: Synthesizer, text: str, language: Language = "en", rate: int = RATE) -> list[bytes]:
    async with aclosing(synthesizer.speak(text, language, rate=rate)) as chunks:
        return [chunk async for chunk in chunks]


def voice_path() -> Path:
    """The embedded voice."""
    choice = find_voice("en", Path("/nonexistent"))
    assert choice is not None and choice.engine == "piper"
    return choice.path


def synthesizer_paths() -> dict[Language, Path]:
    german = find_voice("de", Path("/nonexistent"))
    assert german is not None and german.engine == "pico"
    return {"en": voice_path(), "de": german.path}


def phrases(language: Language) -> list[str]:
    """What the assistant answers in the tests of dialogue, and what it is asked: some hundred different texts."""
    rows = (TESTS / "dialogue" / f"phrases.{language}.tsv").read_text(encoding="utf-8").splitlines()
    columns = [row.split("\t") for row in rows if row and not row.startswith("#")]
    return list(dict.fromkeys(row[column] for column in (3, 0) for row in columns if len(row[column]) > 12))


def samples(pcm: bytes) -> NDArray[np.int16]:
    return np.frombuffer(pcm, dtype="<i2")
