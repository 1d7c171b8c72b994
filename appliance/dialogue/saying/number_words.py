"""Whole numbers and ordinals as words, for replies: a voice reads "fünfzehn Uhr sieben" better than "15:07"."""

from __future__ import annotations

from appliance.language import Language

EN_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
EN_TENS = ["", "", *"twenty thirty forty fifty sixty seventy eighty ninety".split()]
DE_SMALL = (
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn "
    "achtzehn neunzehn"
).split()
DE_TENS = ["", "", *"zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split()]


def in_words(number: int, language: Language) -> str:
    """A whole number from 0 to 999,999 in words; others come back as digits."""
    if not 0 <= number < 1_000_000:
        return str(number)
    return _english_words(number) if language == "en" else _german_words(number)


def _english_words(number: int) -> str:
    if number < 20:
        return EN_SMALL[number]
    if number < 100:
        return EN_TENS[number // 10] + (f"-{EN_SMALL[number % 10]}" if number % 10 else "")
    size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    rest = f" {_english_words(number % size)}" if number % size else ""
    return f"{_english_words(number // size)} {name}{rest}"


def _german_words(number: int) -> str:
    if number < 20:
        return DE_SMALL[number]
    if number < 100:
        tens = DE_TENS[number // 10]
        return f"{_before_noun(number % 10)}und{tens}" if number % 10 else tens
    size, name = (1000, "tausend") if number >= 1000 else (100, "hundert")
    return _before_noun(number // size) + name + (_german_words(number % size) if number % size else "")


def _before_noun(number: int) -> str:
    words = _german_words(number)
    return words.removesuffix("s") if words.endswith("eins") else words


_EN_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"}
_EN_ORDINALS |= {"twelve": "twelfth"}
_DE_ORDINALS = {1: "erste", 3: "dritte", 7: "siebte", 8: "achte"}


def ordinal_in_words(number: int, language: Language) -> str:
    """ "third", "dritte"; for days of a month, so 1 to 99."""
    if language == "de":
        return _DE_ORDINALS.get(number) or _german_words(number) + ("te" if number < 20 else "ste")
    front, hyphen, last = _english_words(number).rpartition("-")
    last = _EN_ORDINALS.get(last) or (last.removesuffix("y") + "ieth" if last.endswith("y") else last + "th")
    return front + hyphen + last
