"""What comes again, as people say it: "every Monday", "werktags", "every other Friday", "alle zwei Stunden"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from appliance.dialogue.languages import grammar
from appliance.dialogue.languages.grammar import Part, Words
from appliance.dialogue.reading.days import parse_day
from appliance.dialogue.reading.numerals import parse_number, word_at
from appliance.dialogue.utterance import Span, Utterance
from appliance.language import Language
from appliance.recurrence import following

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_BYDAY = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True)
class Repeat:
    """When something comes again; the time of day stands elsewhere, but for `part`."""

    days: tuple[int, ...] = ()
    """Weekdays, 0 is Monday; () and nothing else: every day."""
    weeks: int = 1
    month_day: int = 0
    month: int = 0
    """With month_day: once a year."""
    seconds: int = 0
    """Every so many seconds instead."""
    part: Part = ""
    """ "every morning" says roughly when."""

    @property
    def rule(self) -> str:
        """As RFC 5545 writes it."""
        if self.seconds:
            return f"FREQ=SECONDLY;INTERVAL={self.seconds}"
        if self.month:
            return f"FREQ=YEARLY;BYMONTH={self.month};BYMONTHDAY={self.month_day}"
        if self.month_day:
            return f"FREQ=MONTHLY;BYMONTHDAY={self.month_day}"
        if not self.days:
            return "FREQ=DAILY"
        interval = f";INTERVAL={self.weeks}" if self.weeks > 1 else ""
        return f"FREQ=WEEKLY{interval};BYDAY={','.join(_BYDAY[day] for day in self.days)}"

    def __str__(self) -> str:
        if self.seconds:
            return f"every:{self.seconds}"
        if self.month:
            return f"yearly:{self.month:02}-{self.month_day:02}"
        if self.month_day:
            return f"monthly:{self.month_day}"
        days = ",".join(_DAYS[day] for day in self.days)
        return f"every:{self.weeks}w:{days}" if self.weeks > 1 else days or "daily"

    def first(self, hour: int, minute: int, now: datetime) -> datetime:
        """The first time after now, at that hour of local time."""
        start = now.replace(hour=hour, minute=minute, second=0, microsecond=0) - timedelta(days=1)
        if self.seconds:
            return following(self.rule, now.replace(microsecond=0), now)
        return following(replace(self, weeks=1).rule, start, now)


def repeats(utterance: Utterance) -> Iterator[Span]:
    """Every place where something recurring is said; slot `repeat`."""
    words, language = utterance.words, utterance.language
    for start in range(len(words)):
        found = parse_repeat_at(words, start, language)
        if found is not None:
            yield Span(start, found[1], {"repeat": found[0]})


def parse_repeat_at(words: Sequence[str], start: int, language: Language) -> tuple[Repeat, int] | None:
    table = grammar(language).words
    at = start
    while word_at(words, at) in table["repeat"]["before"]:
        at += 1
    if (phrase := _phrase(words, at, table)) is not None:
        return phrase
    every = word_at(words, at) in table["repeat"]["every"]
    if every:
        return _every(words, at + 1, language)
    if (monthly := _monthly(words, at, language)) is not None:
        return monthly
    days, end = _weekdays(words, at, table)
    if len(days) > 1 or days and words[at] in table["repeat"]["plural_days"]:
        return Repeat(days), end
    return None


def _phrase(words: Sequence[str], start: int, table: Words) -> tuple[Repeat, int] | None:
    for end in range(min(len(words), start + 5), start, -1):
        meaning = table["repeat"]["phrases"].get(" ".join(words[start:end]))
        if meaning is None:
            continue
        days, _, part = str(meaning).partition(" ")
        chosen = {"daily": (), "weekdays": (0, 1, 2, 3, 4), "weekend": (5, 6)}[days]
        return Repeat(chosen, part=part), end  # type: ignore[arg-type]
    return None


def _every(words: Sequence[str], at: int, language: Language) -> tuple[Repeat, int] | None:
    """What stands behind "every"."""
    table = grammar(language).words
    weeks = 2 if word_at(words, at) in table["repeat"]["other"] else 1
    days, end = _weekdays(words, at + (weeks == 2), table)
    if days:
        return Repeat(days, weeks), end
    ordinal = grammar(language).ordinal_at(words, at)
    if ordinal is not None and 1 <= ordinal[0] <= 31:  # "every first of the month"
        end = ordinal[1]
        while word_at(words, end) in table["repeat"]["of_month"]:
            end += 1
        return Repeat(month_day=ordinal[0]), end
    found = parse_number(words, at, language)
    number, at = (found[0], found[1]) if found else (1, at)
    unit = table.units.get(word_at(words, at))
    if unit in ("min", "h") and number * {"min": 60, "h": 3600}[unit] >= 60:
        return Repeat(seconds=int(number * {"min": 60, "h": 3600}[unit])), at + 1
    if unit == "wk":
        days, end = _on_days(words, at + 1, table)
        return (Repeat(days, int(number)), end) if days else None
    if unit in ("mo", "yr"):
        return _on_date(words, at + 1, unit, language)
    return None


def _monthly(words: Sequence[str], at: int, language: Language) -> tuple[Repeat, int] | None:
    """ "the first of every month", "am ersten jedes Monats"."""
    table = grammar(language).words
    while word_at(words, at) in table.articles:
        at += 1
    ordinal = grammar(language).ordinal_at(words, at)
    if ordinal is None or not 1 <= ordinal[0] <= 31:
        return None
    end = ordinal[1]
    while word_at(words, end) in table["repeat"]["of_month"]:
        end += 1
    every = set(table["repeat"]["every"]) & set(words[ordinal[1] : end])
    return (Repeat(month_day=ordinal[0]), end) if every else None


def _on_days(words: Sequence[str], at: int, table: Words) -> tuple[tuple[int, ...], int]:
    while word_at(words, at) in table.set("before_day"):
        at += 1
    return _weekdays(words, at, table)


def _on_date(words: Sequence[str], at: int, unit: str, language: Language) -> tuple[Repeat, int] | None:
    for end in range(min(len(words), at + 5), at, -1):
        day = parse_day(" ".join(words[at:end]), language)
        if day is not None and day.kind == "month day" and unit == "mo":
            return Repeat(month_day=day.value), end
        if day is not None and day.kind == "date" and unit == "yr":
            return Repeat(month_day=day.value, month=day.month), end
    return None


def _weekdays(words: Sequence[str], at: int, table: Words) -> tuple[tuple[int, ...], int]:
    """Weekdays in a row, or from one to another: "monday wednesday and friday", "montag bis freitag"."""
    days: list[int] = []
    end = at
    while True:
        word = word_at(words, at)
        if word in table.weekdays:
            days.append(table.weekdays[word])
            at += 1
            end = at
        elif days and word in table["repeat"]["through"] and word_at(words, at + 1) in table.weekdays:
            last = table.weekdays[words[at + 1]]
            days += [day % 7 for day in range(days[-1] + 1, last + 1 if last > days[-1] else last + 8)]
            at += 2
            end = at
        elif days and word in table["repeat"]["and"]:
            at += 1
        else:
            return tuple(sorted(dict.fromkeys(days))), end
