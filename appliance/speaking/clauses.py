"""Text as it is written → clauses to be spoken one after the other.

A reply is synthesised clause by clause, so that its first sound does not wait for its last word. The first clause
ends at the first comma that leaves something to say; later ones are whole sentences, because a sentence spoken in one
piece has the better melody.
"""

from __future__ import annotations

import re

from appliance.language import Language

FIRST_CLAUSE_CHARACTERS = 24
"""Shorter first clauses are not cut at a comma."""
LONG_CLAUSE_CHARACTERS = 120
"""Longer later clauses are."""
LONGEST_CLAUSE_CHARACTERS = 240
"""Anything longer is cut between words, so that one clause cannot keep a voice busy for long."""

_ABBREVIATIONS = {
    "en": {"mr.", "mrs.", "ms.", "dr.", "st.", "no.", "vs.", "e.g.", "i.e.", "etc.", "approx."},
    "de": {"dr.", "nr.", "st.", "ca.", "bzw.", "z.b.", "d.h.", "u.a.", "usw.", "evtl.", "inkl.", "str."},
}
_CLOSING = "\"'”“»«’)]"
_SENTENCE_END = re.compile(r"[.!?…]$")

_SPOKEN: dict[Language, tuple[tuple[str, str], ...]] = {
    # What espeak-ng 1.51 and 1.52 read wrongly: "°C" as a degree and two letters, "7:30 Uhr" as two o'clocks, and an
    # ordinal's full stop as the end of a sentence.
    "en": ((r"\s*°\s*C\b", " degrees Celsius"), (r"\s*°\s*F\b", " degrees Fahrenheit")),
    "de": (
        (r"\s*°\s*C\b", " Grad Celsius"),
        (r"\s*°\s*F\b", " Grad Fahrenheit"),
        (r"\b(\d{1,2}):00 Uhr", r"\1 Uhr"),
        (r"\b(\d{1,2}):0?(\d{1,2}) Uhr", r"\1 Uhr \2"),
    ),
}
_MONTHS = "Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember"
_GERMAN_DAY = re.compile(rf"\b(der )?([1-9]|[12]\d|3[01])\. ?(?=(?:{_MONTHS})\b)", re.IGNORECASE)
_GERMAN_ORDINALS = (
    "erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte elfte zwölfte dreizehnte vierzehnte "
    "fünfzehnte sechzehnte siebzehnte achtzehnte neunzehnte zwanzigste einundzwanzigste zweiundzwanzigste "
    "dreiundzwanzigste vierundzwanzigste fünfundzwanzigste sechsundzwanzigste siebenundzwanzigste "
    "achtundzwanzigste neunundzwanzigste dreißigste einunddreißigste"
).split()


def clauses(text: str, language: Language) -> list[str]:
    """The clauses of a text in order, each with its punctuation. Empty for a text without words."""
    found: list[str] = []
    clause = ""
    for word in speakable(text, language).split():
        if len(clause) + len(word) >= LONGEST_CLAUSE_CHARACTERS and clause:
            found.append(clause)
            clause = ""
        clause = f"{clause} {word}" if clause else word[:LONGEST_CLAUSE_CHARACTERS]
        if _ends_clause(clause, word, language, is_first=not found):
            found.append(clause)
            clause = ""
    found.append(clause)
    return [clause for clause in found if re.search(r"\w", clause)]


def speakable(text: str, language: Language) -> str:
    """The text as the voice should read it: without control characters, and with what espeak-ng misreads spelt out."""
    text = "".join(character if character.isprintable() else " " for character in text)
    text = text.replace("[[", "[").replace("]]", "]")  # Piper reads what is in double brackets as phonemes
    for pattern, spoken in _SPOKEN[language]:
        text = re.sub(pattern, spoken, text)
    if language == "de":
        text = _GERMAN_DAY.sub(_german_day, text)
    return text


def _german_day(match: re.Match[str]) -> str:
    """ "der 3. Mai" is "der dritte Mai", and after am, den, vom, zum or dem it is "dritten"."""
    article, ordinal = match[1] or "", _GERMAN_ORDINALS[int(match[2]) - 1]
    return f"{article}{ordinal}{'' if article else 'n'} "


def _ends_clause(clause: str, word: str, language: Language, *, is_first: bool) -> bool:
    bare = word.rstrip(_CLOSING)
    if _SENTENCE_END.search(bare):
        return not (bare.endswith(".") and _is_abbreviated(bare, language))
    enough = FIRST_CLAUSE_CHARACTERS if is_first else LONG_CLAUSE_CHARACTERS
    return len(clause) >= enough and (bare[-1:] in (",", ";", ":") or word in ("–", "—"))


def _is_abbreviated(word: str, language: Language) -> bool:
    """Whether the full stop belongs to the word: "Dr.", "z. B.", and in German "3."."""
    lower = word.lstrip(_CLOSING + "([").lower()
    single_letter = len(lower) == 2 and lower[0].isalpha()
    return lower in _ABBREVIATIONS[language] or single_letter or (language == "de" and lower[:-1].isdigit())
