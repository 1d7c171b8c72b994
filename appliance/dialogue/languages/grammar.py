"""What must be known of a language to read what people say and to say what the house has to say.

A language is a package here: its words as data (words.yaml) and, in code, what data cannot tell: how numbers and
times of day are put together. `Grammar` is everything that the rest of the dialogue sees of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from importlib.resources import files
from typing import Any, Literal, Protocol

import yaml
from babel import Locale
from babel.lists import format_list

from appliance.dialogue.reading.digits import Found
from appliance.language import Language

Part = Literal["", "morning", "noon", "afternoon", "evening", "night"]
"""A part of the day."""
Clock = tuple[int, int, bool]
"""Hour, minute, and whether it is known which half of the day is meant."""


class Grammar(Protocol):
    """One language. Words are normalised: lower case, no punctuation."""

    code: Language
    words: Words

    # Words → values

    def mend(self, text: str) -> str:
        """Text in lower case with what only this language writes put right: "ne Viertelstunde", "7 p.m."."""

    def number_at(self, words: Sequence[str], start: int) -> Found | None:
        """The longest number that begins at words[start], and the position behind it."""

    def ordinal_at(self, words: Sequence[str], start: int) -> tuple[int, int] | None:
        """ "third", "dritten", "3 th": its number, and the position behind it."""

    def clock(self, words: Sequence[str]) -> Clock | None:
        """All the words as a time on a clock: "half past seven", "viertel vor acht", "18:30"."""

    # Values → words

    def in_words(self, number: int) -> str:
        """A whole number from 0 to 999,999; others as digits."""

    def ordinal(self, number: int) -> str:
        """ "third", "dritte", for 1 to 99."""

    def number(self, value: Fraction, decimals: int = 2) -> str:
        """Digits, grouped and rounded: "1,234.5", "minus 3"; see saying/numbers.py."""

    def join(self, items: Sequence[str], word: Literal["and", "or"] = "and") -> str:
        """ "a, b and c"."""

    def plural(self, number: float) -> str:
        """The category of CLDR that a number asks for: "one", "other"."""

    def amount(self, number: Fraction, unit: str, form: str = "") -> str:
        """A number and its unit: "one mile", "eine Meile", "zwei Tagen" (form "dative"); unit is a key of units."""

    def duration(self, seconds: float, form: str = "") -> str:
        """The two largest parts in words: "one hour and five minutes"."""

    def time(self, moment: datetime) -> str:
        """ "half past three", "fünfzehn Uhr dreißig"."""

    def when(self, moment: datetime, now: datetime) -> str:
        """A moment as it completes "rings …": "tomorrow at half past six in the morning"."""

    def day(self, day: date, form: str = "") -> str:
        """ "Tuesday, March third, 2026"; form "dative", "weekday", "short" (without the year)."""

    def forms(self) -> Mapping[str, Any]:
        """What reply texts may write behind the colon of a value, beyond the forms of saying/replies.py."""


@dataclass(frozen=True)
class Words:
    """words.yaml, ready to be looked up."""

    table: Mapping[str, Any]
    weekdays: Mapping[str, int]
    months: Mapping[str, int]
    relative_days: Mapping[str, int]
    feasts: Mapping[str, tuple[str, Mapping[str, Any]]]
    """Word to the feast's name and rule: {date: 12-25} or {easter: days after Easter Sunday}."""
    parts: Mapping[str, Part]
    noon: Mapping[str, tuple[int, int]]
    units: Mapping[str, str]
    """Word to the unit's key."""
    unit_names: Mapping[str, tuple[str, str]]
    """Key to singular and plural."""
    articles: frozenset[str]
    minus: frozenset[str]

    def __getitem__(self, name: str) -> Any:
        return self.table[name]

    def set(self, name: str) -> frozenset[str]:
        return frozenset(self.table.get(name, ()))

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Words:
        units: dict[str, str] = {}
        names: dict[str, tuple[str, str]] = {}
        for key, words in table.get("units", {}).items():
            names[key] = (words[0].removeprefix("!"), words[min(1, len(words) - 1)].removeprefix("!"))
            for word in words:
                units.setdefault(word.lower(), key)
        return cls(
            table, table.get("weekdays", {}), table.get("months", {}), table.get("relative_days", {}),
            {word: (name, rule) for name, rule in table.get("feasts", {}).items() for word in rule["words"]},
            {word: part for part, words in table.get("parts", {}).items() for word in words},
            {word: (int(clock.split(":")[0]), 0) for clock, words in table.get("noon", {}).items() for word in words},
            units, names, frozenset(table.get("articles", ())), frozenset(table.get("minus", ("-",))),
        )  # fmt: skip


def load_words(package: str) -> Words:
    """The words.yaml of a language's package."""
    return Words.of(load_yaml(files(package).joinpath("words.yaml").read_text(encoding="utf-8")))


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Nothing executable; in C where PyYAML has it (ten times as fast); "yes", "no", "on", "off" are words."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tf"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_yaml(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506  a safe loader
    return loaded


class Cldr:
    """What Unicode's CLDR knows of a language, by way of Babel: plurals, joining, names of months and weekdays."""

    def __init__(self, code: Language) -> None:
        self.locale = Locale(code)
        self.weekdays: tuple[str, ...] = tuple(self.locale.days["format"]["wide"][day] for day in range(7))
        self.months: tuple[str, ...] = tuple(self.locale.months["format"]["wide"][month] for month in range(1, 13))

    def plural(self, number: float) -> str:
        return str(self.locale.plural_form(number))

    def join(self, items: Sequence[str], word: Literal["and", "or"] = "and") -> str:
        return format_list(list(items), style="standard" if word == "and" else "or", locale=self.locale)
