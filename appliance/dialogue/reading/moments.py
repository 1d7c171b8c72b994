"""Times of day, as people say them: "half past seven", "viertel vor acht", "tomorrow at six in the evening".

Nothing here knows what time it is; `Moment.resolve` turns what was said into a date and time once a skill knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from appliance.dialogue.reading.days import Day, mentions_day, parse_day
from appliance.dialogue.reading.numerals import parse_number
from appliance.language import Language

Part = Literal["", "morning", "afternoon", "evening", "night"]


@dataclass(frozen=True)
class Moment:
    """A time of day, possibly with a day. `hour` is 0 to 23 when `exact`, else 1 to 12 on a clock's face."""

    hour: int
    minute: int
    exact: bool
    day: Day | None = None

    def resolve(self, now: datetime, *, waking: bool = False) -> datetime:
        """The next such moment after `now`, in its time zone; before `now` only if a past day was asked for.

        Without "am", "abends" or the like it is the next one a clock's face shows; `waking` and a named day mean
        the morning, but for a named day the hours from 1 to 6 mean the afternoon unless it is for waking up.
        """
        base = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.day is not None:
            day = self.day.resolve(now.date())
            hour = self.hour % 24 if self.exact else self.hour % 12 + (12 if self._afternoon(waking) else 0)
            moment = base.replace(year=day.year, month=day.month, day=day.day, hour=hour, minute=self.minute)
            if moment <= now and not self.exact and moment + timedelta(hours=12) > now and hour < 12 and not waking:
                return moment + timedelta(hours=12)
            if moment <= now and self.day.kind == "weekday":
                return moment + timedelta(days=7)
            return moment
        hours = [self.hour % 24] if self.exact else [self.hour % 12, self.hour % 12 + 12]
        if waking and not self.exact and 4 <= self.hour <= 11:
            hours = [self.hour]
        moments = [
            (base + timedelta(days=days)).replace(hour=hour, minute=self.minute) for days in (0, 1) for hour in hours
        ]
        return min(moment for moment in moments if moment > now)

    def _afternoon(self, waking: bool) -> bool:
        return self.hour == 12 or (not waking and self.hour <= 6)

    def __str__(self) -> str:
        return f"{f'{self.day} ' if self.day else ''}{self.hour}:{self.minute:02}{'' if self.exact else '?'}"


_PARTS: dict[Language, dict[str, Part]] = {
    "en": {
        "am": "morning", "pm": "afternoon", "a m": "morning", "p m": "afternoon", "in the morning": "morning",
        "morning": "morning", "this morning": "morning", "in the afternoon": "afternoon", "this afternoon": "afternoon",
        "in the evening": "evening", "this evening": "evening", "evening": "evening", "afternoon": "afternoon",
        "tonight": "evening", "at night": "night",
    },
    "de": {
        "morgens": "morning", "am morgen": "morning", "früh": "morning", "in der früh": "morning",
        "vormittags": "morning", "am vormittag": "morning", "vormittag": "morning", "nachmittags": "afternoon",
        "am nachmittag": "afternoon", "nachmittag": "afternoon", "abends": "evening", "am abend": "evening",
        "abend": "evening", "mittags": "afternoon", "nachts": "night", "in der nacht": "night",
        "morgen früh": "morning",
    },
}  # fmt: skip
_NOON: dict[Language, dict[str, tuple[int, int]]] = {
    "en": {"noon": (12, 0), "midday": (12, 0), "midnight": (0, 0)},
    "de": {"mittag": (12, 0), "mittags": (12, 0), "zwölf uhr mittags": (12, 0), "mitternacht": (0, 0)},
}
_IGNORED = {"at", "on", "for", "um", "gegen", "ab", "auf", "für", "clock", "by", "the"}


def parse_moment(text: str, language: Language) -> Moment | None:
    """The whole text as a time of day, with an optional day before, behind or around it."""
    words = text.split()
    day, part, rest = _take_day_and_part(words, language)
    while rest and rest[0] in _IGNORED:
        rest = rest[1:]
    while rest and rest[-1] in ("at", "um", "on"):
        rest = rest[:-1]
    noon = _NOON[language].get(" ".join(rest))
    if noon is not None:
        midnight_ahead = noon == (0, 0) and day is not None and day.kind == "offset" and day.value == 0
        return Moment(*noon, True, Day("offset", 1) if midnight_ahead else day)
    clock = _english_clock(rest) if language == "en" else _german_clock(rest)
    if clock is None:
        return None
    hour, minute, exact = clock
    if part and hour <= 12:
        hour, exact = _in_part(hour, part), True
    return Moment(hour, minute, exact, day)


def _in_part(hour: int, part: Part) -> int:
    if part == "morning":
        return hour % 12
    if part == "night":
        return hour % 12 + (12 if 6 <= hour < 12 else 0)
    return hour % 12 + 12


