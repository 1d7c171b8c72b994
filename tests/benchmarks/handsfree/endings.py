"""Where the rule ends each command, and where 0.7 s of silence would have: sound time, as fast as it can be heard."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from appliance.attention import Attended, Attention
from appliance.audio.endpointing import ByWords, End, Heard, Silence
from appliance.audio.pcm import RATE
from appliance.audio.voice import VoiceDetector
from appliance.config import EndpointConfig
from appliance.dialogue.dialogue import Dialogue
from appliance.dialogue.types import Memory
from appliance.dialogue.understanding import Understanding
from appliance.hearing.vosk import LoadedModel, Recognizer, load
from appliance.language import Language
from appliance.listening import Listening
from appliance.models.choose import find_recognizer
from appliance.state.database import Database
from appliance.state.timers import TimerStore
from tests.benchmarks.handsfree.said import Said, quiet_room
from tests.support.server import MODELS

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
CHUNK_BYTES = 1024
AFTER_S = 10.0
"""Quiet after the last word; longer than any wait after a word."""
SILENCE_RULE_S = 0.7
"""Home Assistant's, and most others' (FIELD: 0.5 to 0.8 s)."""


@dataclass(frozen=True)
class Ending:
    said: Said
    end: End
    wait_s: float
    """From the last sound of the voice to the endpoint; negative if it was cut."""
    by_silence_s: float
    """The same for SILENCE_RULE_S of silence."""
    heard: str

    @property
    def is_cut(self) -> bool:
        return self.wait_s < 0


class _BySilence:
    def __init__(self) -> None:
        self._silence, self._has_spoken = Silence(), False

    def feed(self, heard: Heard) -> bool:
        self._silence.feed(heard.voices or (), heard.partial)
        self._has_spoken |= self._silence.is_voice
        return self._has_spoken and self._silence.seconds >= SILENCE_RULE_S


class _Both:
    """The rule under test and the other one on the same sound; `at` counts the samples that both have heard."""

    def __init__(self) -> None:
        self._words, self._silence = ByWords(EndpointConfig()), _BySilence()
        self.at = 0
        self.end: End | None = None
        self.end_at = self.silence_at = 0

    def feed(self, heard: Heard) -> End | None:
        self.at += heard.samples
        if not self.silence_at and self._silence.feed(heard):
            self.silence_at = self.at
        if self.end is None and (end := self._words.feed(heard)) is not None:
            self.end, self.end_at = end, self.at
        return self.end if self.silence_at else None


async def _at_once(function: Callable[[*Ts], T], *args: *Ts) -> T:
    return function(*args)


async def endings(commands: list[Said], report: Callable[[str], None]) -> list[Ending]:
    """All of them, one after the other."""
    models: dict[Language, LoadedModel] = {}
    recognizers: dict[Language, Recognizer] = {}
    for language in {one.language for one in commands}:
        choice = find_recognizer(language, MODELS)
        assert choice is not None
        models[language], recognizers[language] = load(choice.path)
    with tempfile.TemporaryDirectory() as folder, Database(Path(folder) / "state.sqlite3") as database:
        mind = Dialogue(Understanding(), TimerStore(database), run=_at_once)
        time = [0.0]
        attention = Attention(EndpointConfig(), mind, VoiceDetector, _at_once, lambda: False, lambda: time[0])
        found = []
        for one in commands:
            found.append(await _ending(one, attention, recognizers[one.language], time))
            if found[-1].is_cut:
                report(
                    f"cut {-found[-1].wait_s:.1f} s early: {one.text!r} ({one.voice}) after {found[-1].heard!r}"
                    f" by {found[-1].end.setting}"
                )
        return found


async def _ending(said: Said, attention: Attention, recognizer: Recognizer, time: list[float]) -> Ending:
    rule = _Both()
    ended: list[End] = []
    pcm = said.pcm + quiet_room(AFTER_S)
    now = Listening("bench", said.language, len(pcm), rule, None)
    source = Attended(now, attention, Memory(), ended.append)
    now.partial, heard = "", ""
    for begin in range(0, len(pcm), CHUNK_BYTES):
        time[0] += CHUNK_BYTES / 2 / RATE
        now.write(pcm[begin : begin + CHUNK_BYTES])
        _, text, _ = recognizer.decode(await source.read(), False, True)
        if ended:
            break
        now.partial = text
        heard = heard if rule.end is not None else text or ""
    recognizer.decode(b"", True, False)
    assert rule.end is not None, f"{said.text!r} never ended"
    last = len(said.pcm) // 2
    return Ending(said, rule.end, (rule.end_at - last) / RATE, (rule.silence_at - last) / RATE, heard)
