"""English numbers: words to exact fractions, and whole numbers to words."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from appliance.dialogue.reading.digits import Found, decimals, digits, word_at

SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
TENS = ["", "", *"twenty thirty forty fifty sixty seventy eighty ninety".split()]
_ONES = {word: value for value, word in enumerate(SMALL)}
_DECADES = {word: 10 * value for value, word in enumerate(TENS) if word}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_PARTS = {
    "half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fourth": 4, "fourths": 4, "fifth": 5,
    "fifths": 5, "sixth": 6, "sixths": 6, "eighth": 8, "eighths": 8, "tenth": 10, "tenths": 10,
}  # fmt: skip


def number_at(words: Sequence[str], start: int) -> Found | None:
    """The longest number that begins at words[start]: "a hundred and five", "two and a half", "three quarters"."""
    whole = _whole_at(words, start)
    if whole is None:
        return _part_at(words, start)
    value, position = whole
    if word_at(words, position) == "point":
        fraction = _decimals(words, position + 1)
        if fraction:
            return value + fraction[0], fraction[1]
    denominator = _PARTS.get(word_at(words, position))
    if denominator and value.denominator == 1 and 0 < value < 100:
        return value / denominator, position + 1
    if word_at(words, position) == "and":
        part = _part_at(words, position + 1)
        if part is None:
            numerator = _whole_at(words, position + 1)
            if numerator and (divisor := _PARTS.get(word_at(words, numerator[1]))):
                part = numerator[0] / divisor, numerator[1] + 1
        if part:
            return value + part[0], part[1]
    return value, position


def _part_at(words: Sequence[str], start: int) -> Found | None:
    """ "half", "a half", "a quarter"."""
    article = word_at(words, start) in ("a", "an")
    position = start + 1 if article else start
    word = word_at(words, position)
    if word in _PARTS and not word.endswith(("s", "es")) and (article or word in ("half", "quarter")):
        return Fraction(1, _PARTS[word]), position + 1
    return None


def _whole_at(words: Sequence[str], start: int) -> Found | None:
    total, group = Fraction(0), Fraction(0)
    position, scale_limit = start, 10**15
    last = ""  # what came before: "", "digits", "small", "tens", "hundred", "scale"
    while position < len(words):
        word = words[position]
        following = word_at(words, position + 1)
        if word == "a" and last == "" and (following == "hundred" or following in _SCALES):
            group, last = Fraction(1), "small"
        elif last == "" and (typed := digits(word, ",", ".")) is not None:
            group, last = typed, "digits"
        elif word in _ONES and (last in ("", "hundred", "scale") or (last == "tens" and 0 < _ONES[word] < 10)):
            group, last = group + _ONES[word], "small"
        elif word in _DECADES and last in ("", "hundred", "scale"):
            group, last = group + _DECADES[word], "tens"
        elif word == "hundred" and last in ("small", "tens", "digits") and 0 < group < 100:
            group, last = group * 100, "hundred"
        elif word in _SCALES and group > 0 and _SCALES[word] < scale_limit:
            scale_limit = _SCALES[word]
            total, group, last = total + group * scale_limit, Fraction(0), "scale"
        elif word == "and" and last in ("hundred", "scale") and (following in _ONES or following in _DECADES):
            pass
        else:
            break
        position += 1
    return (total + group, position) if last else None


def _decimals(words: Sequence[str], start: int) -> Found | None:
    """The digits after "point": "one four", "oh five", "fourteen"."""
    single = {word: str(value) for word, value in _ONES.items() if value < 10} | {"oh": "0", "o": "0"}
    return decimals(words, start, single, _whole_at)


def in_words(number: int) -> str:
    """A whole number from 0 to 999,999 in words."""
    if number < 20:
        return SMALL[number]
    if number < 100:
        return TENS[number // 10] + (f"-{SMALL[number % 10]}" if number % 10 else "")
    size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    rest = f" {in_words(number % size)}" if number % size else ""
    return f"{in_words(number // size)} {name}{rest}"


_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"}
_ORDINALS |= {"twelve": "twelfth"}


def ordinal_in_words(number: int) -> str:
    """ "third"; for days of a month and the like, so 1 to 99."""
    front, hyphen, last = in_words(number).rpartition("-")
    last = _ORDINALS.get(last) or (last.removesuffix("y") + "ieth" if last.endswith("y") else last + "th")
    return front + hyphen + last
