"""Values in an utterance: every place where a slot can be read. Families register these, and their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from appliance.dialogue.languages import grammar
from appliance.dialogue.reading.days import Day, mentions_day, parse_day, parse_year_at
from appliance.dialogue.reading.measures import parse_duration_at, parse_quantity_at
from appliance.dialogue.reading.moments import Moment, parse_moment
from appliance.dialogue.reading.numerals import parse_number
from appliance.dialogue.reading.units import parse_unit_at
from appliance.dialogue.utterance import Span, Utterance
from appliance.language import Language

SpanReader = Callable[[Utterance], Iterable[Span]]
Parse = Callable[[Sequence[str], int, Language], tuple[object, int] | None]

_LONGEST_MOMENT = 9


def beginning(slot: str, parse: Parse, quality: float = 1.0) -> SpanReader:
    """A reader of what a parser finds from each word on."""

    def read(utterance: Utterance) -> Iterator[Span]:
        for start in range(len(utterance.words)):
            found = parse(utterance.words, start, utterance.language)
            if found is not None:
                yield Span(start, found[1], {slot: found[0]}, quality)

    return read


def whole(slot: str, parse: Callable[[str, Language], object | None], longest: int) -> SpanReader:
    """A reader of what a parser makes of some words together; the longest from each word on."""

    def read(utterance: Utterance) -> Iterator[Span]:
        for start in range(len(utterance.words)):
            for end in range(min(len(utterance.words), start + longest), start, -1):
                value = parse(utterance.text(start, end), utterance.language)
                if value is not None:
                    yield Span(start, end, {slot: value})
                    break

    return read


def within(slot: str, parse: Callable[[str, Language], object | None]) -> SpanReader:
    """As `whole`, for times and days: only where all words could belong to one."""

    def read(utterance: Utterance) -> Iterator[Span]:
        words = utterance.words
        fits = [_of_time(word, utterance.language) for word in words]
        for start in range(len(words)):
            end = start
            while end < len(words) and fits[end] and end < start + _LONGEST_MOMENT:
                end += 1
            for stop in range(end, start, -1):
                value = parse(utterance.text(start, stop), utterance.language)
                if value is not None:
                    yield Span(start, stop, {slot: value})
                    break

    return read


@lru_cache(4096)
def _of_time(word: str, language: Language) -> bool:
    """Whether a word can be part of a time or a day."""
    rules = grammar(language)
    return (
        word in _time_words(language)
        or word[:1].isdigit()
        or rules.number_at([word], 0) is not None
        or (rules.ordinal_at([word], 0) is not None)
    )


@lru_cache(8)
def _time_words(language: Language) -> frozenset[str]:
    words = grammar(language).words
    phrases = [*words.parts, *words.noon, *words.weekdays, *words.months, *words.relative_days, *words.feasts]
    phrases += [word for word, unit in words.units.items() if unit in ("d", "wk", "mo", "yr", "min", "h")]
    for name in (
        "before_day",
        "before_moment",
        "last",
        "in_days",
        "from_now",
        "after",
        "before",
        "ago",
        "ago_before",
        "of_month",
        "weeks",
        "clock",
        "one",
        "of_a",
        "and",
    ):
        phrases += list(words.table.get(name, ()))
    return frozenset(word for phrase in phrases for word in phrase.split())


def _day(text: str, language: Language) -> object | None:
    return parse_day(text, language) if mentions_day(text, language) else None


def _whole_number_at(words: Sequence[str], start: int, language: Language) -> tuple[int, int] | None:
    found = parse_number(words, start, language)
    return (int(found[0]), found[1]) if found and found[0].denominator == 1 else None


DURATION = beginning("duration_s", parse_duration_at)
START = beginning("start_s", parse_duration_at)
"""How long the timer that is meant was set for."""
MOMENT = within("moment", parse_moment)


def _days(utterance: Utterance) -> Iterator[Span]:
    """Days, also with the year told by today's: "Easter next year"."""
    years = grammar(utterance.language).words.table.get("years", {})
    for span in within("day", _day)(utterance):
        day, end = span.slots["day"], span.end
        for width in (2, 1):
            offset = years.get(utterance.text(end, end + width))
            if offset is not None and utterance.today and isinstance(day, Day) and not day.year:
                day, end = replace(day, year=utterance.today.year + offset), end + width
        yield Span(span.start, end, {"day": day})


def year(utterance: Utterance) -> Iterator[Span]:
    """ "2027", "twenty twenty seven", "next year"."""
    names = grammar(utterance.language).words.table.get("years", {})
    for start in range(len(utterance.words)):
        for width in (2, 1):
            if utterance.today and (offset := names.get(utterance.text(start, start + width))) is not None:
                yield Span(start, start + width, {"year": utterance.today.year + offset})
        found = parse_year_at(utterance.words, start, utterance.language)
        if found is not None and 1000 <= found[0] <= 9998:
            yield Span(start, found[1], {"year": found[0]})


def _waking(utterance: Utterance) -> Iterator[Span]:
    for span in MOMENT(utterance):
        moment = span.slots["moment"]
        if isinstance(moment, Moment):
            yield Span(span.start, span.end, {"moment": replace(moment, waking=True)})


WAKING = _waking
"""A moment for waking up."""
DAY = _days
QUANTITY = beginning("quantity", parse_quantity_at)
UNIT = beginning("unit", parse_unit_at)


def whole_number(slot: str) -> SpanReader:
    return beginning(slot, _whole_number_at)


def number(slot: str) -> SpanReader:
    return beginning(slot, parse_number)


def values(slot: str, table: Iterable[tuple[str, object]], *, said: bool = False) -> SpanReader:
    """A reader of words that stand for values: the classes "slot=value" of a family's sentence file.

    said: the slot holds the words that were said, and slot_key what they stand for.
    """
    listed = tuple(table)

    def read(utterance: Utterance) -> Iterator[Span]:
        for name, value in listed:
            for start, end in utterance.hits.get(name, ()):
                words = utterance.text(start, end)
                yield Span(start, end, {slot: words, f"{slot}_key": value} if said else {slot: value})

    return read
