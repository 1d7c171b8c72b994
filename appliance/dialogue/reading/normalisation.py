"""Brings typed and recognized text into one shape: lower case, no punctuation but what numbers need.

The recognizer gives "set a timer for five minutes", a person types "Set a timer for 5 min.": after this both are
words between single blanks. What stays besides letters and digits is listed in KEPT.
"""

from __future__ import annotations

import re
import unicodedata

from appliance.language import Language
from appliance.limits import MAX_TEXT_CHARACTERS

MAX_CHARACTERS = MAX_TEXT_CHARACTERS
"""Longer text is not a command; the dialogue says so instead of parsing it."""

_TYPOGRAPHY = str.maketrans({
    "’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'", "×": "*", "·": "*", "⋅": "*", "÷": "/", "−": "-", "–": "-",
    "—": "-", "²": "^2", "³": "^3", "½": " 1/2 ", "¼": " 1/4 ", "¾": " 3/4 ", "\u00ad": "", "\u200b": "", "√": " sqrt ",
})  # fmt: skip
_SYMBOL_WORDS: dict[Language, tuple[tuple[str, str], ...]] = {
    "en": (("°c", " degrees celsius "), ("°f", " degrees fahrenheit "), ("°", " degrees "), ("%", " percent ")),
    "de": (("°c", " grad celsius "), ("°f", " grad fahrenheit "), ("°", " grad "), ("%", " prozent ")),
}
_SHORTENED_NOON = re.compile(r"\b([ap])\s?\.?\s?m\b\.?")
_NOT_KEPT = re.compile(r"[^\w\s'+\-*/^().,:]|_")
_LONE_SEPARATOR = re.compile(r"(?<!\d)[.,:]|[.,:](?!\d)")
_LONE_APOSTROPHE = re.compile(r"(?<![^\W\d])'|'(?![^\W\d])")
_HYPHEN_IN_WORD = re.compile(r"(?<=[^\W\d])-(?=\w)|(?<=\w)-(?=[^\W\d])")
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")
_QUARTER_OF_AN_HOUR = re.compile(r"\b((?:drei)?viertel)(stunden?)\b")
_SHORT_ARTICLE = re.compile(r"\bn(en?|er|em)(?= \w)")
_SOMETHING_TIMER = re.compile(r"\b([^\W\d]{2,})(timers?)\b")
_DIGIT_THEN_LETTER = re.compile(r"(?<=\d)(?=[^\W\d])")


def normalise(text: str, language: Language) -> str:
    """Lower-case words between single blanks; "" if no letter and no digit is left."""
    text = unicodedata.normalize("NFC", text).lower().translate(_TYPOGRAPHY)
    for symbol, words in _SYMBOL_WORDS[language]:
        text = text.replace(symbol, words)
    text = _SHORTENED_NOON.sub(r"\1m ", text) if language == "en" else text
    text = _NOT_KEPT.sub(" ", text)
    text = _LONE_SEPARATOR.sub(" ", text)
    text = _LONE_APOSTROPHE.sub(" ", text)
    text = _HYPHEN_IN_WORD.sub(" ", text)
    text = _ORDINAL.sub(r"\1 th", text)
    text = _DIGIT_THEN_LETTER.sub(" ", text)
    if language == "de":
        text = _QUARTER_OF_AN_HOUR.sub(r"\1 \2", text)
        text = _SHORT_ARTICLE.sub(r"ein\1", text)  # "ne Viertelstunde"
        text = _SOMETHING_TIMER.sub(r"\1 \2", text)  # "Eiertimer"
    return " ".join(text.split()) if any(character.isalnum() for character in text) else ""


# Politeness and address carry no meaning; they are removed only when the sentence is not understood with them,
# so that "thank you" and "bitte" on their own stay what they are.
_FILLERS: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"^((hey|hi|hello|ok|okay|so|well|um|uh|er|please|now|and|the|a|huh)\s+)*"
        r"((stimme|assistant|computer)\s+)?"
        r"((please|(can|could|would|will) you( please| tell me)*|i( want| would like|'d like| need)( you)?( to)?)\s+)*"
        r"|(\s+(please|thanks|thank you|for me|now|right now|then|okay|stimme|the|a|and|huh|um|uh))+$"
        r"|\b(please|just|kindly)\b"
    ),
    "de": re.compile(
        r"^((hey|hallo|ok|okay|also|ähm|äh|hm|so|na|und|jetzt|bitte)\s+)*"
        r"((stimme|assistent|computer)\s+)?"
        r"((bitte|(kannst|könntest|würdest) du( mir| mich| uns)?( bitte)?( sagen)?|ich (möchte|will|brauche))\s+)*"
        r"|(\s+(bitte|danke|dankeschön|jetzt|dann|okay|ok|stimme|für mich|ähm|äh))+$"
        r"|\b(bitte|mal|doch|eben|eigentlich|denn|gerade|kurz|einfach)\b"
    ),
}


def without_fillers(text: str, language: Language) -> str:
    """Normalised text without "hey Stimme", "could you please", "bitte", "mal" and the like."""
    return " ".join(_FILLERS[language].sub(" ", text).split())


# Words that sound alike; tried only when a sentence means nothing otherwise. Collected by speaking the phrases of
# tests/dialogue/phrases.en.tsv to the embedded recognizer.
_SOUNDS_LIKE: dict[Language, tuple[tuple[re.Pattern[str], str], ...]] = {
    "en": (
        (re.compile(r"\b(in|are|is|by|times|plus|minus|for) too?\b"), r"\1 two"),
        (re.compile(r"\bhere\b"), "hear"),
        (re.compile(r"\btime or\b"), "timer"),
    ),
    "de": (),
}


def as_it_sounded(text: str, language: Language) -> str:
    """Normalised text with words the recognizer confuses put right: "what did you here"."""
    for pattern, replacement in _SOUNDS_LIKE[language]:
        text = pattern.sub(replacement, text)
    return text
