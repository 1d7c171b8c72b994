"""How English is read aloud."""

from __future__ import annotations

import re
from functools import partial

from appliance.speaking.languages.reading import Reading, plain_words

_words = partial(plain_words, language="en")


def _clock(hour: int, minute: int) -> str:
    """ "seventeen oh five", "five o'clock"."""
    if not minute:
        return f"{_words(hour)} o'clock"
    return f"{_words(hour)} {'oh ' if minute < 10 else ''}{_words(minute)}"


def _year(century: int, rest: int) -> str:
    """ "nineteen eighty-five", "nineteen oh five", "nineteen hundred"."""
    return f"{_words(century)} {'oh ' if 0 < rest < 10 else ''}{_words(rest) if rest else 'hundred'}"


def _rewritten(text: str) -> str:
    """espeak-ng 1.51 and 1.52 read "°C" as a degree and two letters."""
    return re.sub(r"\s*°\s*C\b", " degrees Celsius", re.sub(r"\s*°\s*F\b", " degrees Fahrenheit", text))


ENGLISH = Reading(
    code="en", group=",", point=".", decimal="point", dot="dot", minus="minus", one="one",
    signs={
        "%": " percent ", "+": " plus ", "=": " equals ", "×": " times ", "÷": " divided by ", "/": " over ",
        "&": " and ", "°": " degrees ", "€": " euros ", "$": " dollars ", "£": " pounds ", "@": " at ",
    },
    units={
        "km/h": "kilometers an hour", "mph": "miles an hour", "km": "kilometers", "cm": "centimeters",
        "mm": "millimeters", "m": "meters", "kg": "kilograms", "g": "grams", "mg": "milligrams", "ml": "milliliters",
        "cl": "centiliters", "l": "liters", "ft": "feet", "lb": "pounds", "oz": "ounces", "h": "hours",
        "min": "minutes", "s": "seconds", "KB": "kilobytes", "MB": "megabytes", "GB": "gigabytes",
    },
    abbreviations=frozenset("mr. mrs. ms. dr. st. no. vs. e.g. i.e. etc. approx.".split()),
    clock=_clock, year=_year, rewritten=_rewritten,
    greeting="Good morning, it is half past seven and the sun is shining.", left_out="The rest is left out.",
)  # fmt: skip
