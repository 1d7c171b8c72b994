"""Days, as people say them: "tomorrow", "3. März", "Weihnachten", "ninety days after the first of March".

Nothing here knows what day it is; `Day.resolve` turns what was said into a date once a skill knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from dateutil.easter import easter
from dateutil.relativedelta import relativedelta

from appliance.dialogue.languages import grammar
from appliance.dialogue.reading.measures import duration_steps
from appliance.dialogue.reading.numerals import parse_number, parse_ordinal, word_at
from appliance.language import Language


@dataclass(frozen=True)
class Day:
    """A day as it was said, and how far from it the day is that is meant."""

    kind: Literal["offset", "weekday", "week day", "date", "easter", "month day"]
    """offset: days from today; weekday: 0 is Monday; week day: that of this week; date: month and day; easter: days
    from Easter Sunday; month day: "the 15th", of whatever month comes next."""
    value: int = 0
    month: int = 0
    year: int = 0
    """0: not said, the next one that comes."""
    name: str = ""
    """The feast's name, for the reply."""
    shift_days: int = 0
    shift_months: int = 0
    past: bool = False
    """The last one instead of the next."""

    def __str__(self) -> str:
        if self.kind == "date":
            said = self.name or f"{self.year or '*'}-{self.month:02}-{self.value:02}"
        else:
            said = self.name or f"{self.kind} {self.value}"
        shift = "".join(f" {n:+}{unit}" for n, unit in ((self.shift_months, "mo"), (self.shift_days, "d")) if n)
        return said + (" past" if self.past else "") + shift

    def resolve(self, today: date) -> date:
        """The next such day, today included. Raises ValueError for a day that does not exist (30 February)."""
        shifted: date = self._base(today) + relativedelta(months=self.shift_months, days=self.shift_days)
        return shifted

    def _base(self, today: date) -> date:
        match self.kind:
            case "offset":
                return today + timedelta(days=self.value)
            case "weekday":
                ahead = (self.value - today.weekday()) % 7
                return today + timedelta(days=ahead - 7 if self.past else ahead)
            case "week day":
                return today + timedelta(days=self.value - today.weekday())
            case "easter":
                years = [self.year] if self.year else [today.year - 1, today.year, today.year + 1]
                return self._nearest([easter(year) + timedelta(days=self.value) for year in years], today)
            case "month day":
                months = [date(today.year, today.month, 1) + relativedelta(months=n) for n in range(-1, 4)]
                return self._nearest([_existing(m.year, m.month, self.value) for m in months], today)
            case "date":
                if self.year:
                    return date(self.year, self.month, self.value)
                if (self.shift_days or self.shift_months) and (this := _existing(today.year, self.month, self.value)):
                    return this  # "ninety days after the first of March" counts from this year's
                around = range(today.year - 8, today.year + 9)  # 29 February may be eight years away: 2096, 2104
                return self._nearest([_existing(year, self.month, self.value) for year in around], today)

    def _nearest(self, days: Sequence[date | None], today: date) -> date:
        """The last one before today if the past is meant, else the first from today on."""
        existing = [day for day in days if day is not None]
        if len(existing) == 1 and self.year:
            return existing[0]
        chosen = [day for day in existing if (day < today if self.past else day >= today)]
        if not chosen:
            raise ValueError(f"no day {self.value} in month {self.month}")
        return chosen[-1] if self.past else chosen[0]


