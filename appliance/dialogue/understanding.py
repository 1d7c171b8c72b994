"""Text to intent and slots: every frame that fits is scored, and the best one wins only if it explains the sentence.

A sentence that leaves over what changes its meaning ("not", "or", "only if") is never acted upon: the intent then says
what is doubtful, and the dialogue asks. The same goes for a sentence of which too much is left over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from appliance.dialogue.families import FAMILIES
from appliance.dialogue.family import Family
from appliance.dialogue.followups import Situation, answered, corrected, followed
from appliance.dialogue.frames import Reading
from appliance.dialogue.languages import grammar
from appliance.dialogue.reading.normalisation import MAX_CHARACTERS, as_it_sounded, normalise
from appliance.dialogue.sentences import Sentences
from appliance.dialogue.types import Intent
from appliance.dialogue.utterance import Utterance
from appliance.language import LANGUAGES, Language

MAX_WORDS = 40
"""A command has fewer words; matching time grows with them."""
ACTS, ANSWERS = 0.62, 0.56
"""From this confidence on an intent that changes something is carried out, and one that only answers is answered."""
SURE = 0.93
"""From this one on what was said before does not matter."""
DOUBTS = 0.5
"""From this one on what would act is asked about: "Shall I …?"."""


NOTHING = Situation()
"""Nothing was said before."""


class Understanding:
    """Turns words into an intent. Thread safe; no I/O after construction."""

    def __init__(self, families: Iterable[Family] = FAMILIES, languages: Sequence[Language] = LANGUAGES) -> None:
        families = tuple(families)
        self._sentences = {language: Sentences(families, language) for language in languages}

    def understand(self, text: str, language: Language, situation: Situation = NOTHING) -> Intent:
        """What is meant; an Intent with the name "" if that is not known. Raises KeyError for a language not loaded."""
        sentences = self._sentences[language]
        words = normalise(text, language).split() if len(text) <= MAX_CHARACTERS else []
        if not 1 <= len(words) <= MAX_WORDS:
            return Intent("", text, language)
        utterance = Utterance(tuple(words), language, sentences.lexicon, situation.known, situation.today)
        intent = self._meant(sentences, utterance, situation)
        if not intent.name and (heard := as_it_sounded(words, language)) != words:
            intent = self._meant(sentences, replace(utterance, words=tuple(heard), spans={}, costs=None), situation)
        return replace(intent, text=text, slots=_as_written(intent.slots, text))

    def read(
        self, text: str, language: Language, situation: Situation = NOTHING
    ) -> tuple[Utterance, Reading | None]:
        """A text's words and their best reading by themselves, for who wants to know more than the intent."""
        sentences = self._sentences[language]
        words = normalise(text, language).split() if len(text) <= MAX_CHARACTERS else []
        utterance = Utterance(
            tuple(words[:MAX_WORDS]), language, sentences.lexicon, situation.known, situation.today)
        return utterance, best(sentences, utterance)

    def _meant(self, sentences: Sentences, utterance: Utterance, situation: Situation) -> Intent:
        """An answer to what was asked, else what the sentence says by itself, else what it says after the last one."""
        if situation.question is not None and (intent := answered(sentences, utterance, situation.question)):
            return intent
        utterance = corrected(sentences, utterance)
        reading = best(sentences, utterance)
        alone = judged(reading, utterance) if reading else None
        if situation.last is not None:
            sure = alone is not None and not alone.doubt and reading is not None and (
                reading.confidence + reading.frame.weight > SURE)
            pointing = any(start > 0 for start, _ in utterance.hits.get("pointing", ()))
            if (not sure or pointing) and (intent := followed(sentences, utterance, situation, pointing=sure)):
                return intent
        return alone or Intent("", "", utterance.language)


def best(sentences: Sentences, utterance: Utterance) -> Reading | None:
    readings = sentences.readings(utterance)
    return max(readings, key=lambda reading: reading.rank, default=None)


def judged(reading: Reading, utterance: Utterance) -> Intent | None:
    """The reading as an intent; with a doubt if it must not be acted upon as it is; None if it explains too little."""
    language, acts = utterance.language, reading.frame.acts
    changed = changes_meaning(reading, utterance)
    if reading.confidence >= (ACTS if acts else ANSWERS) and not changed and not _too_weak(reading):
        return Intent(reading.frame.intent, "", language, reading.slots)
    if acts and reading.confidence >= DOUBTS:
        return Intent(reading.frame.intent, "", language, reading.slots, doubt="changed" if changed else "unsure")
    return None


def _too_weak(reading: Reading) -> bool:
    """Whether a frame of few words has swallowed so much that something else may be meant: "i need a hug"."""
    frame = reading.frame
    texts = (reading.slots.get(slot) for slot in ("items", "text"))
    longest = max((len(item.split()) for text in texts for item in _each(text)), default=0)
    return longest > frame.asks_beyond


def _each(text: object) -> tuple[str, ...]:
    return text if isinstance(text, tuple) else (str(text or ""),)


def changes_meaning(reading: Reading, utterance: Utterance) -> bool:
    """Whether something is left over that turns the meaning: "not", "or", a second number, a question mark in words."""
    hits = utterance.hits
    if any(not reading.explains(start, end) for start, end in hits.get("changer", ())):
        return True
    if reading.frame.acts and any(_is_number(utterance.words[at], utterance.language) for at in reading.left):
        return True  # a second number: "at six or … seven", "twenty five o'clock"
    last = len(utterance.words) - 1
    if last > 0 and utterance.is_in("dangling", last) and not reading.explains(last, last + 1):
        return True  # "what's the date in": somebody was not finished
    fillers = {at for start, end in hits.get("filler", ()) for at in range(start, end)}
    first = next((at for at in range(len(utterance.words)) if at not in fillers), 0)
    asks = any(start == first and not reading.explains(start, end) for start, end in hits.get("asking", ()))
    return asks and reading.frame.acts


def _is_number(word: str, language: Language) -> bool:
    rules = grammar(language)
    return word not in rules.words.articles and (word[0].isdigit() or rules.number_at([word], 0) is not None)


def _as_written(slots: Mapping[str, object], text: str) -> Mapping[str, object]:
    """Names with the capitals they were typed with: German nouns have them."""
    return {slot: as_written(value, text) if isinstance(value, str) else value for slot, value in slots.items()}


def as_written(name: str, text: str) -> str:
    match = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE)
    return match[0] if match and name else name
