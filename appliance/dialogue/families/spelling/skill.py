"""Spelling words, letter by letter."""

from __future__ import annotations

from appliance.dialogue.family import Family
from appliance.dialogue.reading.texts import text_of
from appliance.dialogue.types import Context, Intent, Question, Reply

_LONGEST = 40


def spell(intent: Intent, context: Context) -> Reply:
    word = str(intent.slots.get("word", "")).strip()
    letters = [character for character in word if character.isalnum() or character in "-'"]
    if not letters:
        return context.say("spelling.which", question=Question(intent, ("word",)))
    if len(letters) > _LONGEST:
        return context.say("spelling.too_long")
    parts = [", ".join(_letter(character, context) for character in part) for part in word.split()]
    space = context.text("spelling.space").lower()
    return context.say("spelling.spelled", word=word, letters=f", {space}, ".join(parts))


def _letter(character: str, context: Context) -> str:
    name = f"spelling.letter_{character.lower()}"
    return context.text(name) if name in context.texts else character.upper()


FAMILY = Family(
    "spelling",
    skills={"SpellWord": spell},
    open_readers={
        "word": text_of(
            "word",
            3,
            links=("spelling.word", "spelling.spell"),
            never=("spelling.spell", "negation", "pronoun", "question", "hedge", "spelling.odd"),
            unsure=("aux", "asking"),
            last=("filler", "unfinished", "aux"),
            needs_meaning=True,
        )
    },
)
