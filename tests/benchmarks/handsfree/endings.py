"""Where the rule ends each command, and where 0.7 s of silence would have: sound time, as fast as it can be heard.

Each command is heard once, to its end; what was known at each moment is kept, and the rules are asked afterwards.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, TypeVarTuple

import numpy as np

from appliance.attention import Attended, Attention
from appliance.audio.endpointing import AFTER_S as LISTENS_S
from appliance.audio.endpointing import ByWords, End, Heard, Silence, Waits
from appliance.audio.pcm import RATE
from appliance.audio.voice import VoiceDetector
from appliance.config import EndpointConfig
from appliance.dialogue.dialogue import Dialogue
from appliance.dialogue.types import Memory
from appliance.dialogue.understanding import Understanding
from appliance.hearing.vosk import Recognizer, load
from appliance.language import Language
from appliance.listening import Listening
from appliance.models.choose import find_recognizer
from appliance.state.database import Database
from appliance.state.timers import TimerStore
from tests.benchmarks.handsfree.said import SILENT, Said, quiet_room
from tests.support.server import MODELS

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
CHUNK_BYTES = 1024
AFTER_S = 4.0
"""Quiet after the last word; longer than any wait after a word."""
SILENCE_RULE_S = 0.7
"""Home Assistant's, and most others' (FIELD: 0.5 to 0.8 s)."""


@dataclass(frozen=True)
class Trace:
    """All that was known while one command was heard."""

    said: Said
    heard: Sequence[Heard]
    text: str
    """All of it, heard without any end in between."""


@dataclass(frozen=True)
class Ending:
    said: Said
    end: End
    at: int
    """Samples heard by then."""
    by_silence_s: float
    """As `wait_s`, for SILENCE_RULE_S of silence."""
    heard: str

    @property
    def wait_s(self) -> float:
        """From the last sound of the voice to the endpoint; negative if it was cut."""
        return (self.at - len(self.said.pcm) // 2) / RATE

    @property
    def is_cut(self) -> bool:
        return self.wait_s < 0


class _Listens(ByWords):
    """Ends nothing, and keeps what it was told."""

    def __init__(self) -> None:
        super().__init__(EndpointConfig())
        self.told: list[Heard] = []

    def feed(self, heard: Heard) -> End | None:
        super().feed(heard)
        self.told.append(heard)
        return None


async def _at_once(function: Callable[[*Ts], T], *args: *Ts) -> T:
    return function(*args)


class Bench:
    """The recognizers and the mind. Used in a `with`."""

    def __init__(self, languages: set[Language]) -> None:
        self._recognizers: dict[Language, Recognizer] = {}
        for language in languages:
            choice = find_recognizer(language, MODELS)
            assert choice is not None
            _, self._recognizers[language] = load(choice.path)
        self._folder = tempfile.TemporaryDirectory()
        self._database = Database(Path(self._folder.name) / "state.sqlite3")
        self.mind = Dialogue(Understanding(), TimerStore(self._database), run=_at_once)
        self._time = 0.0
        self._attention = Attention(
            EndpointConfig(), self.mind, VoiceDetector, _at_once, lambda: False, lambda: self._time
        )

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
        self._folder.cleanup()

    async def trace(self, said: Said) -> Trace:
        rule, recognizer = _Listens(), self._recognizers[said.language]
        pcm = said.pcm + quiet_room(AFTER_S)
        now = Listening("bench", said.language, len(pcm), rule, None)
        source = Attended(now, self._attention, Memory(), lambda end: None)
        now.partial = ""
        for begin in range(0, len(pcm), CHUNK_BYTES):
            self._time += CHUNK_BYTES / 2 / RATE
            now.write(pcm[begin : begin + CHUNK_BYTES])
            while now.sound.waiting:
                now.partial = recognizer.decode(await source.read(), False, True)[1]
        _, text, _ = recognizer.decode(b"", True, False)
        return Trace(said, rule.told, text or "")

    def hear(self, pcm: bytes, language: Language) -> str:
        """What is heard in all of it."""
        recognizer = self._recognizers[language]
        for begin in range(0, len(pcm), RATE):
            recognizer.decode(pcm[begin : begin + RATE], False, False)
        return recognizer.decode(b"", True, False)[1] or ""

    async def is_put_right(self, ending: Ending, whole: str) -> bool:
        """Whether who was cut off is listened to again, and answered as if they had not been."""
        pcm, at, language = ending.said.pcm, 2 * ending.at, ending.said.language
        loud = np.flatnonzero(np.abs(np.frombuffer(pcm[at:], "<i2").astype(np.int32)) > SILENT)
        if not len(loud) or loud[0] > LISTENS_S * RATE:
            return False
        first, rest = self.hear(pcm[:at], language), self.hear(pcm[at:] + quiet_room(0.5), language)
        joined = await self.mind.joined(first, rest, language, Memory())
        return bool(joined) and await self._meaning(joined, language) == await self._meaning(whole, language)

    async def _meaning(self, text: str, language: Language) -> tuple[str, dict[str, object]]:
        intent = (await self.mind.consider(text, language, Memory())).intent
        return intent.name, dict(intent.slots)


def ended(trace: Trace, waits: Waits) -> Ending:
    """Where the rule with this table of silences ends it."""
    rule, silence = ByWords(waits), Silence()
    at = silence_at = 0
    has_spoken = False
    found: tuple[End, int, str] | None = None
    for heard in trace.heard:
        at += heard.samples
        silence.feed(heard.voices or (), heard.partial)
        has_spoken |= silence.is_voice
        if not silence_at and has_spoken and silence.seconds >= SILENCE_RULE_S:
            silence_at = at
        if found is None and (end := rule.feed(heard)) is not None:
            found = end, at, heard.partial or ""
    end, ended_at, partial = found or (End("silence", "endpoint.nothing_s", AFTER_S), at, "")
    return Ending(trace.said, end, ended_at, (silence_at - len(trace.said.pcm) // 2) / RATE, partial)
