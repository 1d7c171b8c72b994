"""Quantities ("ten miles") and durations ("anderthalb Stunden") in English and German."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from appliance.dialogue.reading.numerals import parse_number, word_at
from appliance.dialogue.reading.units import Unit, parse_unit_at
from appliance.language import Language


@dataclass(frozen=True)
class Quantity:
    value: Fraction
    unit: Unit

    def to(self, unit: Unit) -> Quantity:
        """The same in another unit of the same dimension. Raises ValueError for metres in kilograms."""
        if unit.dimension != self.unit.dimension:
            raise ValueError(f"{self.unit.key} measures {self.unit.dimension}, {unit.key} measures {unit.dimension}")
        base = self.value * self.unit.factor + self.unit.offset
        return Quantity((base - unit.offset) / unit.factor, unit)

    def __str__(self) -> str:
        return f"{self.value} {self.unit.key}"


def parse_quantity(text: str, language: Language) -> Quantity | None:
    """The whole text as a number and a unit: "two and a half miles", "minus ten degrees celsius", "einem Pfund"."""
    words = text.split()
    negative = bool(words) and words[0] in ("minus", "negative", "-")
    if negative:
        words = words[1:]
    elif words and words[0].startswith("-") and len(words[0]) > 1:
        negative, words = True, [words[0][1:], *words[1:]]
    if words and words[0] == "the" and len(words) > 1:
        words = words[1:]
    found = parse_number(words, 0, language)
    if found is None and words and words[0] in ("a", "an"):
        found = Fraction(1), 1
    if found is None:
        return None
    value, position = found
    while position < len(words) and words[position] in ("a", "an", "of"):  # "half a mile", "a quarter of an inch"
        position += 1
    unit = parse_unit_at(words, position, language)
    if unit is None or unit[1] != len(words):
        return None
    return Quantity(-value if negative else value, unit[0])


# Durations

def parse_duration_at(words: Sequence[str], start: int, language: Language) -> tuple[float, int] | None:
    """Seconds and the next position for the duration that begins at words[start]; None if there is none.

    "an hour and a half", "two minutes and thirty seconds", "five minutes thirty", "eine Dreiviertelstunde".
    """
    total, position, smallest = Fraction(0), start, Fraction(10**9)
    while (step := _duration_step(words, position, language, smallest)) is not None:
        seconds, position, smallest = step
        total += seconds
    if not total:
        return None
    return float(total), position


def _duration_step(
    words: Sequence[str], position: int, language: Language, smallest: Fraction
) -> tuple[Fraction, int, Fraction] | None:
    """One "number unit" of a duration, with units getting smaller: seconds, next position, unit's seconds."""
    later = smallest < 10**9
    if later and word_at(words, position) in ("and", "und"):
        position += 1
    found = parse_number(words, position, language)
    if found is None and word_at(words, position) in ("a", "an"):
        found = Fraction(1), position + 1
    if found is None:
        return None
    value, after = found
    while word_at(words, after) in ("a", "an", "of"):
        after += 1
    unit = parse_unit_at(words, after, language)
    if unit is None or unit[0].dimension != "time":
        if later and value < 1 and found[1] > position:  # "an hour and a half"
            return value * smallest, found[1], Fraction(0)
        if later and smallest in (60, 3600) and value < 60 and found[1] == len(words):  # "five minutes thirty"
            return value * smallest / 60, found[1], Fraction(0)
        return None
    if unit[0].factor >= smallest:
        return None
    return value * unit[0].factor, unit[1], unit[0].factor


def parse_duration(text: str, language: Language) -> float | None:
    """The whole text as a duration in seconds, more than 0."""
    words = text.split()
    found = parse_duration_at(words, 0, language)
    return found[0] if found and found[1] == len(words) else None
