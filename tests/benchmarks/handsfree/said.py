"""Commands with pauses and hesitations in them, said by synthetic voices; kept in memory only."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import numpy as np

from appliance.audio.pcm import RATE, s16le
from appliance.language import Language
from appliance.models.choose import find_voice
from appliance.speaking.synthesizer import Synthesizer
from appliance.workers import Workers
from tests.support.server import MODELS
from tests.support.speech import VECTORS

VOICES: tuple[tuple[Language, str], ...] = (("en", "en_US-joe-medium"), ("en", "pico-en-US"), ("de", "pico-de-DE"))
BREATHS_S = (0.1, 0.15, 0.2, 0.25, 0.3)
"""Between two parts of a sentence that is known already ("/") …"""
PAUSES_S = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5)
"""… and in search of a word ("//")."""
HESITATIONS: dict[Language, tuple[str, ...]] = {"en": ("um", "uh", "hmm"), "de": ("äh", "ähm", "hm")}
SILENT = 60
"""Quieter samples than this (-54 dB) are the end of a voice, not its sound."""
ROOM = 3.0
"""Standard deviation of the room's noise, in steps of 16 bits: -80 dB."""


@dataclass(frozen=True)
class Said:
    """One command as somebody said it."""

    text: str
    language: Language
    voice: str
    pcm: bytes
    """s16le at 16 kHz, ends with its last sound."""
    longest_pause_s: float
    hesitates: bool


def table(language: Language) -> list[list[tuple[str, bool]]]:
    """Each command as its parts, and whether the speaker searches for a word after each."""
    lines = (VECTORS / f"pauses.{language}.txt").read_text(encoding="utf-8").splitlines()
    return [list(_parts(line)) for line in lines if line and not line.startswith("#")]


def _parts(line: str) -> Iterator[tuple[str, bool]]:
    pieces = re.split(r"\s+(//?)\s+", line)
    for begin in range(0, len(pieces), 2):
        yield pieces[begin], pieces[begin + 1 : begin + 2] == ["//"]


async def said(every: int, *, harsh: bool = False) -> list[Said]:
    """The table by all voices, every so many-th command; the same in every run. harsh: no pause is only a breath."""
    found: list[Said] = []
    for language, name in VOICES:
        choice = find_voice(language, MODELS, name)
        assert choice is not None, name
        workers = Workers(1, "bench-voice")
        try:
            voice = Synthesizer({language: choice.path}, workers, MODELS / "cuts")
            await voice.open()
            mouth = _Mouth(voice, language, name, harsh)
            rows = table(language)
            found += [await mouth.say(rows[at], random.Random(f"{name}{at}")) for at in range(0, len(rows), every)]
        finally:
            workers.close()
    return found


class _Mouth:
    def __init__(self, voice: Synthesizer, language: Language, name: str, harsh: bool) -> None:
        self._voice, self._language, self._name = voice, language, name
        self._breaths_s = PAUSES_S if harsh else BREATHS_S
        self._said: dict[str, bytes] = {}

    async def say(self, parts: Sequence[tuple[str, bool]], dice: random.Random) -> Said:
        pieces, longest_s, hesitates = [bytes(RATE // 2 * 2)], 0.0, False
        for number, (words, searches) in enumerate(parts):
            pieces.append(await self._one(words))
            if number == len(parts) - 1:
                break
            pause_s = dice.choice(PAUSES_S if searches else self._breaths_s)
            longest_s = max(longest_s, pause_s)
            pieces.append(_quiet(pause_s))
            if searches and dice.random() < 0.5:
                hesitates = True
                pieces += [await self._one(dice.choice(HESITATIONS[self._language])), _quiet(dice.choice(PAUSES_S))]
        return Said(
            " ".join(words for words, _ in parts),
            self._language,
            self._name,
            _in_a_room(b"".join(pieces)),
            longest_s,
            hesitates,
        )

    async def _one(self, words: str) -> bytes:
        if words not in self._said:
            async with aclosing(self._voice.speak(words, self._language, rate=RATE)) as chunks:
                self._said[words] = trimmed(b"".join([chunk async for chunk in chunks]))
        return self._said[words]


def trimmed(pcm: bytes) -> bytes:
    """Without the silence around."""
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)) > SILENT)
    return pcm[2 * loud[0] : 2 * loud[-1] + 2] if len(loud) else b""


def _quiet(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE))


def _in_a_room(pcm: bytes) -> bytes:
    samples = np.frombuffer(pcm, "<i2") / 32768
    return s16le(samples + room(len(samples)))


def room(samples: int) -> np.ndarray:
    """A quiet room's noise, in [-1, 1]."""
    return np.random.default_rng(samples).normal(0.0, ROOM / 32768, samples)


def quiet_room(seconds: float) -> bytes:
    """s16le at 16 kHz."""
    return s16le(room(round(seconds * RATE)))


def said_now(every: int, *, harsh: bool = False) -> list[Said]:
    """`said` for callers without an event loop."""
    return asyncio.run(said(every, harsh=harsh))
