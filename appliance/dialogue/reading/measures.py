"""Quantities ("ten miles") and durations ("anderthalb Stunden")."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from fractions import Fraction

from appliance.dialogue.languages import grammar
from appliance.dialogue.reading.numerals import parse_number, word_at
from appliance.dialogue.reading.units import UNITS, Unit, parse_unit_at
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


def parse_quantity_at(words: Sequence[str], start: int, language: Language) -> tuple[Quantity, int] | None:
    """A number and a unit at words[start]: "two and a half miles", "minus ten degrees celsius", "einem Pfund"."""
    table = grammar(language).words
    position, negative = start, False
    if word_at(words, position) in table.minus:
        negative, position = True, position + 1
    elif word_at(words, position).startswith("-") and len(words[position]) > 1:
        negative, words = True, [*words[:position], words[position][1:], *words[position + 1 :]]
    if word_at(words, position) in table.set("definite"):
        position += 1
    found = _counted(words, position, language)
    if found is None:
        return None
    value, position = found
    while word_at(words, position) in table.set("of_a"):  # "half a mile", "a quarter of an inch"
        position += 1
    unit = parse_unit_at(words, position, language)
    return (Quantity(-value if negative else value, unit[0]), unit[1]) if unit else None


def _counted(words: Sequence[str], start: int, language: Language) -> tuple[Fraction, int] | None:
    """A number, an article that stands for one, or words for a few: "a couple of"."""
    table = grammar(language).words
    for end in range(min(len(words), start + 3), start, -1):
        some = table.table.get("some", {}).get(" ".join(words[start:end]))
        if some is not None:
            return Fraction(str(some)), end
    found = parse_number(words, start, language)
    if found is None and word_at(words, start) in table.set("one"):
        return Fraction(1), start + 1
    return found


# Durations

Steps = list[tuple[Fraction, str]]
"""Numbers and their units of time, units getting smaller."""


def duration_steps(words: Sequence[str], start: int, language: Language) -> tuple[Steps, int] | None:
    """The parts of the duration that begins at words[start], and the position behind it.

    "an hour and a half", "two minutes and thirty seconds", "five minutes thirty", "eine Dreiviertelstunde".
    """
    steps: Steps = []
    position = start
    while (step := _step(words, position, language, steps)) is not None:
        value, unit, position = step
        steps.append((value, unit))
        if value < 1 and len(steps) > 1:
            break
    return (steps, position) if any(value for value, _ in steps) else None


def _step(words: Sequence[str], position: int, language: Language, before: Steps) -> tuple[Fraction, str, int] | None:
    table = grammar(language).words
    if before and word_at(words, position) in table.set("and"):
        position += 1
    found = _counted(words, position, language)
    if found is None:
        return None
    value, after = found
    while word_at(words, after) in table.set("of_a"):
        after += 1
    unit = parse_unit_at(words, after, language)
    if unit is None or unit[0].dimension != "time":
        return _bare_step(value, found[1], words, before, table.set("closing"))
    if before and unit[0].factor >= UNITS[before[-1][1]].factor:
        return None
    return value, unit[0].key, unit[1]


def _bare_step(
    value: Fraction, end: int, words: Sequence[str], before: Steps, closing: Container[str]
) -> tuple[Fraction, str, int] | None:
    """A number without its unit behind a larger one: "an hour and a half", "five minutes thirty"."""
    if not before:
        return None
    last = before[-1][1]
    if value < 1:
        return value, last, end
    smaller = {"min": "s", "h": "min"}.get(last)
    closed = end == len(words) or words[end] in closing
    return (value, smaller, end) if smaller and 2 <= value < 60 and closed else None


def parse_duration_at(words: Sequence[str], start: int, language: Language) -> tuple[float, int] | None:
    """Seconds and the next position for the duration that begins at words[start]; None if there is none."""
    found = duration_steps(words, start, language)
    if found is None:
        return None
    return float(sum(value * UNITS[unit].factor for value, unit in found[0])), found[1]
