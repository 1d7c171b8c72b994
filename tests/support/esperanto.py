"""A third, tiny language: everything that a language has to bring, and nothing in the house that knows it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from appliance.dialogue import dialogue as dialogue_module
from appliance.dialogue.actions import SetTimer
from appliance.dialogue.dialogue import Dialogue
from appliance.dialogue.family import Family
from appliance.dialogue.languages import GRAMMARS
from appliance.dialogue.languages.grammar import Cldr, Clock, Words, load_yaml
from appliance.dialogue.reading.digits import Found
from appliance.dialogue.reading.spans import DURATION
from appliance.dialogue.types import Context, Intent, Reply
from appliance.dialogue.understanding import Understanding
from appliance.speaking.languages import READINGS
from appliance.speaking.languages.reading import Reading
from appliance.state.database import Database
from appliance.state.timers import TimerStore
from tests.utterances.scene import StillClock, _at_once

_NUMBERS = {word: value for value, word in enumerate("nul unu du tri kvar kvin ses sep ok naŭ dek".split())}
_WORDS = """
symbols: {}
articles: [la]
units: {min: [minuto, minutoj], h: [horo, horoj]}
classes: {filler: "bonvolu", function: "por, al, la", changer: "ne, aŭ"}
"""
_SENTENCES = """
words: {timer: horloĝo, set: "metu, faru"}
intents:
  EggTimer: {means: "meti horloĝon", frames: ["timer {duration} set?"]}
replies: {set: "La horloĝo sonoros post {length:duration}."}
help: {what: horloĝoj, example: "metu horloĝo dek minutoj"}
"""


_TURN = """
replies: {what: "Mi ne komprenas.", shall_i: "Ĉu {meant}?"}
"""


class Esperanto(Cldr):
    code = "eo"
    words = Words.of(load_yaml(_WORDS))

    def __init__(self) -> None:
        super().__init__("eo")

    def mend(self, text: str) -> str:
        return re.sub(r"\bhorloĝon\b", "horloĝo", text)

    def number_at(self, words: Sequence[str], start: int) -> Found | None:
        value = _NUMBERS.get(words[start]) if start < len(words) else None
        return None if value is None else (Fraction(value), start + 1)

    def ordinal_at(self, words: Sequence[str], start: int) -> tuple[int, int] | None:
        return None

    def clock(self, words: Sequence[str]) -> Clock | None:
        return None

    def in_words(self, number: int) -> str:
        return next(word for word, value in _NUMBERS.items() if value == number)

    ordinal = in_words

    def number(self, value: Fraction, decimals: int = 2) -> str:
        return str(value)

    def amount(self, number: Fraction, unit: str, form: str = "") -> str:
        return f"{self.in_words(int(number))} {self.words.unit_names[unit][number != 1]}"

    def duration(self, seconds: float, form: str = "") -> str:
        return self.amount(Fraction(int(seconds), 60), "min")

    def time(self, moment: datetime) -> str:
        return str(moment)

    def when(self, moment: datetime, now: datetime) -> str:
        return str(moment)

    def day(self, day: date, form: str = "") -> str:
        return str(day)

    def forms(self) -> Mapping[str, Any]:
        return {}


def egg_timer(intent: Intent, context: Context) -> Reply:
    seconds = float(str(intent.slots["duration_s"]))
    return context.say("eggs.set", length=seconds, actions=[SetTimer("timer", context.now, "", seconds)])


READING = Reading(
    code="eo",
    group=" ",
    point=",",
    decimal="komo",
    dot="punkto",
    minus="minus",
    one="unu",
    signs={"+": " plus ", "°": " gradoj "},
    units={"km": "kilometroj"},
    abbreviations=frozenset({"ktp."}),
    clock=lambda hour, minute: f"la {hour}-a kaj {minute}",
    year=lambda century, rest: str(100 * century + rest),
    greeting="Bonan matenon, la suno brilas kaj la birdoj kantas.",
    left_out="La resto mankas.",
)


def learn(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Family]:
    """Teach it to the house, until the test is over. Returns the families that know it; their files are in `folder`."""
    eggs, turn = folder / "eggs", folder / "turn"
    for place, text in ((eggs, _SENTENCES), (turn, _TURN)):
        place.mkdir()
        (place / "sentences.eo.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setitem(GRAMMARS, "eo", Esperanto())
    monkeypatch.setitem(READINGS, "eo", READING)
    monkeypatch.setattr(dialogue_module, "LANGUAGES", ("eo",))
    return [
        Family(
            "eggs", {"EggTimer": egg_timer}, acts=frozenset({"EggTimer"}), readers={"duration": DURATION}, folder=eggs
        ),
        Family("turn", {"": lambda intent, context: context.say("turn.what", understood=False)}, folder=turn),
    ]


def mind(families: list[Family], database: Database) -> Dialogue:
    understanding = Understanding(families, ["eo"])
    return Dialogue(understanding, TimerStore(database, StillClock()), families=families, run=_at_once)
