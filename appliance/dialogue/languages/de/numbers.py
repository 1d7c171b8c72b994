"""German numbers: words to exact fractions, and whole numbers to words.

Number words are written together, but a recognizer may take them apart, so words are joined first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from appliance.dialogue.reading.digits import Found, decimals, digits, word_at

SMALL = (
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn "
    "achtzehn neunzehn"
).split()
TENS = ["", "", *"zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split()]
_PARTS = {
    "halb": 2, "halbe": 2, "halben": 2, "halbes": 2, "halber": 2, "hälfte": 2, "drittel": 3, "viertel": 4, "fünftel": 5,
    "sechstel": 6, "achtel": 8, "zehntel": 10,
}  # fmt: skip
ONE = {"ein", "eine", "einen", "einem", "einer", "eines", "eins"}
_SCALES = {"million": 10**6, "millionen": 10**6, "milliarde": 10**9, "milliarden": 10**9}
_SCALES |= {"billion": 10**12, "billionen": 10**12}
_UNITS = {"ein": 1, "eins": 1, "zwei": 2, "zwo": 2, "drei": 3, "vier": 4, "fünf": 5, "fuenf": 5, "sechs": 6}
_UNITS |= {"sieben": 7, "acht": 8, "neun": 9, "eine": 1, "einen": 1, "einem": 1, "einer": 1, "eines": 1}
_TEENS = {word: value for value, word in enumerate(SMALL) if value >= 10}
_TEENS |= {"zwoelf": 12, "fuenfzehn": 15}
_DECADES = {word: 10 * value for value, word in enumerate(TENS) if word}
_DECADES |= {"dreissig": 30, "fuenfzig": 50}


def _options(words: dict[str, int]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_HUNDRED = (
    rf"(?:(?P<u{{0}}>{_options(_UNITS)})und(?P<t{{0}}>{_options(_DECADES)})"
    rf"|(?P<T{{0}}>{_options(_DECADES)})|(?P<e{{0}}>{_options(_TEENS)})|(?P<s{{0}}>{_options(_UNITS)}))"
)
_THOUSAND = rf"(?:(?P<h{{0}}>(?:{_options(_UNITS)})?hundert)(?:und(?=.))?)?(?:{_HUNDRED})?"
_NUMBER = re.compile(rf"(?:(?P<thousand>{_THOUSAND.format(1)}tausend)(?:und(?=.))?)?(?P<rest>{_THOUSAND.format(2)})")
_TEEN_HUNDREDS = re.compile(rf"(?P<teen>{_options(_TEENS)})hundert(?:und(?=.))?(?P<rest>{_HUNDRED.format(2)})?")
"""Years and round sums: "neunzehnhundertfünfundachtzig", "fünfzehnhundert"."""
_HALF_MORE = re.compile(r"(?P<whole>\w+)einhalb(?:e|en)?")
_START = re.compile(rf"(?:{_options(_UNITS)}|{_options(_TEENS)}|{_options(_DECADES)}|hundert|tausend|null)")


def _one_word(word: str) -> int | None:
    """One written-together German number below a million."""
    if word == "null":
        return 0
    if match := _TEEN_HUNDREDS.fullmatch(word):
        return 100 * _TEENS[match["teen"]] + _below_hundred(match, 2)
    match = _NUMBER.fullmatch(word) if word else None
    if match is None:
        return None
    value = _group(match, 2)
    if match["thousand"]:
        value += 1000 * (_group(match, 1) or 1)
    return value


def _group(match: re.Match[str], number: int) -> int:
    hundreds = match[f"h{number}"]
    value = 100 * _UNITS.get(hundreds.removesuffix("hundert"), 1) if hundreds else 0
    return value + _below_hundred(match, number)


def _below_hundred(match: re.Match[str], number: int) -> int:
    value = _UNITS.get(match[f"u{number}"] or "", 0) + _DECADES.get(match[f"t{number}"] or "", 0)
    value += _DECADES.get(match[f"T{number}"] or "", 0) + _TEENS.get(match[f"e{number}"] or "", 0)
    return value + _UNITS.get(match[f"s{number}"] or "", 0)


def _run_at(words: Sequence[str], start: int) -> Found | None:
    """The longest run of words that, written together, is a number below a million."""
    if _START.match(words[start]) is None:
        return None
    for end in range(min(len(words), start + 9), start, -1):
        value = _one_word("".join(words[start:end]))
        if value is not None:
            return Fraction(value), end
    return None


def _whole_at(words: Sequence[str], start: int) -> Found | None:
    total, position, scale_limit = Fraction(0), start, 10**15
    found = False
    while position < len(words):
        if found and words[position] == "und":
            position += 1
        typed = digits(words[position], ".", ",") if position < len(words) and not found else None
        run = (typed, position + 1) if typed is not None else None
        run = run or (_run_at(words, position) if position < len(words) else None)
        if run is None:
            break
        scale = _SCALES.get(word_at(words, run[1]), 0)
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


def number_at(words: Sequence[str], start: int) -> Found | None:
    word = words[start]
    if word in ("anderthalb", "anderthalbe", "anderthalben"):
        return Fraction(3, 2), start + 1
    for end in (start + 1, start + 2, start + 3):
        match = _HALF_MORE.fullmatch("".join(words[start:end]))
        before = _one_word(match["whole"]) if match and end <= len(words) else None
        if before:
            return before + Fraction(1, 2), end
    if word in ("einhalb", "einhalbe"):
        return Fraction(1, 2), start + 1
    article = start + 1 if word in ONE or word in ("die", "der", "das") else start
    part = word_at(words, article)
    if part in _PARTS and (article > start or _PARTS[part] in (2, 4)):
        return Fraction(1, _PARTS[part]), article + 1
    if part == "dreiviertel":
        return Fraction(3, 4), article + 1
    whole = _whole_at(words, start)
    if whole is None:
        return None
    value, position = whole
    if word_at(words, position) == "komma":
        fraction = _decimals(words, position + 1)
        if fraction:
            return value + fraction[0], fraction[1]
    denominator = _PARTS.get(word_at(words, position), 0)
    if denominator > 2 and value.denominator == 1 and 0 < value < 100:
        return value / denominator, position + 1
    return value, position


def _decimals(words: Sequence[str], start: int) -> Found | None:
    """The digits after "komma": "eins vier", "null fünf", "vierzehn"."""
    return decimals(words, start, {word: str(value) for value, word in enumerate(SMALL[:10])} | {"zwo": "2"}, _whole_at)


def in_words(number: int) -> str:
    """A whole number from 0 to 999,999 in words."""
    if number < 20:
        return SMALL[number]
    if number < 100:
        tens = TENS[number // 10]
        return f"{before_noun(number % 10)}und{tens}" if number % 10 else tens
    size, name = (1000, "tausend") if number >= 1000 else (100, "hundert")
    return before_noun(number // size) + name + (in_words(number % size) if number % size else "")


def before_noun(number: int) -> str:
    words = in_words(number)
    return words.removesuffix("s") if words.endswith("eins") else words


_ORDINALS = {1: "erste", 3: "dritte", 7: "siebte", 8: "achte"}


def ordinal_in_words(number: int) -> str:
    """ "dritte"; for days of a month and the like, so 1 to 99."""
    return _ORDINALS.get(number) or in_words(number) + ("te" if number < 20 else "ste")
