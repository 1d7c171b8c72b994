"""Numbers, times, units and signs → words, for a voice that would guess at them.

Whole numbers are spelt by unicode_rbnf, with the rules that Unicode's CLDR has for each language. What a language says
otherwise is a table here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from unicode_rbnf import RbnfEngine

from appliance.language import Language

LONGEST_NUMBER = 10**15
"""Longer ones are read digit by digit."""
LONG_WORD = 30
"""German numbers longer than this are spelt in several words."""


@dataclass(frozen=True)
class Reading:
    """What a language says for what is written. Words carry their own blanks."""

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


READING: dict[Language, Reading] = {
    "en": Reading(",", ".", "point", "dot", "minus", "one", {
        "%": " percent ", "+": " plus ", "=": " equals ", "×": " times ", "÷": " divided by ", "/": " over ",
        "&": " and ", "°": " degrees ", "€": " euros ", "$": " dollars ", "£": " pounds ", "@": " at ",
    }, {
        "km/h": "kilometers an hour", "mph": "miles an hour", "km": "kilometers", "cm": "centimeters",
        "mm": "millimeters", "m": "meters", "kg": "kilograms", "g": "grams", "mg": "milligrams", "ml": "milliliters",
        "cl": "centiliters", "l": "liters", "ft": "feet", "lb": "pounds", "oz": "ounces", "h": "hours",
        "min": "minutes", "s": "seconds", "KB": "kilobytes", "MB": "megabytes", "GB": "gigabytes",
    }),
    "de": Reading(".", ",", "Komma", "Punkt", "minus", "ein", {
        "%": " Prozent ", "+": " plus ", "=": " gleich ", "×": " mal ", "÷": " geteilt durch ", "/": " durch ",
        "&": " und ", "°": " Grad ", "€": " Euro ", "$": " Dollar ", "£": " Pfund ", "@": " ät ",
    }, {
        "km/h": "Kilometer pro Stunde", "km": "Kilometer", "cm": "Zentimeter", "mm": "Millimeter", "m": "Meter",
        "kg": "Kilogramm", "g": "Gramm", "mg": "Milligramm", "ml": "Milliliter", "cl": "Zentiliter", "l": "Liter",
        "h": "Stunden", "min": "Minuten", "s": "Sekunden", "KB": "Kilobyte", "MB": "Megabyte", "GB": "Gigabyte",
    }),
}  # fmt: skip

_CLOCK = re.compile(r"\b([01]?\d|2[0-4]):([0-5]\d)\b(?!:)(\s*Uhr\b)?")
_NUMBER = re.compile(r"(?<![\w.,])([-−]\s?)?(\d+(?:[.,]\d+)*)")
_YEAR_BEFORE = re.compile(r"(?:[A-ZÄÖÜ]\w+|\bin|\bseit|\bsince|\bfrom|\bvon|\bbis)\s$")
_CARRIES = re.compile(r"(?<=tausend)(?=.)|(?<=hundert)(?=.)")


def read_out(text: str, language: Language) -> str:
    """The text without digits and signs: "17:05 Uhr, 3,5 km" is "siebzehn Uhr fünf, drei Komma fünf Kilometer"."""
    reading = READING[language]
    text = _CLOCK.sub(lambda match: _clock(match, language), text)
    units = "|".join(sorted(map(re.escape, reading.units), key=len, reverse=True))
    text = re.sub(rf"(?<=\d)\s?({units})\b(?!\w)", lambda match: f" {reading.units[match[1]]}", text)
    text = _NUMBER.sub(lambda match: _number(match, text, language), text)
    text = re.sub(r"\d+", lambda match: f" {_digits(match[0], language)} ", text)  # within words: "a4"
    for sign, words in reading.signs.items():
        text = text.replace(sign, words)
    return re.sub(r" (?=[.,;:!?])", "", " ".join(text.split()))


def _clock(match: re.Match[str], language: Language) -> str:
    hour, minute = int(match[1]), int(match[2])
    if language == "de":
        said = f"{'ein' if hour == 1 else in_words(hour, 'de')} Uhr"
        return f"{said} {in_words(minute, 'de')}" if minute else said
    if not minute:
        return f"{in_words(hour, 'en')} o'clock"
    return f"{in_words(hour, 'en')} {'oh ' if minute < 10 else ''}{in_words(minute, 'en')}"


def _number(match: re.Match[str], text: str, language: Language) -> str:
    reading = READING[language]
    sign = f"{reading.minus} " if match[1] else ""
    whole, *parts = _parts(match[2], reading)
    if len(parts) > 1:  # an address, a version
        return f" {reading.dot} ".join(_digits(part, language) for part in (whole, *parts))
    decimals = parts[0] if parts else ""
    plain = len(whole) == 4 and whole == match[2]
    if plain and "1100" <= whole < "2000" and _YEAR_BEFORE.search(text[: match.start()]):
        return _year(int(whole), language)
    if whole.startswith("0") and len(whole) > 1 or int(whole) >= LONGEST_NUMBER:
        said = _digits(whole, language)
    elif whole == "1" and not decimals and re.match(r"\s?[^\W\d]", text[match.end() :]):
        said = reading.one
    else:
        said = in_words(int(whole), language)
    return f"{sign}{said}" + (f" {reading.decimal} {_digits(decimals, language)}" if decimals else "")


def _parts(written: str, reading: Reading) -> list[str]:
    """[whole], [whole, decimals], or the parts of what is no number. Either sign may be the other language's."""
    if re.fullmatch(rf"\d{{1,3}}(\{reading.group}\d{{3}})+(\{reading.point}\d+)?", written):
        written = written.replace(reading.group, "")
    return re.split(r"[.,]", written)


def _year(year: int, language: Language) -> str:
    """ "neunzehnhundertfünfundachtzig", "nineteen eighty-five"."""
    century, rest = divmod(year, 100)
    if language == "de":
        return f"{in_words(century, 'de')}hundert{in_words(rest, 'de') if rest else ''}"
    oh = "oh " if 0 < rest < 10 else ""
    return f"{in_words(century, 'en')} {oh}{in_words(rest, 'en') if rest else 'hundred'}"


def _digits(digits: str, language: Language) -> str:
    return " ".join(in_words(int(digit), language) for digit in digits)


def in_words(number: int, language: Language) -> str:
    """A whole number as the language spells it: "dreihunderteinundneunzig"; long German ones in several words."""
    words = str(_engine(language).format_number(number).text).replace("\N{SOFT HYPHEN}", "")
    if language == "de" and len(words) > LONG_WORD:
        words = _CARRIES.sub(" ", words)
    return words


@cache
def _engine(language: Language) -> RbnfEngine:
    return RbnfEngine.for_language(language)
