"""Days, as people say them: "tomorrow", "next Friday", "3. März", "Weihnachten".

Nothing here knows what day it is; `Day.resolve` turns what was said into a date once a skill knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from appliance.dialogue.reading.measures import parse_duration_at
from appliance.dialogue.reading.numerals import parse_number, parse_ordinal, word_at
from appliance.language import Language


@dataclass(frozen=True)
class Day:
    """A day as it was said. kind "offset": days from today; "weekday": 0 is Monday; "date": month and day."""

    kind: Literal["offset", "weekday", "date", "easter"]
    value: int = 0
    month: int = 0
    year: int = 0
    """0: not said, the next one that comes."""
    name: str = ""
    """The feast's name, for the reply."""

    def __str__(self) -> str:
        if self.kind == "date":
            return self.name or f"{self.year or '*'}-{self.month:02}-{self.value:02}"
        return self.name or f"{self.kind} {self.value}"

    def resolve(self, today: date) -> date:
        """The next such day, today included. Raises ValueError for a day that does not exist (30 February)."""
        match self.kind:
            case "offset":
                return today + timedelta(days=self.value)
            case "weekday":
                return today + timedelta(days=(self.value - today.weekday()) % 7)
            case "easter":
                this_year = easter_sunday(today.year)
                return this_year if this_year >= today else easter_sunday(today.year + 1)
            case "date":
                if self.year:
                    return date(self.year, self.month, self.value)
                for year in range(today.year, today.year + 9):  # 29 February may be eight years away: 2096, 2104
                    existing = _existing(year, self.month, self.value)
                    if existing is not None and existing >= today:
                        return existing
                raise ValueError(f"no day {self.value} in month {self.month}")


def _existing(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def easter_sunday(year: int) -> date:
    """Gregorian Easter: the anonymous algorithm printed in Nature, 20 April 1876 (Meeus/Jones/Butcher)."""
    golden = year % 19
    century, year_of_century = divmod(year, 100)
    leap_centuries, rest = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_centuries - correction + 15) % 30
    weekday = (32 + 2 * rest + 2 * (year_of_century // 4) - epact - year_of_century % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


WEEKDAYS: dict[Language, tuple[str, ...]] = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
}
MONTHS: dict[Language, tuple[str, ...]] = {
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December"),
    "de": ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
           "Dezember"),
}  # fmt: skip
_MONTH_NUMBERS: dict[Language, dict[str, int]] = {
    language: {name.lower(): number for number, name in enumerate(MONTHS[language], 1)} for language in ("en", "de")
}
_WEEKDAY_NUMBERS: dict[Language, dict[str, int]] = {
    language: {name.lower(): number for number, name in enumerate(WEEKDAYS[language])} for language in ("en", "de")
}
_WEEKDAY_NUMBERS["de"]["sonnabend"] = 5
_WEEKDAY_NUMBERS["en"]["wensday"] = 2