def _take_day_and_part(words: list[str], language: Language) -> tuple[Day | None, Part, list[str]]:
    """Pulls "tomorrow", "on friday", "in the evening" out of the words, wherever they stand."""
    day: Day | None = None
    part: Part = ""
    rest: list[str] = []
    position = 0
    while position < len(words):
        for end in range(min(len(words), position + 5), position, -1):
            phrase = " ".join(words[position:end])
            if not part and phrase in _PARTS[language]:
                part = _PARTS[language][phrase]
                if phrase == "tonight":
                    day = day or Day("offset", 0)
                elif phrase == "morgen früh":
                    day = day or Day("offset", 1)
                break
            found = parse_day(phrase, language) if day is None and mentions_day(phrase, language) else None
            if found is not None:
                day = found
                break
        else:
            rest.append(words[position])
            position += 1
            continue
        position = end
    return day, part, rest


Clock = tuple[int, int, bool]
"""Hour, minute, and whether it is known which half of the day is meant."""


def _typed_clock(words: Sequence[str]) -> Clock | None:
    """ "7:30", "18.00"."""
    hour, _, minute = words[0].replace(".", ":").partition(":") if len(words) == 1 else ("", "", "")
    if not (hour.isdecimal() and minute.isdecimal() and len(minute) == 2 and int(hour) < 25 and int(minute) < 60):
        return None
    return int(hour) % 24, int(minute), int(hour) > 12 or hour.startswith("0")


def _whole(words: Sequence[str], language: Language) -> int | None:
    found = parse_number(words, 0, language) if words else None
    return int(found[0]) if found and found[1] == len(words) and found[0].denominator == 1 else None


def _english_clock(words: list[str]) -> Clock | None:
    if words and words[-1] in ("o'clock", "oclock", "hours", "sharp"):
        words = words[:-1]
    if typed := _typed_clock(words):
        return typed
    for middle, sign in (("past", 1), ("after", 1), ("to", -1), ("till", -1), ("before", -1)):
        if middle in words:
            index = words.index(middle)
            minutes = _english_minutes([word for word in words[:index] if word not in ("a", "minutes", "minute")])
            hour = _whole(words[index + 1 :], "en")
            return _shifted(hour, sign * minutes) if minutes is not None and hour is not None else None
    for split in range(1, len(words) + 1):  # "seven", "seven thirty", "six oh five", "eighteen hundred"
        hour, rest = _whole(words[:split], "en"), words[split:]
        if hour is None or not 0 <= hour < 24:
            continue
        if rest and rest[0] in ("oh", "o", "zero") and len(rest) == 2:
            minute = _whole(rest[1:], "en")
        else:
            minute = _whole(rest, "en") if rest else 0
            if rest and (minute is None or minute < 10):
                continue
        if minute is not None and 0 <= minute < 60:
            return hour, minute, hour > 12 or hour == 0
    return None


def _english_minutes(words: list[str]) -> int | None:
    if words == ["half"]:
        return 30
    return 15 if words == ["quarter"] else _whole(words, "en")


def _shifted(hour: int, minutes: int) -> Clock | None:
    if not 0 <= hour <= 24 or abs(minutes) > 59:
        return None
    hour, minute = divmod(hour * 60 + minutes, 60)
    exact = hour > 12
    return (hour % 24 if exact else (hour - 1) % 12 + 1), minute, exact


def _german_clock(words: list[str]) -> Clock | None:
    if not words:
        return None
    if words[-1] == "uhr":  # "halb acht uhr", "6.30 uhr"; "sieben uhr" means seven in the morning on a 24-hour clock
        clock = _german_clock(words[:-1]) if len(words) > 1 else None
        return (clock[0], clock[1], True) if clock and _whole(words[:-1], "de") is not None else clock
    if typed := _typed_clock(words):
        return typed[0], typed[1], True
    if "uhr" in words:
        index = words.index("uhr")
        hour, minute = _whole(words[:index], "de"), _whole(words[index + 1 :], "de")
        if hour is None or minute is None or not 0 <= hour <= 24 or not 0 <= minute < 60:
            return None
        return hour % 24, minute, True
    if words[0] in ("halb", "viertel", "dreiviertel") and (hour := _whole(words[1:], "de")) is not None:
        return _shifted(hour, {"halb": -30, "viertel": -45, "dreiviertel": -15}[words[0]])
    for middle, sign in (("nach", 1), ("vor", -1)):
        if middle in words:
            index = words.index(middle)
            before = [word for word in words[:index] if word not in ("minuten", "minute")]
            minutes = 15 if before == ["viertel"] else _whole(before, "de")
            base = _german_clock(words[index + 1 :])
            if minutes is None or base is None or not 0 <= minutes < 60:
                return None
            hour, minute = divmod(base[0] * 60 + base[1] + sign * minutes, 60)
            return (hour % 24 if base[2] else (hour - 1) % 12 + 1), minute, base[2]
    hour = _whole(words, "de")
    if hour is not None and 0 <= hour <= 24:
        return hour % 24, 0, hour > 12 or hour == 0
    return None
