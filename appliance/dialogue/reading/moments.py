"""Times of day, as people say them: "half past seven", "viertel vor acht", "tomorrow at six in the evening".

Nothing here knows what time it is; `Moment.resolve` turns what was said into a date and time once a skill knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.dialogue.languages import grammar
from appliance.dialogue.languages.grammar import Part
from appliance.dialogue.reading.days import Day, mentions_day, parse_day
from appliance.language import Language


@dataclass(frozen=True)
class Moment:
    """A time of day, possibly with a day. `hour` is 0 to 23 when `exact`, else 1 to 12 on a clock's face."""

    hour: int
    minute: int
    exact: bool
    day: Day | None = None
    waking: bool = False
    """Whether it is for waking up: then in the morning, if nothing else was said."""

    def resolve(self, now: datetime) -> datetime:
        """The next such moment after `now`, in its time zone; before `now` only if a past day was asked for.

        Without "am", "abends" or the like: for waking up the morning, else the next one a clock's face shows at an
        hour when people are up; twelve is noon.
        """
        base = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.day is not None:
            day = self.day.resolve(now.date())
            base = base.replace(year=day.year, month=day.month, day=day.day)
            moments = [base.replace(hour=hour, minute=self.minute) for hour in self.hours()]
            if self.day.kind == "weekday" and all(moment <= now for moment in moments):
                return moments[0] + timedelta(days=7)
            return next((moment for moment in moments if moment > now), moments[0])
        days = [base + timedelta(days=ahead) for ahead in (0, 1)]
        moments = [day.replace(hour=hour, minute=self.minute) for day in days for hour in self.hours()]
        return min(moment for moment in moments if moment > now)

    def hours(self) -> list[int]:
        """The hours of the day that may be meant, the likely one first."""
        if self.exact:
            return [self.hour % 24]
        if self.hour % 12 == 0:
            return [12]
        if self.waking and (self.hour >= 4 or self.day is not None):
            return [self.hour]
        if self.day is not None:  # "tomorrow at three" is in the afternoon, "tomorrow at eight" in the morning
            return [self.hour + 12, self.hour] if self.hour <= 6 else [self.hour, self.hour + 12]
        return [self.hour + 12] if self.hour < 6 and not self.waking else [self.hour, self.hour + 12]

    def __str__(self) -> str:
        return f"{f'{self.day} ' if self.day else ''}{self.hour}:{self.minute:02}{'' if self.exact else '?'}"


def parse_moment(text: str, language: Language) -> Moment | None:
    """The whole text as a time of day, with an optional day before, behind or around it."""
    words = text.split()
    day, part, rest = _take_day_and_part(words, language)
    table = grammar(language).words
    if rest and rest[0] in table.set("in_days") and table.units.get(rest[-1]) == "h":
        return None  # "in eight hours"
    around = table.set("before_moment")
    while rest and rest[0] in around and " ".join(rest) not in table.noon:
        rest = rest[1:]
    while rest and rest[-1] in around:
        rest = rest[:-1]
    if len(rest) > 1 and rest[-1] in table.articles:
        return None  # "um siebzehn Uhr eine Erinnerung"
    noon = table.noon.get(" ".join(rest))
    if noon is not None:
        midnight_ahead = noon == (0, 0) and day is not None and day.kind == "offset" and day.value == 0
        return Moment(*noon, True, Day("offset", 1) if midnight_ahead else day)
    clock = grammar(language).clock(rest) if set(rest) - table.articles else None
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
    if part == "noon":
        return hour % 12 + (0 if hour in (10, 11) else 12)
    return hour % 12 + 12


def _take_day_and_part(words: list[str], language: Language) -> tuple[Day | None, Part, list[str]]:
    """Pulls "tomorrow", "on friday", "in the evening" out of the words, wherever they stand."""
    table = grammar(language).words
    day: Day | None = None
    part: Part = ""
    rest: list[str] = []
    position = 0
    while position < len(words):
        for end in range(min(len(words), position + 5), position, -1):
            phrase = " ".join(words[position:end])
            if not part and phrase in table.parts:
                part = table.parts[phrase]
                if (offset := table["parts_with_day"].get(phrase)) is not None:
                    day = day or Day("offset", offset)
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
