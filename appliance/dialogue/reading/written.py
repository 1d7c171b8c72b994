"""What was written or said, found again behind what understanding made of it: capitals, contractions, commas."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from appliance.dialogue.reading.normalisation import normalise
from appliance.language import Language

_LONGER = 3
"""By so many words a text may be shorter or longer than its normal form: "fürs" is "für das"."""
_OURS = ("place", "from_place")
"""Slots that hold a name as it is written ("New York"), not as it was heard."""
_COMMA = re.compile(r"[,;](?!\d)|\n")


def as_written(slots: Mapping[str, object], text: str, language: Language) -> Mapping[str, object]:
    """Texts with the words and the capitals they were said with: German nouns have them."""
    return {slot: value if slot in _OURS else _any(value, text, language) for slot, value in slots.items()}


def _any(value: object, text: str, language: Language) -> object:
    if isinstance(value, str):
        return _written(value, text, language)
    return tuple(_any(each, text, language) for each in value) if isinstance(value, tuple) else value


def _written(words: str, text: str, language: Language) -> str:
    """The part of the text that has become these words; the words themselves if there is none."""
    if not words:
        return words
    if match := re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text, re.IGNORECASE):
        return match[0]
    said = text.split()
    count = len(words.split())
    if count < 2:
        return words
    for length in sorted(range(max(1, count - _LONGER), count + _LONGER), key=lambda length: abs(length - count)):
        for start in range(len(said) - length + 1):
            part = " ".join(said[start : start + length])
            if normalise(part, language) == words:
                return part.strip('.,;:!?"„“”')
    return words


def commas(text: str, words: Sequence[str], language: Language) -> frozenset[int]:
    """Positions of the words behind which a comma was written."""
    parts = _COMMA.split(text)
    if len(parts) == 1:
        return frozenset()
    normal = [normalise(part, language).split() for part in parts]
    if [word for part in normal for word in part] != list(words):
        return frozenset()  # something reaches across a comma
    ends, count = [], 0
    for part in normal[:-1]:
        count += len(part)
        ends.append(count - 1)
    return frozenset(end for end in ends if 0 <= end < len(words) - 1)
