"""Typed numbers, and what number words of every language share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

Found = tuple[Fraction, int]
"""A value and the position of the first word after it."""


def word_at(words: Sequence[str], position: int) -> str:
    """The word at a position, "" behind the end."""
    return words[position] if position < len(words) else ""


def digits(word: str, group: str, point: str) -> Fraction | None:
    """ "1,234.5" where "," groups and "." is the decimal point, or "3/4".

    The other language's decimal sign is accepted where it cannot be a grouping sign: "3,14" in English.
    """
    if not word or not word[0].isascii() or not word[0].isdigit() or len(word) > 30:
        return None
    if re.fullmatch(rf"\d{{1,3}}(\{group}\d{{3}})+(\{point}\d+)?", word, re.ASCII):
        word = word.replace(group, "").replace(point, ".")
    elif re.fullmatch(r"\d+([.,]\d+)?", word, re.ASCII):
        word = word.replace(",", ".")
    elif not re.fullmatch(r"\d+/0*[1-9]\d*", word, re.ASCII):
        return None
    return Fraction(word)


def decimals(
    words: Sequence[str], start: int, single: Mapping[str, str], whole_at: Callable[[Sequence[str], int], Found | None]
) -> Found | None:
    """What follows "point": digits one by one (single: their words), or a whole number."""
    spoken, position = "", start
    while (digit := single.get(word_at(words, position))) is not None:
        spoken += digit
        position += 1
    if not spoken:
        whole = whole_at(words, start)
        if whole is None or whole[0].denominator != 1:
            return None
        spoken, position = words[start] if words[start].isdecimal() else str(whole[0]), whole[1]
    return Fraction(int(spoken), 10 ** len(spoken)), position
