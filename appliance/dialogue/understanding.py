"""Text to intent and slots: every frame that fits is scored, and the best one wins only if it explains the sentence.

A sentence that leaves over what changes its meaning ("not", "or", "only if") is never acted upon: the intent then says
what is doubtful, and the dialogue asks. The same goes for a sentence of which too much is left over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from appliance.dialogue.alternatives import alternatives
from appliance.dialogue.clauses import requests
from appliance.dialogue.families import FAMILIES
from appliance.dialogue.family import Family
from appliance.dialogue.followups import Situation, answered, corrected, followed, gone_on, stopped
from appliance.dialogue.frames import Reading
from appliance.dialogue.judging import judged
from appliance.dialogue.reading.normalisation import MAX_CHARACTERS, as_it_sounded, normalise
from appliance.dialogue.reading.written import as_written, commas
from appliance.dialogue.repair import Repair, supported
from appliance.dialogue.sentences import Sentences
from appliance.dialogue.types import Intent
from appliance.dialogue.utterance import Utterance
from appliance.language import LANGUAGES, Language

MAX_WORDS = 40
"""A command has fewer words; matching time grows with them."""
REPAIRED = 0.85
"""A sentence with words put right must explain at least so much."""
SURE = 0.93
"""From this one on what was said before does not matter."""


AMONG_OURS = 0.8
"""The same for another intent of the family that was spoken of: "add carrots" – "and take the bread off"."""


NOTHING = Situation()
"""Nothing was said before."""


class Understands(Protocol):
    """Understanding, or what puts more in front of it (owners/listening.py)."""

    def understand(self, text: str, language: Language, situation: Situation = NOTHING) -> Intent: ...
    def read(
        self, text: str, language: Language, situation: Situation = NOTHING
    ) -> tuple[Utterance, Reading | None]: ...


class Understanding:
    """Turns words into an intent. Thread safe; no I/O after construction."""

    def __init__(self, families: Iterable[Family] = FAMILIES, languages: Sequence[Language] = LANGUAGES) -> None:
        families = tuple(families)
        self.acts = frozenset(intent for family in families for intent in family.acts)
        """The intents that change something."""
        self._sentences = {language: Sentences(families, language) for language in languages}
        self._repairs = {language: Repair(sentences) for language, sentences in self._sentences.items()}

    def understand(self, text: str, language: Language, situation: Situation = NOTHING) -> Intent:
        """What is meant; an Intent with the name "" if that is not known. Raises KeyError for a language not loaded."""
        sentences = self._sentences[language]
        words = normalise(text, language).split() if len(text) <= MAX_CHARACTERS else []
        if not 1 <= len(words) <= MAX_WORDS:
            return Intent("", text, language)
        known = {**situation.known, "ringing": {}} if situation.ringing else situation.known
        utterance = Utterance(
            tuple(words), language, sentences.lexicon, known, situation.today, commas(text, words, language)
        )
        intent = self._meant(sentences, utterance, situation)
        if not intent.name and (heard := as_it_sounded(words, language)) != words:
            intent = self._meant(sentences, replace(utterance, words=tuple(heard), spans={}, costs=None), situation)
        if not intent.name and (plain := _without_fillers(utterance)) is not None:
            intent = self._meant(sentences, plain, situation)
        if not intent.name or intent.doubt == "unsure":
            intent = self._without_remark(sentences, utterance) or intent
        if not intent.name or intent.doubt == "unsure":
            intent = self._repaired(sentences, utterance) or intent
        return replace(intent, text=text, slots=as_written(intent.slots, text, language))

    def _without_remark(self, sentences: Sentences, utterance: Utterance) -> Intent | None:
        """What is asked for, if all else is a remark: "set a timer for ten minutes, I've put the rice on"."""
        for part in requests(utterance):
            reading = best(sentences, part)
            intent = judged(reading, part) if reading and reading.confidence >= SURE else None
            if intent is not None and not intent.doubt:
                return intent
        return None

    def _repaired(self, sentences: Sentences, utterance: Utterance) -> Intent | None:
        """What a sentence means that only means something with a word or two put right; None for nothing."""
        found: list[tuple[float, Intent]] = []
        for variant in self._repairs[utterance.language].variants(utterance):
            reading = best(sentences, variant)
            intent = judged(reading, variant) if reading and reading.confidence >= REPAIRED else None
            if (
                reading is not None
                and intent is not None
                and not intent.doubt
                and (intent.name in self.acts or supported(reading, utterance, variant))
            ):
                found.append((reading.gain - reading.cost, intent))
        _, best_intent = max(found, key=lambda each: each[0], default=(0.0, None))
        return best_intent and replace(best_intent, doubt="repaired" if best_intent.name in self.acts else "")

    def read(self, text: str, language: Language, situation: Situation = NOTHING) -> tuple[Utterance, Reading | None]:
        """A text's words and their best reading by themselves, for who wants to know more than the intent."""
        sentences = self._sentences[language]
        words = normalise(text, language).split() if len(text) <= MAX_CHARACTERS else []
        utterance = Utterance(tuple(words[:MAX_WORDS]), language, sentences.lexicon, situation.known, situation.today)
        return utterance, best(sentences, utterance)

    def _meant(self, sentences: Sentences, utterance: Utterance, situation: Situation) -> Intent:
        """An answer to what was asked, else what the sentence says by itself, else what it says after the last one."""
        if situation.question is not None and (intent := answered(sentences, utterance, situation.question)):
            return intent
        if situation.last is not None and (intent := gone_on(sentences, utterance, situation.last)):
            return intent
        utterance = corrected(sentences, utterance)
        reading = best(sentences, utterance)
        alone = judged(reading, utterance) if reading else None
        if reading is not None and "or" in utterance.hits and (alone is None or alone.doubt):
            alone = alternatives(sentences, utterance, reading) or alone
        if situation.last is not None and alone is not None:
            alone = stopped(sentences, utterance, situation, alone)
        if situation.last is not None:
            sure = (
                alone is not None
                and not alone.doubt
                and reading is not None
                and (
                    reading.confidence + reading.frame.weight > SURE
                    or reading.confidence > AMONG_OURS
                    and _another_of_the_same(sentences, alone, situation.last)
                )
            )
            pointing = any(start > 0 for start, _ in utterance.hits.get("pointing", ()))
            if (not sure or pointing) and (intent := followed(sentences, utterance, situation, pointing=sure)):
                if not sure or "it" not in intent.slots or alone and alone.name in (intent.name, "Unavailable"):
                    return _kept(sentences, intent, utterance, situation.last)
        return _kept(sentences, alone, utterance, situation.last) if alone else Intent("", "", utterance.language)


