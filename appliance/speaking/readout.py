"""Numbers, times, units and signs → words, for a voice that would guess at them."""

from __future__ import annotations

import re

from appliance.language import Language
from appliance.speaking.languages import reading
from appliance.speaking.languages.reading import Reading

LONGEST_NUMBER = 10**15
"""Longer ones are read digit by digit."""

_CLOCK = re.compile(r"\b([01]?\d|2[0-4]):([0-5]\d)\b(?!:)(\s*Uhr\b)?")
_NUMBER = re.compile(r"(?<![\w.,])([-−]\s?)?(\d+(?:[.,]\d+)*)")
_YEAR_BEFORE = re.compile(r"(?:[A-ZÄÖÜ]\w+|\bin|\bseit|\bsince|\bfrom|\bvon|\bbis)\s$")


def read_out(text: str, language: Language) -> str:
    """The text without digits and signs: "17:05 Uhr, 3,5 km" is "siebzehn Uhr fünf, drei Komma fünf Kilometer"."""
    by = reading(language)
    text = _CLOCK.sub(lambda match: by.clock(int(match[1]), int(match[2])), text)
    units = "|".join(sorted(map(re.escape, by.units), key=len, reverse=True))
    text = re.sub(rf"(?<=\d)\s?({units})\b(?!\w)", lambda match: f" {by.units[match[1]]}", text)
    text = _NUMBER.sub(lambda match: _number(match, text, by), text)
    text = re.sub(r"\d+", lambda match: f" {_digits(match[0], by)} ", text)  # within words: "a4"
    for sign, words in by.signs.items():
        text = text.replace(sign, words)
    return re.sub(r" (?=[.,;:!?])", "", " ".join(text.split()))


def _number(match: re.Match[str], text: str, by: Reading) -> str:
    sign = f"{by.minus} " if match[1] else ""
    whole, *parts = _parts(match[2], by)
    if len(parts) > 1:  # an address, a version
        return f" {by.dot} ".join(_digits(part, by) for part in (whole, *parts))
    decimals = parts[0] if parts else ""
    plain = len(whole) == 4 and whole == match[2]
    if plain and "1100" <= whole < "2000" and _YEAR_BEFORE.search(text[: match.start()]):
        return by.year(*divmod(int(whole), 100))
    if whole.startswith("0") and len(whole) > 1 or int(whole) >= LONGEST_NUMBER:
        said = _digits(whole, by)
    elif whole == "1" and not decimals and re.match(r"\s?[^\W\d]", text[match.end() :]):
        said = by.one
    else:
        said = by.in_words(int(whole))
    return f"{sign}{said}" + (f" {by.decimal} {_digits(decimals, by)}" if decimals else "")


def _parts(written: str, by: Reading) -> list[str]:
    """[whole], [whole, decimals], or the parts of what is no number. Either sign may be the other language's."""
    if re.fullmatch(rf"\d{{1,3}}(\{by.group}\d{{3}})+(\{by.point}\d+)?", written):
        written = written.replace(by.group, "")
    return re.split(r"[.,]", written)


def _digits(digits: str, by: Reading) -> str:
    return " ".join(by.in_words(int(digit)) for digit in digits)
