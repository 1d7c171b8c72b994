"""Whether the best reading of a sentence is good enough to act upon.

The rule: who changes something must have understood every word of the sentence that carries meaning. A word that no
literal and no good slot explains, and that is neither a filler nor grammar, means: ask. What would delete or change
things that exist needs a surer reading still. Words that turn the meaning ("not", "or", "only if") are never left over
silently.
"""

from __future__ import annotations

from collections.abc import Iterable

from appliance.dialogue.frames import Reading
from appliance.dialogue.languages import grammar
from appliance.dialogue.types import Doubt, Intent
from appliance.dialogue.utterance import Utterance
from appliance.language import Language

ACTS, ANSWERS = 0.62, 0.62
"""From this confidence on an intent that changes something is carried out, and one that only answers is answered."""
CHANGES = 0.75
"""The same for what deletes or changes things that exist."""
DOUBTS = 0.5
"""From this one on what would act is asked about: "Shall I …?"."""
_CARRIES_MEANING = 0.4
"""A word that costs this much and is left over has a meaning of its own."""
_GOOD = 0.7
"""An open slot of less has only swallowed what nobody understood: "the ten minute timer exploded"."""


def judged(reading: Reading, utterance: Utterance) -> Intent | None:
    """The reading as an intent; with a doubt if it must not be acted upon as it is; None if it explains too little."""
    frame = reading.frame
    doubt = doubt_about(reading, utterance)
    if not frame.acts:
        strictly = not (frame.strict and unexplained(reading, utterance))
        good = reading.confidence >= ANSWERS and doubt != "changed" and strictly
        return Intent(frame.intent, "", utterance.language, reading.slots) if good else None
    if reading.confidence < DOUBTS:
        return None
    return Intent(frame.intent, "", utterance.language, reading.slots, doubt=doubt)


def doubt_about(reading: Reading, utterance: Utterance) -> Doubt:
    """Why the reading must not be acted upon as it is; "" if it may be."""
    frame = reading.frame
    if changes_meaning(reading, utterance) or _hedged(reading, utterance):
        return "changed"
    if reading.confidence < (CHANGES if frame.changes else ACTS) or _too_weak(reading):
        return "unsure"
    return "unsure" if frame.acts and unexplained(reading, utterance) else ""


def unexplained(reading: Reading, utterance: Utterance) -> list[str]:
    """Words that are left over and carry meaning; for a strict frame all words that are no fillers."""
    least = 0.05 if reading.frame.strict and reading.frame.acts else _CARRIES_MEANING
    costs = utterance.costs or [1.0] * len(utterance.words)
    guessed = [at for span in reading.spans if span.open and span.quality < _GOOD for at in range(span.start, span.end)]
    return [utterance.words[at] for at in (*reading.left, *guessed) if costs[at] >= least]


def changes_meaning(reading: Reading, utterance: Utterance) -> bool:
    """Whether something is left over that turns the meaning: "not", "or", a second number, a question mark in words."""
    hits = utterance.hits
    turning = [each for each in hits.get("changer", ()) if not utterance.courtesies.issuperset(range(*each))]
    if any(not _accounted_for(reading, start, end) for start, end in turning):
        return True
    if reading.frame.acts and any(_is_number(utterance.words[at], utterance.language) for at in reading.left):
        return True  # a second number: "at six or … seven", "twenty five o'clock"
    last = len(utterance.words) - 1
    if last > 0 and utterance.is_in("dangling", last) and not reading.explains(last, last + 1):
        return True  # "what's the date in": somebody was not finished
    first = _first_word(utterance)
    asks = any(start == first and not reading.explains(start, end) for start, end in hits.get("asking", ()))
    return asks and reading.frame.acts


def _accounted_for(reading: Reading, start: int, end: int) -> bool:
    """Whether something explains a phrase; for a weak frame as a whole: single words of it may stand anywhere."""
    if end - start == 1 or reading.frame.acts or reading.frame.weight >= 0:
        return reading.explains(start, end)
    return any(span.start <= start and end <= span.end for span in reading.spans)


def _hedged(reading: Reading, utterance: Utterance) -> bool:
    """Whether a text that is not free to say anything holds an alternative: "remind me at noon to buy six or seven"."""
    if not reading.frame.acts or not reading.frame.open:
        return False
    texts = [range(span.start, span.end) for span in reading.spans if span.open and not span.verbatim]
    return any(start in text for text in texts for start, _ in utterance.hits.get("hedge", ()))


def _first_word(utterance: Utterance) -> int:
    fillers = {at for start, end in utterance.hits.get("filler", ()) for at in range(start, end)}
    return next((at for at in range(len(utterance.words)) if at not in fillers), 0)


def _too_weak(reading: Reading) -> bool:
    """Whether a frame of few words has swallowed so much that something else may be meant: "i need a hug"."""
    frame = reading.frame
    texts = (reading.slots.get(slot) for slot in ("items", "text"))
    longest = max((len(item.split()) for text in texts for item in _each(text)), default=0)
    return longest > frame.asks_beyond


def _each(text: object) -> Iterable[str]:
    return text if isinstance(text, tuple) else (str(text or ""),)


def _is_number(word: str, language: Language) -> bool:
    rules = grammar(language)
    return word not in rules.words.articles and (word[0].isdigit() or rules.number_at([word], 0) is not None)