def _without_fillers(utterance: Utterance) -> Utterance | None:
    """Without the words that say nothing, which may stand inside of any phrase: "was hast du da grad gehört"."""
    turning = {at for start, end in utterance.hits.get("changer", ()) for at in range(start, end)}
    words = enumerate(utterance.words)
    kept = tuple(word for at, word in words if at in turning or not utterance.is_in("filler", at))
    shorter = 1 < len(kept) < len(utterance.words)
    return replace(utterance, words=kept, commas=frozenset(), spans={}, costs=None) if shorter else None


def best(sentences: Sentences, utterance: Utterance) -> Reading | None:
    readings = sentences.readings(utterance)
    return max(readings, key=lambda reading: reading.rank, default=None)


def _another_of_the_same(sentences: Sentences, intent: Intent, last: Intent) -> bool:
    of = sentences.family_of
    return intent.name != last.name and of.get(intent.name) is of.get(last.name) is not None


def _kept(sentences: Sentences, intent: Intent, utterance: Utterance, last: Intent | None) -> Intent:
    """With what was said before and still holds: "what's on the camping list?" – "add a pillow"."""
    family = sentences.family_of.get(intent.name)
    if last is None or family is None or sentences.family_of.get(last.name) is not family or intent.name == last.name:
        return intent
    if {*family.keeps, "other"} & set(intent.slots) or not family.keeps_for.issuperset({intent.name}):
        return intent
    if family.thing in utterance.hits and family.thing_is_told:
        return intent
    kept = {slot: last.slots[slot] for slot in family.keeps if slot in last.slots}
    return replace(intent, slots={**intent.slots, **kept})
