"""Text as it is written → clauses to be spoken one after the other.

A reply is synthesised clause by clause, so that its first sound does not wait for its last word. The first clause
ends at the first comma that leaves something to say; later ones are whole sentences, because a sentence spoken in one
piece has the better melody.
"""

from __future__ import annotations

import re

from appliance.language import Language
from appliance.speaking.languages import reading

FIRST_CLAUSE_CHARACTERS = 24
"""Shorter first clauses are not cut at a comma."""
LONG_CLAUSE_CHARACTERS = 120
"""Longer later clauses are."""
LONGEST_CLAUSE_CHARACTERS = 240
"""Anything longer is cut between words, so that one clause cannot keep a voice busy for long."""

_CLOSING = "\"'”“»«’)]"
_SENTENCE_END = re.compile(r"[.!?…]$")


def clauses(text: str, language: Language, *, is_begun: bool = False) -> list[str]:
    """The clauses of a text in order, each with its punctuation. Empty for a text without words.

    is_begun: it is the rest of a text of which something was spoken already.
    """
    found: list[str] = []
    clause = ""
    for word in speakable(text, language).split():
        if len(clause) + len(word) >= LONGEST_CLAUSE_CHARACTERS and clause:
            found.append(clause)
            clause = ""
        clause = f"{clause} {word}" if clause else word[:LONGEST_CLAUSE_CHARACTERS]
        if _ends_clause(clause, word, language, is_first=not found and not is_begun):
            found.append(clause)
            clause = ""
    found.append(clause)
    return [clause for clause in found if re.search(r"\w", clause)]


def complete(text: str, language: Language, *, is_begun: bool = False) -> int:
    """How many characters of a text that is still being written are whole clauses; see clauses."""
    clause, end = "", 0
    for match in re.finditer(r"(\S+)\s+", text):
        clause = f"{clause} {match[1]}" if clause else match[1]
        long = len(clause) >= LONGEST_CLAUSE_CHARACTERS
        if long or _ends_clause(clause, match[1], language, is_first=not end and not is_begun):
            clause, end = "", match.end()
    return end


def speakable(text: str, language: Language) -> str:
    """The text as the voice should read it: without control characters, and with what voices misread spelt out."""
    text = "".join(character if character.isprintable() else " " for character in text)
    text = text.replace("[[", "[").replace("]]", "]")  # Piper reads what is in double brackets as phonemes
    return reading(language).rewritten(text)


def _ends_clause(clause: str, word: str, language: Language, *, is_first: bool) -> bool:
    bare = word.rstrip(_CLOSING)
    if _SENTENCE_END.search(bare):
        return not (bare.endswith(".") and _is_abbreviated(bare, language))
    enough = FIRST_CLAUSE_CHARACTERS if is_first else LONG_CLAUSE_CHARACTERS
    return len(clause) >= enough and (bare[-1:] in (",", ";", ":") or word in ("–", "—"))


def _is_abbreviated(word: str, language: Language) -> bool:
    """Whether the full stop belongs to the word: "Dr.", "z. B.", and in German "3."."""
    lower, by = word.lstrip(_CLOSING + "([").lower(), reading(language)
    single_letter = len(lower) == 2 and lower[0].isalpha()
    return lower in by.abbreviations or single_letter or by.is_ordinal(lower)
