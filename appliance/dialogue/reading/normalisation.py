"""Brings typed and recognized text into one shape: lower case, no punctuation but what numbers need.

The recognizer gives "set a timer for five minutes", a person types "Set a timer for 5 min.": after this both are
words between single blanks. What stays besides letters and digits is listed in KEPT.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

from appliance.dialogue.languages import grammar
from appliance.language import Language
from appliance.limits import MAX_TEXT_CHARACTERS

MAX_CHARACTERS = MAX_TEXT_CHARACTERS
"""Longer text is not a command; the dialogue says so instead of parsing it."""

_TYPOGRAPHY = str.maketrans({
    "’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'", "×": "*", "·": "*", "⋅": "*", "÷": "/", "−": "-", "–": "-",
    "—": "-", "²": "^2", "³": "^3", "½": " 1/2 ", "¼": " 1/4 ", "¾": " 3/4 ", "\u00ad": "", "\u200b": "", "√": " sqrt ",
})  # fmt: skip
_NOT_KEPT = re.compile(r"[^\w\s'+\-*/^().,:]|_")
_LONE_SEPARATOR = re.compile(r"(?<!\d)[.,:]|[.,:](?!\d)")
_LONE_APOSTROPHE = re.compile(r"(?<![^\W\d])'|'(?![^\W\d])")
_HYPHEN_IN_WORD = re.compile(r"(?<=[^\W\d])-(?=\w)|(?<=\w)-(?=[^\W\d])")
_DIGIT_THEN_LETTER = re.compile(r"(?<=\d)(?=[^\W\d])")


def normalise(text: str, language: Language) -> str:
    """Lower-case words between single blanks; "" if no letter and no digit is left."""
    table = grammar(language)
    text = unicodedata.normalize("NFC", text).lower().translate(_TYPOGRAPHY)
    for symbol, words in table.words["symbols"].items():
        text = text.replace(symbol, f" {words} ")
    text = _NOT_KEPT.sub(" ", table.mend(text))
    text = _LONE_SEPARATOR.sub(" ", text)
    text = _LONE_APOSTROPHE.sub(" ", text)
    text = _HYPHEN_IN_WORD.sub(" ", text)
    text = _DIGIT_THEN_LETTER.sub(" ", text)
    single, several = _spoken(language)
    text = " ".join(single.get(word, word) for word in text.split())
    for pattern, replacement in several:
        text = pattern.sub(replacement, text)
    return text if any(character.isalnum() for character in text) else ""


@cache
def _spoken(language: Language) -> tuple[Mapping[str, str], tuple[tuple[re.Pattern[str], str], ...]]:
    """What people say for what is written: single words ("isses" for "ist es"), and patterns of several."""
    forms = grammar(language).words.table.get("spoken", {})
    single = {form: written for form, written in forms.items() if re.fullmatch(r"[\w']+", form)}
    several = {form: written for form, written in forms.items() if form not in single}
    return single, tuple((re.compile(rf"(?<![\w'])(?:{form})(?![\w'])"), written) for form, written in several.items())


def as_it_sounded(words: list[str], language: Language) -> list[str]:
    """Words that the recognizer confuses put right: "what did you here". For what means nothing as it is."""
    text = " ".join(words)
    for pattern, replacement in grammar(language).words.table.get("sounds", {}).items():
        text = re.sub(pattern, replacement, text)
    return text.split()