def _existing(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def parse_day(text: str, language: Language) -> Day | None:
    """The whole text as a day: "tomorrow", "next friday", "the third of march", "in five days", "24.12"."""
    words = text.split()
    return _relative(words, language) or _ahead(words, language) or _shifted(words, language)


def _relative(words: Sequence[str], language: Language) -> Day | None:
    table = grammar(language).words
    while words and words[0] in table.set("before_day") and " ".join(words) not in {**table.relative_days}:
        words = words[1:]
    offset = table.relative_days.get(" ".join(words))
    return None if offset is None else Day("offset", offset)


def _simple(words: list[str], language: Language) -> Day | None:
    """A day with a name or a number."""
    table = grammar(language).words
    past, inside = False, bool(words) and words[0] in table.set("in_days")
    while words and (words[0] in table.set("before_day") | table.set("last")) and " ".join(words) not in table.feasts:
        past = past or words[0] in table.set("last")
        words = words[1:]
    if not words:
        return None
    rest = " ".join(words)
    for end in (len(words), len(words) - 1):  # a feast, and a year behind it
        if (feast := table.feasts.get(" ".join(words[:end]))) is not None:
            year = 0 if end == len(words) else _year(words, end, language)
            if year is not None:
                return replace(_feast(*feast), past=past, year=year)
    if rest in table.weekdays:
        return Day("weekday", table.weekdays[rest], past=past)
    day = _calendar_day(words, language)
    if inside and day is not None and day.kind == "month day":
        return None  # "in a second" is a while, "on the second" a day
    return replace(day, past=past) if day and past else day


def _feast(name: str, rule: Mapping[str, Any]) -> Day:
    if "easter" in rule:
        return Day("easter", int(rule["easter"]), name=name)
    month, day = str(rule["date"]).split("-")
    return Day("date", int(day), int(month), name=name)


def _steps(words: Sequence[str], start: int, language: Language) -> tuple[int, int, int] | None:
    """Days, months, and the position behind "three weeks", "zwei Monaten"; None for hours."""
    found = duration_steps(words, start, language)
    if found is None:
        return None
    days = months = 0
    for value, unit in found[0]:
        if unit not in ("d", "wk", "mo", "yr") or value.denominator != 1:
            return None
        days += int(value) * {"d": 1, "wk": 7}.get(unit, 0)
        months += int(value) * {"mo": 1, "yr": 12}.get(unit, 0)
    return days, months, found[1]


def _ahead(words: Sequence[str], language: Language) -> Day | None:
    """ "in five days", "two weeks from now", "three days ago", "vor einer Woche"."""
    table = grammar(language).words
    ago = bool(words) and words[0] in table.set("ago_before")
    inside = ago or bool(words) and words[0] in table.set("in_days")
    steps = _steps(words, 1 if inside else 0, language)
    if steps is None:
        return None
    days, months, end = steps
    tail = " ".join(words[end:])
    if ago and not tail or tail in table.set("ago"):
        return Day("offset", 0, shift_days=-days, shift_months=-months) if months else Day("offset", -days)
    if inside and not tail or tail in table.set("from_now"):
        return Day("offset", 0, shift_days=days, shift_months=months) if months else Day("offset", days)
    return None


def _shifted(words: list[str], language: Language) -> Day | None:
    """A plain day, or one counted from it: "a week from saturday", "Freitag in einer Woche", "drei Tage vor Ostern"."""
    table = grammar(language).words
    if (day := _simple(words, language)) is not None:
        return day
    if (steps := _steps(words, 0, language)) is not None:
        days, months, end = steps
        for signed, names in ((1, table.set("after")), (-1, table.set("before"))):
            for width in (2, 1):
                if " ".join(words[end : end + width]) in names and len(words) > end + width:
                    base = parse_day(" ".join(words[end + width :]), language)
                    return base and replace(
                        base,
                        name="",
                        shift_days=base.shift_days + signed * days,
                        shift_months=base.shift_months + signed * months,
                    )
    for split in range(1, len(words) - 1):  # "friday in two weeks", "heute in acht tagen"
        if words[split] in table.set("in_days") and (steps := _steps(words, split + 1, language)) is not None:
            base = _simple(words[:split], language) or _relative(words[:split], language)
            if base is not None and steps[2] == len(words):
                days = table.table.get("said_weeks", {}).get(steps[0], steps[0])  # "heute in acht Tagen" is a week
                return replace(base, shift_days=days, shift_months=steps[1])
    return _of_week(words, language)


def _of_week(words: list[str], language: Language) -> Day | None:
    """ "next week friday", "freitag nächste woche": counted from Monday of that week."""
    table = grammar(language).words
    text = f" {' '.join(words)} "
    for phrase, weeks in table.table.get("weeks", {}).items():
        if f" {phrase} " in text:
            rest = [word for word in text.replace(f" {phrase} ", " ", 1).split() if word not in table.set("before_day")]
            if len(rest) == 1 and rest[0] in table.weekdays:
                return Day("week day", table.weekdays[rest[0]], shift_days=7 * weeks)
    return None


def _calendar_day(words: list[str], language: Language) -> Day | None:
    if len(words) == 1 and len(parts := words[0].split(".")) in (2, 3) and all(part.isdecimal() for part in parts):
        return _checked(int(parts[0]), int(parts[1]), int(parts[2]) if len(parts) == 3 else 0)
    table = grammar(language).words
    if words[0] in table.months:  # "march third"
        start = 2 if word_at(words, 1) in table.articles else 1
        found = parse_ordinal(words, start, language)
        month, end = table.months[words[0]], found[1] if found else 0
    else:  # "third of march", "dritter märz", "dritter dritter"
        found = parse_ordinal(words, 0, language)
        if found is None:
            return None
        ordinal = grammar(language).ordinal_at(words, 0) is not None
        end = found[1] + (word_at(words, found[1]) in table.set("of_month"))
        month = table.months.get(word_at(words, end), 0)
        if end == len(words) and ordinal and 1 <= found[0] <= 31:
            return Day("month day", found[0])
        if not month and ordinal and (number := grammar(language).ordinal_at(words, end)) is not None:
            month, end = number[0], number[1] - 1
        end += 1
    if found is None:
        return None
    year = _year(words, end, language)
    return None if year is None else _checked(found[0], month, year)


def _year(words: Sequence[str], start: int, language: Language) -> int | None:
    """The year that ends the words; 0 if they end before; None if something else stands there."""
    if start >= len(words):
        return 0
    found = parse_year_at(words, start, language)
    return found[0] if found and found[1] == len(words) else None


def parse_year_at(words: Sequence[str], start: int, language: Language) -> tuple[int, int] | None:
    """ "2026", "twenty twenty six", "neunzehnhundertneunundachtzig"."""
    found = parse_number(words, start, language)
    if found is None or found[0].denominator != 1 or not 1 <= found[0] <= 9998:
        return None
    rest = parse_number(words, found[1], language) if 10 <= found[0] <= 21 else None
    if rest is not None and rest[0].denominator == 1 and 10 <= rest[0] <= 99:
        return int(found[0] * 100 + rest[0]), rest[1]
    return int(found[0]), found[1]


def _checked(day: int, month: int, year: int) -> Day | None:
    if 0 < year < 100:
        year += 2000
    if not 1 <= month <= 12 or _existing(year or 2000, month, day) is None:
        return None
    return Day("date", day, month, year)


def mentions_day(phrase: str, language: Language) -> bool:
    """Whether a day, weekday, month or feast is named: "seven thirty" must not become the 7th of the 30th."""
    table = grammar(language).words
    words = phrase.split()
    if any(word in names for word in words for names in (table.relative_days, table.weekdays, table.months)):
        return True
    if any(f" {feast} " in f" {phrase} " for feast in table.feasts):
        return True
    counted = any(table.units.get(word) in ("d", "wk", "mo", "yr") for word in words)
    last = grammar(language).ordinal_at(words, len(words) - 1)
    return counted or words[0] in table.set("before_day") and last is not None