_FEASTS: dict[Language, dict[str, Day]] = {
    "en": {
        "christmas": Day("date", 25, 12, name="Christmas"), "christmas day": Day("date", 25, 12, name="Christmas"),
        "christmas eve": Day("date", 24, 12, name="Christmas Eve"), "new year": Day("date", 1, 1, name="New Year"),
        "new year's eve": Day("date", 31, 12, name="New Year's Eve"), "new year's": Day("date", 1, 1, name="New Year"),
        "new year's day": Day("date", 1, 1, name="New Year"), "halloween": Day("date", 31, 10, name="Halloween"),
        "valentine's day": Day("date", 14, 2, name="Valentine's Day"), "easter": Day("easter", name="Easter"),
        "valentines day": Day("date", 14, 2, name="Valentine's Day"), "easter sunday": Day("easter", name="Easter"),
        "the new year": Day("date", 1, 1, name="New Year"),
    },
    "de": {
        "weihnachten": Day("date", 25, 12, name="Weihnachten"), "heiligabend": Day("date", 24, 12, name="Heiligabend"),
        "heilig abend": Day("date", 24, 12, name="Heiligabend"), "silvester": Day("date", 31, 12, name="Silvester"),
        "neujahr": Day("date", 1, 1, name="Neujahr"), "ostern": Day("easter", name="Ostern"),
        "nikolaus": Day("date", 6, 12, name="Nikolaus"), "halloween": Day("date", 31, 10, name="Halloween"),
        "valentinstag": Day("date", 14, 2, name="Valentinstag"), "ostersonntag": Day("easter", name="Ostern"),
    },
}  # fmt: skip
_RELATIVE: dict[Language, dict[str, int]] = {
    "en": {"today": 0, "tomorrow": 1, "yesterday": -1, "the day after tomorrow": 2, "day after tomorrow": 2,
           "the day before yesterday": -2},
    "de": {"heute": 0, "morgen": 1, "gestern": -1, "übermorgen": 2, "vorgestern": -2, "überübermorgen": 3},
}  # fmt: skip
_BEFORE_DAY = {"on", "the", "this", "next", "coming", "am", "den", "dem", "der", "nächsten", "nächster", "kommenden"}
_BEFORE_DAY |= {"diesen", "zum", "of", "zu", "bis", "until", "nächste", "kommender"}


def parse_day(text: str, language: Language) -> Day | None:
    """The whole text as a day: "tomorrow", "next friday", "the third of march", "in five days", "24.12"."""
    words = text.split()
    if text in _RELATIVE[language]:
        return Day("offset", _RELATIVE[language][text])
    while words and words[0] in _BEFORE_DAY and " ".join(words) not in _FEASTS[language]:
        words = words[1:]
    if not words:
        return None
    rest = " ".join(words)
    if rest in _FEASTS[language]:
        return _FEASTS[language][rest]
    if rest in _WEEKDAY_NUMBERS[language]:
        return Day("weekday", _WEEKDAY_NUMBERS[language][rest])
    return _days_ahead(words, language) or _calendar_day(words, language)


def _days_ahead(words: Sequence[str], language: Language) -> Day | None:
    if words[0] != "in":
        return None
    found = parse_duration_at(words, 1, language)
    if found is None or found[1] != len(words) or found[0] % 86_400:
        return None
    return Day("offset", int(found[0] // 86_400))


def _calendar_day(words: list[str], language: Language) -> Day | None:
    if len(words) == 1 and len(parts := words[0].split(".")) in (2, 3) and all(part.isdecimal() for part in parts):
        return _checked(int(parts[0]), int(parts[1]), int(parts[2]) if len(parts) == 3 else 0)
    months = _MONTH_NUMBERS[language]
    if words[0] in months:  # "march third"
        start = 2 if word_at(words, 1) == "the" else 1
        found = parse_ordinal(words, start, language)
        month, end = months[words[0]], found[1] if found else 0
    else:  # "third of march", "dritter märz", "dritter dritter"
        found = parse_ordinal(words, 0, language)
        if found is None:
            return None
        end = found[1] + (word_at(words, found[1]) == "of")
        month = months.get(word_at(words, end), 0)
        if not month and language == "de" and (number := parse_ordinal(words, end, language)) is not None:
            month, end = number[0], number[1] - 1
        end += 1
    if found is None:
        return None
    year = parse_number(words, end, language) if end < len(words) else None
    if end < len(words) and (year is None or year[1] != len(words) or not 1 <= year[0] <= 9998):
        return None
    return _checked(found[0], month, int(year[0]) if year else 0)


def _checked(day: int, month: int, year: int) -> Day | None:
    if 0 < year < 100:
        year += 2000
    if not 1 <= month <= 12 or _existing(year or 2000, month, day) is None:
        return None
    return Day("date", day, month, year)


def mentions_day(phrase: str, language: Language) -> bool:
    """Whether a day, weekday, month or feast is named: "seven thirty" must not become the 7th of the 30th."""
    named = (_RELATIVE[language], _WEEKDAY_NUMBERS[language], _MONTH_NUMBERS[language], _FEASTS[language])
    return any(word in names for word in phrase.split() for names in named)
