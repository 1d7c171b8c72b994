"""Every number, minute and date: said by Pico, heard by the embedded recognizer, read by understanding.

Pico's words for digits come from CLDR's rules (speaking/readout.py), not from the readers that are tested.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from appliance.audio.pcm import RATE
from appliance.dialogue.types import Intent
from appliance.dialogue.understanding import Understanding
from appliance.hearing.vosk import Recognizer, load
from appliance.language import Language
from appliance.models.choose import find_recognizer, find_voice
from appliance.speaking.synthesizer import _Leveled
from appliance.speaking.voices import load_voice
from tests.support.server import MODELS

QUIET = bytes(2 * RATE // 5)
MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split(),
}


@dataclass(frozen=True)
class Said:
    """A sentence, and whether an intent is what it means."""

    text: str
    means: Callable[[Intent], bool]


@dataclass(frozen=True)
class Heard:
    said: str
    heard: str
    intent: str
    right: bool


def numbers(language: Language) -> list[Said]:
    """0 to 9,999, each in a sum."""
    text = "was ist {} plus drei" if language == "de" else "what is {} plus three"
    return [Said(text.format(number), _adds(number)) for number in range(10_000)]


def _adds(number: int) -> Callable[[Intent], bool]:
    def means(intent: Intent) -> bool:
        expression: Any = intent.slots.get("expression")
        return expression is not None and [part.number for part in expression.operands] == [number, 3]

    return means


def minutes(language: Language) -> list[Said]:
    """Every minute of the day, as a time to be woken."""
    return [Said(_time(minute, language), _at(*divmod(minute, 60), language)) for minute in range(24 * 60)]


def _time(minute: int, language: Language) -> str:
    hour, minute = divmod(minute, 60)
    if language == "de":
        return f"weck mich um {hour}:{minute:02} Uhr"
    oh = "" if minute > 9 else "oh " if minute else "o'clock "
    half = "in the morning" if hour < 12 else "p m"
    return f"wake me up at {(hour - 1) % 12 + 1} {oh}{minute or ''} {half}"


def _at(hour: int, minute: int, language: Language) -> Callable[[Intent], bool]:
    def means(intent: Intent) -> bool:
        moment: Any = intent.slots.get("moment")
        return moment is not None and (moment.hour, moment.minute) == (hour, minute)

    return means


def dates(language: Language) -> list[Said]:
    """Every day of a leap year."""
    found = []
    for number in range(366):
        day = date(2028, 1, 1) + timedelta(number)
        month = MONTHS[language][day.month - 1]
        text = (
            f"wie viele Tage sind es noch bis zum {day.day}. {month}"
            if language == "de"
            else f"how many days until {month} {day.day}"
        )
        found.append(Said(text, _on(day)))
    return found


def _on(day: date) -> Callable[[Intent], bool]:
    def means(intent: Intent) -> bool:
        found: Any = intent.slots.get("day")
        return found is not None and (found.value, found.month) == (day.day, day.month)

    return means


ALL: dict[str, Callable[[Language], list[Said]]] = {"numbers": numbers, "minutes": minutes, "dates": dates}


class Round:
    """Voice, ear and understanding of one language, without a server between them."""

    def __init__(self, language: Language, cache: Path) -> None:
        voice, ear = find_voice(language, MODELS, "pico"), find_recognizer(language, MODELS)
        assert voice is not None and ear is not None
        self._language = language
        self._voice = _Leveled(load_voice(voice.path, language, cache), language)
        self._model, self._recognizer = load(ear.path)
        self._understanding = Understanding()

    def hear(self, said: Said, recognizer: Recognizer | None = None) -> Heard:
        from appliance.speaking.clauses import clauses

        recognizer = recognizer or self._recognizer
        sound = b"".join(
            piece for clause in clauses(said.text, self._language) for piece in self._voice.synthesize(clause, RATE)
        )
        pcm = QUIET + sound + QUIET
        for start in range(0, len(pcm), 2 * RATE):
            last = start + 2 * RATE >= len(pcm)
            _, text, _ = recognizer.decode(pcm[start : start + 2 * RATE], last, False)
        assert text is not None
        intent = self._understanding.understand(text, self._language)
        return Heard(said.text, text, intent.name, said.means(intent))

    def hear_all(self, said: Iterable[Said], threads: int = 2) -> list[Heard]:
        """On several threads; each has its own recognizer."""
        lanes: list[list[Said]] = [[] for _ in range(threads)]
        for number, one in enumerate(said):
            lanes[number % threads].append(one)

        def lane(of: list[Said]) -> list[Heard]:
            recognizer = Recognizer(self._model)
            return [self.hear(one, recognizer) for one in of]

        with ThreadPoolExecutor(threads) as pool:
            return [heard for found in pool.map(lane, lanes) for heard in found]


def sample(said: list[Said], count: int, seed: int = 1) -> list[Said]:
    return random.Random(seed).sample(said, min(count, len(said)))
