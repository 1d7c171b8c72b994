"""The second look: whether the recognizer is sure that something else was said than the word.

The recognizers do not know the words' names ("nabu"), so they cannot confirm one: they hear "okay now but", unsurely.
What they can do is contradict: "okay google", "okay now we do it", surely.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from appliance.hearing.transcript import Word as Heard

LOOKS_S = 1.5
"""How much sound before the wake is looked at; the words take about one second."""

SURE = 0.9
"""A word that was heard with this confidence was probably said."""

ALIKE = 0.6
"""What is written so alike may be the word after all."""


def contradicts(spoken: str, heard: Sequence[Heard]) -> bool:
    """Whether what was heard is surely not the word. spoken: "okay nabu"; its first part is what all begin with."""
    first, _, second = spoken.partition(" ")
    texts = [one.text for one in heard]
    if first in texts:
        after = heard[len(texts) - 1 - texts[::-1].index(first) + 1 :]
    else:
        after = heard
    if not after or not second:
        return False
    written = "".join(one.text for one in after)
    alike = max(SequenceMatcher(None, second, written[:length]).ratio() for length in range(1, len(written) + 1))
    return all(one.confidence >= SURE for one in after) and alike < ALIKE
