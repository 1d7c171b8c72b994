"""Sentences as owners write them, spelled out.

good night [my] {who}          {who}: a word of the list "who"; [my] may be missing
(turn|switch) the lamp {state}     one of several
lamp[s]                        endings too
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from appliance.dialogue.languages import grammar
from appliance.dialogue.reading.normalisation import normalise
from appliance.language import Language

MOST_VARIANTS = 256
"""Of one sentence: ten of [these] are 1024."""

_SLOT = re.compile(r"\{(\w+)\}")


class TemplateError(ValueError):
    """A sentence cannot be read; says why and where."""


@dataclass(frozen=True)
class Slot:
    name: str


Parts = tuple[str | Slot, ...]
"""Words as they are after normalisation, and slots."""


def variants(text: str, language: Language) -> list[Parts]:
    """All ways to say it. Raises TemplateError."""
    found: dict[Parts, None] = {}
    for spelled_out in expanded(text):
        parts: list[str | Slot] = []
        for index, piece in enumerate(_SLOT.split(spelled_out)):
            if index % 2:
                parts.append(Slot(piece))
            elif stray := set(piece) & set("{}"):
                raise TemplateError(f"a {stray.pop()!r} without its partner; a slot is written {{name}}")
            else:
                words = (word.strip("-./:,()*^") for word in normalise(piece, language).split())
                parts.extend(word for word in words if word)
        if not any(isinstance(part, str) and part not in grammar(language).words.articles for part in parts):
            raise TemplateError("a sentence needs a word of its own besides its slots, in every variant")
        found[tuple(parts)] = None
    return list(found)


def expanded(text: str) -> list[str]:
    """The sentence with every choice made. Raises TemplateError."""
    found, rest = _alternatives(text, 0)
    if rest < len(text):
        raise TemplateError(f"{text[rest]!r} at character {rest + 1} closes nothing")
    return list(dict.fromkeys(" ".join(each.split()) for each in found))


def _alternatives(text: str, position: int) -> tuple[list[str], int]:
    """The choices up to what closes them, and where that is."""
    whole: list[str] = []
    so_far = [""]
    while position < len(text) and text[position] not in ")]":
        character = text[position]
        position += 1
        if character == "|":
            whole += so_far
            so_far = [""]
        elif character in "([":
            begin, closing = position, ")" if character == "(" else "]"
            inner, position = _alternatives(text, position)
            if position >= len(text) or text[position] != closing:
                raise TemplateError(f"the {character!r} at character {begin} is never closed by {closing!r}")
            position += 1
            so_far = [one + choice for one in so_far for choice in (inner if closing == ")" else ["", *inner])]
        else:
            so_far = [one + character for one in so_far]
        if len(so_far) + len(whole) > MOST_VARIANTS:
            raise TemplateError(f"more than {MOST_VARIANTS} ways to say it; write several sentences")
    return whole + so_far, position
