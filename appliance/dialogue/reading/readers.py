"""Words of a slot to its values: what sentence files may name in braces.

A reader gets the words of one slot and answers the slots they mean, or None if they cannot be read: then the sentence
is no match. A name between them ("timer_name") decides what words may be swallowed by an open slot.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance.dialogue.reading.days import parse_day
from appliance.dialogue.reading.measures import parse_duration, parse_duration_at, parse_quantity
from appliance.dialogue.reading.moments import parse_moment
from appliance.dialogue.reading.numerals import parse_number
from appliance.dialogue.reading.units import parse_unit_at
from appliance.language import Language

Slots = dict[str, object]
Reader = Callable[[str, Language], Slots | None]


def one(slot: str, parse: Callable[[str, Language], object | None]) -> Reader:
    """A reader of a single value."""

    def read(text: str, language: Language) -> Slots | None:
        value = parse(text, language)
        return None if value is None else {slot: value}

    return read


_ARTICLES: dict[Language, frozenset[str]] = {
    "en": frozenset("the a an my our for".split()),
    "de": frozenset("der die das den dem des ein eine einen einem einer mein meine meinen meinem für".split()),
}
_NOT_IN_NAMES: dict[Language, frozenset[str]] = {
    "en": frozenset(
        "timer timers alarm minute minutes second seconds hour hours set cancel all the pause minus".split()),
    "de": frozenset(
        "timer wecker minute minuten sekunde sekunden stunde stunden alle minus stellen starten setzen".split()),
}
_POLITE = frozenset("please thanks bitte danke".split())
_MAX_NAME_WORDS, _MAX_NAME_CHARACTERS = 4, 40
_MAX_TASK_WORDS = 15


def parse_name(text: str, language: Language) -> str | None:
    """What a timer is called, without its article: "den pizza" is "pizza"."""
    words = text.split()
    while words and words[0] in _ARTICLES[language]:
        words = words[1:]
    if not 1 <= len(words) <= _MAX_NAME_WORDS or len(text) > _MAX_NAME_CHARACTERS:
        return None
    if not (_NOT_IN_NAMES[language] | _POLITE).isdisjoint(words):
        return None
    if any(parse_number([word], 0, language) for word in words):
        return None  # "timer for ten" is no timer called "ten"
    return " ".join(words)


def read_task(text: str, language: Language) -> Slots | None:
    words = text.split()
    if not 1 <= len(words) <= _MAX_TASK_WORDS or words[-1] in _POLITE:
        return None  # "… at six please" is read again without "please"
    return {"name": " ".join(words)}


def read_named_duration(text: str, language: Language) -> Slots | None:
    """ "ten minute pizza", "die pizza 10 minuten": a duration before or behind a name."""
    words = text.split()
    for start in range(len(words)):
        found = parse_duration_at(words, start, language)
        if found is not None and (start == 0 or found[1] == len(words)):
            name = parse_name(" ".join(words[:start] + words[found[1] :]), language)
            return {"duration_s": found[0], "name": name} if name else None
    return None


def read_task_and_moment(text: str, language: Language) -> Slots | None:
    """ "call mum tomorrow at six", "tomorrow to call mum": the longest time at one end, the rest is the task."""
    words = text.split()
    for split in range(1, len(words)):
        if (moment := parse_moment(" ".join(words[split:]), language)) is not None:
            return {"name": " ".join(words[:split]), "moment": moment}
    for split in range(len(words) - 1, 0, -1):
        if (moment := parse_moment(" ".join(words[:split]), language)) is not None:
            return {"name": " ".join(words[split:]), "moment": moment}
    return None


def read_unit_and_quantity(text: str, language: Language) -> Slots | None:
    """ "meter eine meile", as in "wie viele Meter eine Meile hat"."""
    words = text.split()
    found = parse_unit_at(words, 0, language)
    quantity = parse_quantity(" ".join(words[found[1] :]), language) if found else None
    return {"unit": found[0], "quantity": quantity} if found and quantity else None


DURATION = one("duration_s", parse_duration)
START = one("start_s", parse_duration)
"""How long the timer that is meant was set for."""
MOMENT = one("moment", parse_moment)
DAY = one("day", parse_day)
NAME = one("name", parse_name)
