"""Understanding with the owner's sentences in it. They come first, but for the words that must always work."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from appliance.dialogue.families import FAMILIES
from appliance.dialogue.families.turn.skill import FAMILY as TURN
from appliance.dialogue.followups import Situation
from appliance.dialogue.frames import Reading
from appliance.dialogue.languages import grammar
from appliance.dialogue.languages.grammar import load_yaml
from appliance.dialogue.owners.registry import Registry
from appliance.dialogue.owners.templates import Parts
from appliance.dialogue.patterns import Lexicon
from appliance.dialogue.types import Intent
from appliance.dialogue.understanding import NOTHING, Understands
from appliance.dialogue.utterance import Utterance
from appliance.language import Language

OWNERS, TEACH = "Owners", "TeachSentence"
OURS = frozenset({"StopSpeaking", "HassNevermind", "Yes", "No", "Undo", "Repeat"})
"""What an owner's sentence can never mean instead."""
_ALWAYS = frozenset({"StopSpeaking", "HassNevermind", "Yes", "No"})


class WithOwners:
    """Thread safe. registry: the owner's sentences as they are now."""

    def __init__(self, base: Understands, registry: Callable[[], Registry]) -> None:
        self._base, self._registry = base, registry

    def understand(self, text: str, language: Language, situation: Situation = NOTHING) -> Intent:
        if (taught := teaching(text, language)) is not None:
            return taught
        match = self._registry().match(text, language)
        if match is None:
            return self._base.understand(text, language, situation)
        own = Intent(OWNERS, text, language, {"skill": match.skill, **match.slots})
        if match.free and not match.literal:
            return self._base.understand(text, language, situation)
        meant = self._base.understand(text, language, situation)
        question = situation.question
        is_answer = question is not None and meant.name in (question.intent.name, "No", "HassNevermind")
        return meant if is_answer or meant.name in _ALWAYS else own

    def read(self, text: str, language: Language, situation: Situation = NOTHING) -> tuple[Utterance, Reading | None]:
        """As our families read it: an owner's sentence may end anywhere."""
        return self._base.read(text, language, situation)


def protected(parts: Parts, language: Language) -> str:
    """Why these words are ours alone; "" if they are not (skill_file.Protects). Cheap: it looks at words, no frames."""
    if not all(isinstance(part, str) for part in parts):
        return ""
    words = [str(part) for part in parts]
    hits = _ours(language).hits(words)
    covered = {at for spans in hits.values() for start, end in spans for at in range(start, end)}
    if "ours" not in hits or len(covered) < len(words):
        return ""
    return f"{' '.join(words)!r} is ours: it must always stop, confirm, undo or repeat"


@cache
def _ours(language: Language) -> Lexicon:
    lexicon, turn = Lexicon(), TURN.sentences(language)["words"]
    common = grammar(language).words.table["classes"]
    for patterns in (
        *(turn[name] for name in ("stop", "never_mind", "undo", "repeat")),
        *(common[name] for name in ("agree", "refuse")),
    ):
        lexicon.add("ours", patterns)
    lexicon.add("filler", common["filler"])
    return lexicon


def teaching(text: str, language: Language) -> Intent | None:
    """ "When I say good night, answer sleep well": the sentence and the answer, as they were written; else None."""
    said = text.strip().rstrip(".!")
    for pattern in _patterns(language):
        if (found := pattern.fullmatch(said)) is not None:
            phrase, reply = (found[name].strip(" ,:;\"'„“”‚‘’»«") for name in ("phrase", "reply"))
            if phrase and reply:
                return Intent(TEACH, text, language, {"phrase": phrase, "reply": reply})
    return None


@cache
def _patterns(language: Language) -> tuple[re.Pattern[str], ...]:
    file = Path(__file__).with_name(f"sentences.{language}.yaml")
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in load_yaml(file.read_text(encoding="utf-8"))["teach"])


def understood_otherwise(base: Understands, text: str, language: Language) -> str:
    """The intent that a sentence has without the owner's skills; "" for none."""
    intent = base.understand(text, language)
    return "" if intent.doubt or intent.name not in _INTENTS else intent.name


_INTENTS = frozenset(intent for family in FAMILIES for intent in family.skills if intent != "Unavailable")
