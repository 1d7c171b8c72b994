"""Talking over a reply: the wake word and "stop" said while the device speaks, and its own voice in its microphone.

The echo is the reply itself, so much louder or softer than the person than a room and the distances make it. What no
mixture shows: a real loudspeaker's distortion, a room's reverberation of it, and a microphone that clips.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

import numpy as np

from appliance.audio.pcm import RATE, s16le
from appliance.device.stopping import is_stop
from appliance.hearing.vosk import Recognizer, load
from appliance.models.choose import find_recognizer, find_voice
from appliance.speaking.synthesizer import Synthesizer
from appliance.waking.micro import Spotter
from appliance.waking.words import SPEAKING, THRESHOLD
from appliance.workers import Workers
from tests.benchmarks.handsfree.said import trimmed
from tests.benchmarks.handsfree.wakes import ESPEAK, SPOKEN, WARM_S, WORD, Sound, espeak, scores
from tests.support.server import MODELS

ECHOES_DB = (-30, -20, -10, 0)
"""How much louder the device is than the person, at its microphone. A loudspeaker apart from it: 0 and more; with echo
cancellation: -20 and less."""
WHILE_SPEAKING = THRESHOLD + SPEAKING * (1 - THRESHOLD)
REPLIES = (
    "The timer for ten minutes has seven minutes and twenty seconds left, and the pizza timer has three minutes left.",
    "Okay, now you have milk, bread, coffee and sugar on the shopping list, and two reminders for tomorrow morning.",
    "It is a quarter past seven in the evening in London, and a quarter past eight in Berlin, where the sun has set.",
)


@dataclass(frozen=True)
class Over:
    """One word said over a reply."""

    echo_db: int
    is_woken: bool
    is_stopped: bool


async def _replies() -> list[Sound]:
    choice = find_voice("en", MODELS, "en_US-joe-medium")
    assert choice is not None
    workers = Workers(1, "bench-voice")
    try:
        voice = Synthesizer({"en": choice.path}, workers, MODELS / "cuts")
        await voice.open()
        found = []
        for text in REPLIES:
            async with aclosing(voice.speak(text, "en", rate=RATE)) as chunks:
                found.append(np.frombuffer(trimmed(b"".join([chunk async for chunk in chunks])), "<i2") / 32768)
        return found
    finally:
        workers.close()


def _level(sound: Sound) -> float:
    return float(np.sqrt(np.mean(sound**2)))


def over(word: Sound, reply: Sound, echo_db: int) -> Sound:
    """The word over the middle of a reply, after a quiet room."""
    echo = reply * (_level(word) / _level(reply) * 10 ** (echo_db / 20))
    begin = max(0, (len(echo) - len(word)) // 2)
    mixed = np.concatenate([echo, np.zeros(max(0, begin + len(word) - len(echo)))])
    mixed[begin : begin + len(word)] += word
    return np.concatenate([np.zeros(round(WARM_S * RATE)), mixed]) * (0.5 / max(0.5, float(np.abs(mixed).max())))


class Listener:
    """What the device listens with while it speaks."""

    def __init__(self) -> None:
        choice = find_recognizer("en", MODELS)
        assert choice is not None
        _, self._recognizer = load(choice.path)

    def wakes(self, sound: Sound) -> bool:
        spotter = Spotter([WORD])
        found = any(score >= WHILE_SPEAKING for _, score in scores(spotter, sound))
        spotter.close()
        return found

    def stops(self, sound: Sound, says: str) -> bool:
        found, pcm = False, s16le(sound)
        recognizer: Recognizer = self._recognizer
        for begin in range(0, len(pcm), 1280):
            _, text, _ = recognizer.decode(pcm[begin : begin + 1280], False, True)
            found = found or is_stop(text or "", says, "en")
        recognizer.decode(b"", True, False)
        return found


def measure() -> tuple[list[Over], list[tuple[bool, bool]]]:
    """Every voice over every reply; and (woken, stopped) for each reply that nobody talks over."""
    listener, replies = Listener(), asyncio.run(_replies())
    said = []
    for number, voice in enumerate(ESPEAK):
        text, reply = REPLIES[number % len(REPLIES)], replies[number % len(REPLIES)]
        word, stop = espeak(SPOKEN, voice), espeak("stop!", voice)
        for echo_db in ECHOES_DB:
            woken = listener.wakes(over(word, reply, echo_db))
            said.append(Over(echo_db, woken, listener.stops(over(stop, reply, echo_db), text)))
    silence = np.zeros(round(WARM_S * RATE))
    own = [
        (listener.wakes(sound), listener.stops(sound, text))
        for text, sound in (
            (text, np.concatenate([silence, reply])) for text, reply in zip(REPLIES, replies, strict=True)
        )
    ]
    return said, own
