"""Which of several things is meant: "the first", "the longer one", "den letzten"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from appliance.dialogue.reading.spans import values

T = TypeVar("T")
CHOICES = ("first", "second", "third", "last", "longer", "shorter")
"""What a language's words.yaml names under `choices`; the slot `choice` holds one of them."""
CHOICE_CLASSES = tuple(f"choice={each}" for each in CHOICES)
CHOICE = values("choice", list(zip(CHOICE_CLASSES, CHOICES, strict=True)))
_PLACES = {"first": 0, "second": 1, "third": 2, "last": -1}


def chosen(things: Sequence[T], choice: object, *lengths: Callable[[T], float]) -> list[T]:
    """The one that is meant of things in the order in which they were named; none if there is none.

    lengths: what "longer" may be about; if they do not agree, it may be either of two.
    """
    place = _PLACES.get(str(choice))
    if place is not None:
        return [things[place]] if things and (place < 0 or place < len(things)) else []
    pick = max if choice == "longer" else min if choice == "shorter" else None
    if pick is None or not things:
        return []
    return [things[at] for at in sorted({things.index(pick(things, key=length)) for length in lengths})]
