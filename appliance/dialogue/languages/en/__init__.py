"""English, with British lists and both ways of naming half an hour."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from appliance.dialogue.languages.en.clock import clock
from appliance.dialogue.languages.en.numbers import in_words, number_at, ordinal_in_words
from appliance.dialogue.languages.grammar import Cldr, Clock, load_words
from appliance.dialogue.reading.digits import Found
from appliance.dialogue.saying.durations import two_parts
from appliance.dialogue.saying.numbers import digits, rounded

_NOON = re.compile(r"\b([ap])\s?\.?\s?m\b\.?")
_DIE = re.compile(r"\b(\d{0,2})d(\d{1,3})\b")
_TYPED_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")


class English(Cldr):
    code = "en"

    def __init__(self) -> None:
        super().__init__("en_GB")
        self.words = load_words(__name__)
        self._ordinals = {ordinal_in_words(number).replace("-", " "): number for number in range(1, 100)}

    def mend(self, text: str) -> str:
        text = _DIE.sub(lambda m: f"{m[1]} dice {m[2]} sides".strip(), text)  # "2d6"
        return _TYPED_ORDINAL.sub(r"\1 th", _NOON.sub(r"\1m ", text))

    def number_at(self, words: Sequence[str], start: int) -> Found | None:
        return number_at(words, start)

    def ordinal_at(self, words: Sequence[str], start: int) -> tuple[int, int] | None:
        for end in (start + 2, start + 1):
            text = " ".join(words[start:end])
            if end <= len(words) and text.endswith(" th") and text[:-3].isdecimal():
                return int(text[:-3]), end
            if end <= len(words) and text in self._ordinals:
                return self._ordinals[text], end
        return None

    def clock(self, words: Sequence[str]) -> Clock | None:
        return clock(words)

    def in_words(self, number: int) -> str:
        return in_words(number) if 0 <= number < 1_000_000 else self.number(Fraction(number))

    def ordinal(self, number: int) -> str:
        return ordinal_in_words(number)

    def number(self, value: Fraction, decimals: int = 2) -> str:
        return digits(value, ",", ".", decimals=decimals)

    def amount(self, number: Fraction, unit: str, form: str = "") -> str:
        singular, plural = self.words.unit_names[unit]
        if rounded(number) == 1:
            return f"one {singular}"
        return f"{self.in_words(int(number)) if form == 'words' else self.number(number)} {plural}"

    def duration(self, seconds: float, form: str = "") -> str:
        return self.join(two_parts(seconds, lambda count, unit: self.amount(Fraction(count), unit, "words")))

    def time(self, moment: datetime) -> str:
        hour, minute = moment.hour, moment.minute
        if minute == 0:
            return {0: "midnight", 12: "noon"}.get(hour) or f"{in_words(hour % 12)} o'clock"
        past = minute <= 30
        minutes = minute if past else 60 - minute
        face_hour = in_words(((hour if past else hour + 1) - 1) % 12 + 1)
        if minutes in (15, 30):
            said = "quarter" if minutes == 15 else "half"
        else:
            said = in_words(minutes) + ("" if minutes % 5 == 0 else " minute" if minutes == 1 else " minutes")
        return f"{said} {'past' if past else 'to'} {face_hour}"

    def when(self, moment: datetime, now: datetime) -> str:
        days, time = (moment.date() - now.date()).days, self.time(moment)
        part = "morning" if moment.hour < 12 else "afternoon" if moment.hour < 18 else "evening"
        round_hour = time in ("noon", "midnight")
        if days == 0:
            return f"{time} today" if round_hour else f"{time} this {part}"
        if days >= 7:
            return f"{time} on {self.day(moment.date(), 'date' if moment.year == now.year else 'date year')}"
        day = "tomorrow" if days == 1 else f"on {self.weekdays[moment.weekday()]}"
        return f"{time} {day}" if round_hour else f"{time} {day} {part}"

    def day(self, day: date, form: str = "") -> str:
        weekday = self.weekdays[day.weekday()]
        said = f"{self.months[day.month - 1]} {ordinal_in_words(day.day)}"
        match form:
            case "weekday":
                return weekday
            case "month":
                return self.months[day.month - 1]
            case "date":
                return said
            case "date year":
                return f"{said}, {day.year}"
            case "short":
                return f"{weekday}, {said}"
            case _:
                return f"{weekday}, {said}, {day.year}"

    def forms(self) -> Mapping[str, Any]:
        return {
            "timer": lambda name: f"{name} timer".strip(),
            "a_timer": lambda name: _with_article(f"{name} timer".strip()),
            "an": _with_article,
        }


def _with_article(text: object) -> str:
    return f"{'an' if str(text)[:1].lower() in 'aeiou' else 'a'} {text}"


ENGLISH = English()
