"""What a language says for what is written. A new one is one file beside this with its tables and three functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from unicode_rbnf import RbnfEngine

from appliance.language import Language


def as_it_is(text: str) -> str:
    """For a language that has nothing to change here."""
    return text


@dataclass(frozen=True)
class Reading:
    """One language's way of reading. Words behind and before signs carry their own blanks."""

    code: Language
    group: str
    """Between thousands."""
    point: str
    decimal: str
    dot: str
    minus: str
    one: str
    """Before a noun."""
    signs: Mapping[str, str]
    units: Mapping[str, str]
    """Behind a number."""
    abbreviations: frozenset[str]
    """In small letters, with the full stop that ends no sentence."""
    clock: Callable[[int, int], str]
    """(hour, minute) → words."""
    year: Callable[[int, int], str]
    """(century, year in it) of a year before 2000 → words."""
    greeting: str
    """An everyday sentence with vowels of all kinds, which a voice's loudness is measured by."""
    left_out: str
    """What is said in place of the rest of a reply that is too long."""
    rewritten: Callable[[str], str] = as_it_is
    """A sentence with what voices misread spelt out."""
    spelt: Callable[[str], str] = as_it_is
    """A number's words, as this language's voices read them well."""
    is_ordinal: Callable[[str], bool] = lambda word: False
    """Whether the full stop behind a word is an ordinal's: "3."."""

    def in_words(self, number: int) -> str:
        """A whole number as the language spells it: "dreihunderteinundneunzig"."""
        return self.spelt(plain_words(number, self.code))


def plain_words(number: int, language: Language) -> str:
    """A whole number by the rules that Unicode's CLDR has for the language."""
    return str(_engine(language).format_number(number).text).replace("\N{SOFT HYPHEN}", "")


@cache
def _engine(language: Language) -> RbnfEngine:
    return RbnfEngine.for_language(language)
