"""Number words and digits of English and German to exact fractions.

Everything here works on lists of normalised words and a position, and answers (value, next position) or None.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from appliance.dialogue.saying.number_words import DE_SMALL, DE_TENS, EN_SMALL, EN_TENS, ordinal_in_words
from appliance.language import Language

Found = tuple[Fraction, int]
"""A value and the position of the first word after it."""

_EN_ONES = {word: value for value, word in enumerate(EN_SMALL)}
_EN_DECADES = {word: 10 * value for value, word in enumerate(EN_TENS) if word}
_EN_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_EN_PARTS = {
    "half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fourth": 4, "fourths": 4, "fifth": 5,
    "fifths": 5, "sixth": 6, "sixths": 6, "eighth": 8, "eighths": 8, "tenth": 10, "tenths": 10,
}  # fmt: skip
_DE_PARTS = {
    "halb": 2, "halbe": 2, "halben": 2, "halbes": 2, "halber": 2, "hälfte": 2, "drittel": 3, "viertel": 4, "fünftel": 5,
    "sechstel": 6, "achtel": 8, "zehntel": 10,
}  # fmt: skip
_DE_ONE = {"ein", "eine", "einen", "einem", "einer", "eines", "eins"}
_DE_SCALES = {"million": 10**6, "millionen": 10**6, "milliarde": 10**9, "milliarden": 10**9}
_DE_SCALES |= {"billion": 10**12, "billionen": 10**12}


def parse_digits(word: str, language: Language) -> Fraction | None:
    """ "1,234.5" (English) or "1.234,5" (German), or "3/4".

    The other language's decimal sign is accepted where it cannot be a thousands sign: "3,14" in English.
    """
    group, point = (",", ".") if language == "en" else (".", ",")
    if not word or not word[0].isascii() or not word[0].isdigit() or len(word) > 30:
        return None
    if re.fullmatch(rf"\d{{1,3}}(\{group}\d{{3}})+(\{point}\d+)?", word, re.ASCII):
        word = word.replace(group, "").replace(point, ".")
    elif re.fullmatch(r"\d+([.,]\d+)?", word, re.ASCII):
        word = word.replace(",", ".")
    elif not re.fullmatch(r"\d+/0*[1-9]\d*", word, re.ASCII):
        return None
    return Fraction(word)


def parse_number(words: Sequence[str], start: int, language: Language) -> Found | None:
    """The longest number that begins at words[start]: "a hundred and five", "zwei komma fünf", "anderthalb"."""
    if start >= len(words):
        return None
    found = _english(words, start) if language == "en" else _german(words, start)
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


def word_at(words: Sequence[str], position: int) -> str:
    """The word at a position, "" behind the end."""
    return words[position] if position < len(words) else ""


# English


def _english(words: Sequence[str], start: int) -> Found | None:
    whole = _english_whole(words, start)
    if whole is None:
        return _english_part(words, start)
    value, position = whole
    if word_at(words, position) == "point":
        decimals = _spoken_decimals(words, position + 1, "en")
        if decimals:
            return value + decimals[0], decimals[1]
    denominator = _EN_PARTS.get(word_at(words, position))
    if denominator and value.denominator == 1 and 0 < value < 100:
        return value / denominator, position + 1
    if word_at(words, position) == "and":
        part = _english_part(words, position + 1)
        if part is None:
            numerator = _english_whole(words, position + 1)
            if numerator and (divisor := _EN_PARTS.get(word_at(words, numerator[1]))):
                part = numerator[0] / divisor, numerator[1] + 1
        if part:
            return value + part[0], part[1]
    return value, position


def _english_part(words: Sequence[str], start: int) -> Found | None:
    """ "half", "a half", "a quarter"."""
    article = word_at(words, start) in ("a", "an")
    position = start + 1 if article else start
    word = word_at(words, position)
    if word in _EN_PARTS and not word.endswith(("s", "es")) and (article or word in ("half", "quarter")):
        return Fraction(1, _EN_PARTS[word]), position + 1
    return None


def _english_whole(words: Sequence[str], start: int) -> Found | None:
    total, group = Fraction(0), Fraction(0)
    position, scale_limit = start, 10**15
    last = ""  # what came before: "", "digits", "small", "tens", "hundred", "scale"
    while position < len(words):
        word = words[position]
        following = word_at(words, position + 1)
        if word == "a" and last == "" and (following == "hundred" or following in _EN_SCALES):
            group, last = Fraction(1), "small"
        elif last == "" and (digits := parse_digits(word, "en")) is not None:
            group, last = digits, "digits"
        elif word in _EN_ONES and (last in ("", "hundred", "scale") or (last == "tens" and 0 < _EN_ONES[word] < 10)):
            group, last = group + _EN_ONES[word], "small"
        elif word in _EN_DECADES and last in ("", "hundred", "scale"):
            group, last = group + _EN_DECADES[word], "tens"
        elif word == "hundred" and last in ("small", "tens", "digits") and 0 < group < 100:
            group, last = group * 100, "hundred"
        elif word in _EN_SCALES and group > 0 and _EN_SCALES[word] < scale_limit:
            scale_limit = _EN_SCALES[word]
            total, group, last = total + group * scale_limit, Fraction(0), "scale"
        elif word == "and" and last in ("hundred", "scale") and (following in _EN_ONES or following in _EN_DECADES):
            pass
        else:
            break
        position += 1
    return (total + group, position) if last else None


def _spoken_decimals(words: Sequence[str], start: int, language: Language) -> Found | None:
    """The digits after "point" or "komma": "one four", "vierzehn", "05"."""
    small = _EN_ONES if language == "en" else {word: value for value, word in enumerate(DE_SMALL)} | {"zwo": 2}
    digits, position = "", start
    while position < len(words) and (small.get(words[position], 10) < 10 or words[position] in ("oh", "o")):
        digits += str(small.get(words[position], 0))
        position += 1
    if not digits:
        whole = _english_whole(words, start) if language == "en" else _german_whole(words, start)
        if whole is None or whole[0].denominator != 1:
            return None
        typed = words[start] if words[start].isdecimal() else str(whole[0])
        digits, position = typed, whole[1]
    return Fraction(int(digits), 10 ** len(digits)), position


# German: number words are written together, but a recognizer may take them apart, so words are joined first.

_DE_UNITS = {"ein": 1, "eins": 1, "zwei": 2, "zwo": 2, "drei": 3, "vier": 4, "fünf": 5, "fuenf": 5, "sechs": 6}
_DE_UNITS |= {"sieben": 7, "acht": 8, "neun": 9, "eine": 1, "einen": 1, "einem": 1, "einer": 1, "eines": 1}
_DE_TEENS = {word: value for value, word in enumerate(DE_SMALL) if value >= 10}
_DE_TEENS |= {"zwoelf": 12, "fuenfzehn": 15}
_DE_TENS_WORDS = {word: 10 * value for value, word in enumerate(DE_TENS) if word}
_DE_TENS_WORDS |= {"dreissig": 30, "fuenfzig": 50}


def _options(words: dict[str, int]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_HUNDRED = (
    rf"(?:(?P<u{{0}}>{_options(_DE_UNITS)})und(?P<t{{0}}>{_options(_DE_TENS_WORDS)})"
    rf"|(?P<T{{0}}>{_options(_DE_TENS_WORDS)})|(?P<e{{0}}>{_options(_DE_TEENS)})|(?P<s{{0}}>{_options(_DE_UNITS)}))"
)
_THOUSAND = rf"(?:(?P<h{{0}}>(?:{_options(_DE_UNITS)})?hundert)(?:und(?=.))?)?(?:{_HUNDRED})?"
_GERMAN = re.compile(rf"(?:(?P<thousand>{_THOUSAND.format(1)}tausend)(?:und(?=.))?)?(?P<rest>{_THOUSAND.format(2)})")
_HALF_MORE = re.compile(rf"(?P<whole>{_options(_DE_UNITS)})einhalb(?:e|en)?")
_GERMAN_START = re.compile(
    rf"(?:{_options(_DE_UNITS)}|{_options(_DE_TEENS)}|{_options(_DE_TENS_WORDS)}|hundert|tausend|null)"
)


def _german_word(word: str) -> int | None:
    """One written-together German number below a million."""
    if word == "null":
        return 0
    match = _GERMAN.fullmatch(word) if word else None
    if match is None:
        return None
    value = _german_group(match, 2)
    if match["thousand"]:
        value += 1000 * (_german_group(match, 1) or 1)
    return value


def _german_group(match: re.Match[str], number: int) -> int:
    value = 0
    if hundreds := match[f"h{number}"]:
        value += 100 * _DE_UNITS.get(hundreds.removesuffix("hundert"), 1)
    value += _DE_UNITS.get(match[f"u{number}"] or "", 0) + _DE_TENS_WORDS.get(match[f"t{number}"] or "", 0)
    value += _DE_TENS_WORDS.get(match[f"T{number}"] or "", 0) + _DE_TEENS.get(match[f"e{number}"] or "", 0)
    return value + _DE_UNITS.get(match[f"s{number}"] or "", 0)


def _german_run(words: Sequence[str], start: int) -> Found | None:
    """The longest run of words that, written together, is a number below a million."""
    if _GERMAN_START.match(words[start]) is None:
        return None
    for end in range(min(len(words), start + 9), start, -1):
        value = _german_word("".join(words[start:end]))
        if value is not None:
            return Fraction(value), end
    return None


def _german_whole(words: Sequence[str], start: int) -> Found | None:
    total, position, scale_limit = Fraction(0), start, 10**15
    found = False
    while position < len(words):
        if found and words[position] == "und":
            position += 1
        digits = parse_digits(words[position], "de") if position < len(words) and not found else None
        run = (digits, position + 1) if digits is not None else None
        run = run or (_german_run(words, position) if position < len(words) else None)
        if run is None:
            break
        scale = _DE_SCALES.get(word_at(words, run[1]), 0)
        if not scale or scale >= scale_limit:
            if not found:
                return run
            # After "eine million": the rest below it, but never a second number of the same sentence.
            return (total + run[0], run[1]) if run[0] < scale_limit else (total, position)
        total, scale_limit, found = total + run[0] * scale, scale, True
        position = run[1] + 1
    if found and words[position - 1] == "und":
        position -= 1
    return (total, position) if found else None


def _german(words: Sequence[str], start: int) -> Found | None:
    word = words[start]
    if word in ("anderthalb", "anderthalbe", "anderthalben"):
        return Fraction(3, 2), start + 1
    for end in (start + 1, start + 2, start + 3):
        match = _HALF_MORE.fullmatch("".join(words[start:end]))
        if match and end <= len(words):
            return _DE_UNITS[match["whole"]] + Fraction(1, 2), end
    if word in ("einhalb", "einhalbe"):
        return Fraction(1, 2), start + 1
    article = start + 1 if word in _DE_ONE or word in ("die", "der", "das") else start
    part = word_at(words, article)
    if part in _DE_PARTS and (article > start or _DE_PARTS[part] in (2, 4)):
        return Fraction(1, _DE_PARTS[part]), article + 1
    if part == "dreiviertel":
        return Fraction(3, 4), article + 1
    whole = _german_whole(words, start)
    if whole is None:
        return None
    value, position = whole
    if word_at(words, position) == "komma":
        decimals = _spoken_decimals(words, position + 1, "de")
        if decimals:
            return value + decimals[0], decimals[1]
    denominator = _DE_PARTS.get(word_at(words, position), 0)
    if denominator > 2 and value.denominator == 1 and 0 < value < 100:
        return value / denominator, position + 1
    return value, position


# Ordinals

_ORDINALS: dict[Language, dict[str, int]] = {
    language: {ordinal_in_words(number, language).replace("-", " "): number for number in range(1, 32)}
    for language in ("en", "de")
}


def parse_ordinal(words: Sequence[str], start: int, language: Language) -> tuple[int, int] | None:
    """A day of a month: "third", "twenty first", "3 th", "dritten", "3", and the position after it."""
    for end in (start + 2, start + 1):
        text = " ".join(words[start:end])
        if end > len(words):
            continue
        if language == "de":
            text = re.sub(r"te[nrs]$", "te", text)
        elif text.endswith(" th") and text[:-3].isdecimal():
            return int(text[:-3]), end
        if text in _ORDINALS[language]:
            return _ORDINALS[language][text], end
        if text.isdecimal() and text.isascii() and len(text) <= 2:
            return int(text), end
    found = parse_number(words, start, language) if start < len(words) else None
    return (int(found[0]), found[1]) if found and found[0].denominator == 1 and found[0] <= 31 else None
