"""German, with what is said in the south and in Austria."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from appliance.dialogue.languages.de.clock import clock
from appliance.dialogue.languages.de.numbers import in_words, number_at, ordinal_in_words
from appliance.dialogue.languages.grammar import Cldr, Clock, load_words
from appliance.dialogue.reading.digits import Found
from appliance.dialogue.saying.durations import two_parts
from appliance.dialogue.saying.numbers import digits, rounded
from appliance.dialogue.saying.texts import capitalised

_QUARTER_OF_AN_HOUR = re.compile(r"\b((?:drei)?viertel)(stunden?|jahr)\b")
_HALF_AN_HOUR = re.compile(r"\b(halbe?)(stunden?)\b")
_SHORT_ARTICLE = re.compile(r"\b'?n(en?|er|em)?(?= \w)")
_SOMETHING_TIMER = re.compile(r"\b([^\W\d]{2,})(timers?|wecker)\b")
_SOMETHING_LIST = re.compile(
    r"\b([^\W\d]+(?:ung|heit|keit|ion|tät|schaft|tag|kauf|laub|beit|fahrt))s(listen?)\b|\b([^\W\d]{3,})(listen?)\b"
)
"""With the s that joins German words, behind endings that take one, and without."""
_SIDED = re.compile(r"\b([^\W\d]{3,})(seitige?[nrms]?)\b")
_DIE = re.compile(r"\bw(\d{1,3})\b")
_ADJECTIVE = re.compile(r"\b([^\W\d]{3,})(minütig|stündig|sekündig)e[nrms]?\b")
_MINUTES = re.compile(r"\b([^\W\d]{3,})((?:minuten|stunden|sekunden)(?:timer|wecker)?)\b")
_DATIVE = {"Tage": "Tagen", "Monate": "Monaten", "Jahre": "Jahren"}
_NEUTER_IN_E = {"B", "kB", "MB", "GB", "TB", "MB/s", "J", "kJ", "ac", "st"}
_TIMERS_OF_THEIR_OWN = {"kurzzeit", "radio", "küchen"}


class German(Cldr):
    code = "de"

    def __init__(self) -> None:
        super().__init__("de")
        self.words = load_words(__name__)
        self._ordinals = {ordinal_in_words(number): number for number in range(1, 100)} | {"siebente": 7}

    def mend(self, text: str) -> str:
        text = _QUARTER_OF_AN_HOUR.sub(r"\1 \2", text)
        text = _HALF_AN_HOUR.sub(r"\1 \2", text)
        text = _SHORT_ARTICLE.sub(r"ein\1", text)  # "ne Viertelstunde"
        text = _SIDED.sub(lambda m: f"{m[1]} {m[2]}" if number_at([m[1]], 0) else m[0], text)  # "zwölfseitig"
        text = _DIE.sub(r"würfel \1 seiten", text)
        text = _ADJECTIVE.sub(_length, text)  # "den halbstündigen Timer"
        text = _SOMETHING_LIST.sub(lambda m: f"{m[1] or m[3]} {m[2] or m[4]}", text)  # "Urlaubsliste"
        text = _MINUTES.sub(lambda m: f"{m[1]} {m[2]}" if number_at([m[1]], 0) else m[0], text)  # "Fünfminutentimer"
        return _SOMETHING_TIMER.sub(lambda m: m[0] if m[1] in _TIMERS_OF_THEIR_OWN else f"{m[1]} {m[2]}", text)

    def number_at(self, words: Sequence[str], start: int) -> Found | None:
        return number_at(words, start)

    def ordinal_at(self, words: Sequence[str], start: int) -> tuple[int, int] | None:
        if start >= len(words):
            return None
        number = self._ordinals.get(re.sub(r"te[nrsm]$", "te", words[start]))
        return (number, start + 1) if number else None

    def clock(self, words: Sequence[str]) -> Clock | None:
        return clock(words)

    def in_words(self, number: int) -> str:
        return in_words(number) if 0 <= number < 1_000_000 else self.number(Fraction(number))

    def ordinal(self, number: int) -> str:
        return ordinal_in_words(number)

    def number(self, value: Fraction, decimals: int = 2) -> str:
        return digits(value, ".", ",", decimals=decimals, times_ten="mal 10 hoch")

    def amount(self, number: Fraction, unit: str, form: str = "") -> str:
        """form: "words" (accusative), "dative" (in words as well), else digits."""
        singular, plural = self.words.unit_names[unit]
        if rounded(number) == 1:
            return f"{self._one(singular, unit, form)} {singular}"
        many = _DATIVE.get(plural, plural) if form == "dative" else plural
        return f"{self.in_words(int(number)) if form else self.number(number)} {many}"

    @staticmethod
    def _one(name: str, unit: str, form: str) -> str:
        if name.split()[0].endswith("e") and unit not in _NEUTER_IN_E:  # Meile, Stunde; not Meter, Pfund, Grad
            return "einer" if form == "dative" else "eine"
        if form == "dative":
            return "einem"
        return "einen" if form == "words" and unit in ("d", "mo") else "ein"

    def duration(self, seconds: float, form: str = "words") -> str:
        """As after "für" and "auf"; form "dative" as after "in"."""
        return self.join(two_parts(seconds, lambda count, unit: self.amount(Fraction(count), unit, form or "words")))

    def time(self, moment: datetime) -> str:
        hours = "ein" if moment.hour == 1 else in_words(moment.hour)
        return f"{hours} Uhr {in_words(moment.minute)}" if moment.minute else f"{hours} Uhr"

    def when(self, moment: datetime, now: datetime) -> str:
        days = (moment.date() - now.date()).days
        if (day := {0: "heute", 1: "morgen", 2: "übermorgen"}.get(days)) is None:
            form = "dative date" if moment.year == now.year else "dative date year"
            day = f"am {self.weekdays[moment.weekday()] if days < 7 else self.day(moment.date(), form)}"
        return f"{day} um {self.time(moment)}"

    def day(self, day: date, form: str = "") -> str:
        """form: "dative" ("am Dienstag, dem dritten März 2026"), "weekday", "short", "date", "year" as parts."""
        weekday, month, ordinal = self.weekdays[day.weekday()], self.months[day.month - 1], ordinal_in_words(day.day)
        if form in ("weekday", "month"):
            return weekday if form == "weekday" else month
        said = f"{ordinal}n {month}" if "dative" in form else f"{ordinal} {month}"
        if "date" in form.split():
            return f"{said} {day.year}" if "year" in form else said
        said = f"{weekday}, {'dem' if 'dative' in form else 'der'} {said}"
        return said if "short" in form else f"{said} {day.year}"

    def forms(self) -> Mapping[str, Any]:
        return {
            "capital": lambda number: capitalised(in_words(int(number))),
            "timer": lambda name: timer_name(str(name)) if name else "Timer",
        }


def _length(match: re.Match[str]) -> str:
    number, unit = match[1], {"minütig": "minuten", "stündig": "stunden", "sekündig": "sekunden"}[match[2]]
    if number == "halb":
        return "halbe stunde"
    if number in ("viertel", "dreiviertel"):
        return f"{number} stunde"
    return f"{number} {unit}" if number_at([number], 0) else match[0]


def timer_name(name: str) -> str:
    """ "Kartoffel-Timer" for "Kartoffeln": German puts names before the thing."""
    return f"{name[:1].upper()}{name[1:]}-Timer"


GERMAN = German()
