"""Numbers and ordinals on lists of normalised words: (value, next position), or None."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from appliance.dialogue.languages import grammar
from appliance.dialogue.reading.digits import Found, digits, word_at
from appliance.language import Language

__all__ = ["Found", "parse_digits", "parse_number", "parse_ordinal", "parse_whole_number", "word_at"]


def parse_digits(word: str, language: Language) -> Fraction | None:
    """ "1,234.5" (English) or "1.234,5" (German), or "3/4"."""
    typed = grammar(language).words["typed"]
    return digits(word, typed["group"], typed["point"])


def parse_number(words: Sequence[str], start: int, language: Language) -> Found | None:
    """The longest number that begins at words[start]: "a hundred and five", "zwei komma fünf", "anderthalb"."""
    found = grammar(language).number_at(words, start) if start < len(words) else None
    return _mixed(found, words, language) if found else None


def _mixed(whole: Found, words: Sequence[str], language: Language) -> Found:
    """ "1 1/2": a whole number and the typed fraction behind it."""
    value, position = whole
    part = parse_digits(word_at(words, position), language) if "/" in word_at(words, position) else None
    return (value + part, position + 1) if part is not None and value.denominator == 1 and part < 1 else whole


def parse_whole_number(text: str, language: Language) -> int | None:
    """The whole text as one whole number."""
    words = text.split()
    found = parse_number(words, 0, language)
    if found is None or found[1] != len(words) or found[0].denominator != 1:
        return None
    return int(found[0])


def parse_ordinal(words: Sequence[str], start: int, language: Language) -> tuple[int, int] | None:
    """A day of a month: "third", "twenty first", "3 th", "dritten", "3", and the position after it."""
    if (found := grammar(language).ordinal_at(words, start)) is not None:
        return found
    number = parse_number(words, start, language)
    return (int(number[0]), number[1]) if number and number[0].denominator == 1 and number[0] <= 31 else None
