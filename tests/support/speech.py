"""Speech to test with: commands spoken by the embedded voices, and what was meant."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from appliance.audio.pcm import RATE, write_wav
from appliance.hearing.score import word_errors as word_errors
from appliance.language import Language
from appliance.models.choose import find_voice
from appliance.speaking import vits
from appliance.speaking.synthesizer import Synthesizer
from appliance.workers import Workers
from tests.support.server import MODELS

VECTORS = Path(__file__).parents[1] / "vectors"
VOICES: dict[Language, str] = {"en": "en_US-joe-medium", "de": "pico-de-DE"}
"""The embedded ones. The German recognizer was trained on Pico among others, so what it hears here proves the path and
not the ear; `make bench-hearing` measures that."""

QUIET = bytes(2 * RATE // 5)
"""0.2 s of silence, as there is between pressing and speaking."""


def commands(language: Language = "en") -> list[str]:
    """The spoken test commands, lower case, one a line."""
    lines = (VECTORS / f"commands.{language}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


async def spoken(sentences: Sequence[str], language: Language = "en", *, quiet: bytes = QUIET) -> list[bytes]:
    """Each sentence as mono s16le at 16 kHz by the embedded voice, silence before and after."""
    choice = find_voice(language, MODELS, VOICES[language])
    assert choice is not None
    workers = Workers(1, "test-voice")
    drawn, vits.new_random = vits.new_random, lambda: np.random.default_rng(7)
    try:
        voice = Synthesizer({language: choice.path}, workers, MODELS / "cuts")
        await voice.open()
        return [quiet + await _one(voice, sentence, language) + quiet for sentence in sentences]
    finally:
        vits.new_random = drawn
        workers.close()


async def _one(voice: Synthesizer, sentence: str, language: Language) -> bytes:
    async with aclosing(voice.speak(sentence, language, rate=RATE)) as chunks:
        return b"".join([chunk async for chunk in chunks])


def spoken_now(sentences: Sequence[str], language: Language = "en") -> list[bytes]:
    """`spoken` for callers without an event loop."""
    return asyncio.run(spoken(sentences, language))


PEOPLE = Path("/usr/share/pocketsphinx/test/data")
"""Debian's pocketsphinx-testdata: short recordings of people, with transcriptions. Never trained or tuned on."""


@dataclass(frozen=True)
class HumanSpeech:
    file: Path
    text: str
    """What was said, lower case."""


def recordings_of_people(folder: Path) -> list[HumanSpeech]:
    """All recordings that have a transcription; raw ones are written to `folder` as WAV files."""
    found = []
    for transcription in (PEOPLE / "cards" / "cards.transcription", PEOPLE / "librivox" / "transcription"):
        if transcription.exists():
            for line in transcription.read_text(encoding="utf-8").splitlines():
                text, _, name = line.rpartition("(")
                file = transcription.parent / f"{name.rstrip(') ')}.wav"
                words = text.replace("<s>", "").replace("</s>", "").lower().split()
                if file.exists():
                    found.append(HumanSpeech(file, " ".join(words)))
    for name, text in (("goforward", "go forward ten meters"),):
        raw = PEOPLE / f"{name}.raw"
        if raw.exists():
            write_wav(folder / f"{name}.wav", raw.read_bytes(), RATE)
            found.append(HumanSpeech(folder / f"{name}.wav", text))
    return found
