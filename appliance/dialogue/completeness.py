"""How complete a sentence is that somebody may still be saying: what the end of an utterance waits for.

The understanding knows what recognizers and voice detectors cannot: that "turn the volume up" is all of it, that "add
milk" is often followed by "and bread", and that after "set a timer for" something must come.
"""

from __future__ import annotations

from typing import Literal

from appliance.dialogue.followups import Situation
from appliance.dialogue.frames import Reading
from appliance.dialogue.types import Intent
from appliance.dialogue.understanding import NOTHING, Understands
from appliance.dialogue.utterance import Utterance
from appliance.language import Language

Completeness = Literal["complete", "continuable", "text", "open", "hesitation", "unknown"]
"""A whole request that cannot well go on; one that could; one that ends in words of the speaker's own, which often go
on ("add coffee and sugar" … "to the shopping list"); one that lacks something; one that ends in "um"; anything else."""

_MEANINGFUL = 0.3
"""What is not understood but so far explained by some frame is on its way to a request; below it may be anything."""
_BEGINNING = 3
"""Of what so few words say and nobody understands, nearly all goes on: 32 of 100 beginnings of sentences mean nothing
yet, 2 of 100 whole ones (300 English sentences of tests/utterances)."""
_OPENS = "unavailable.opens"
_NEXT = ".next"
"""Names of classes: verbs that want an object, and "the next" of something."""
LEADING = ("aux", "question", "asking", "do")
"""Classes of words that begin something; nobody stops after "what is the" or "could you set"."""


def completeness(
    understanding: Understands, text: str, language: Language, situation: Situation = NOTHING
) -> tuple[Completeness, Intent]:
    """How complete `text` is, heard so far, and what it means. Pure; about as much work as understanding it."""
    intent = understanding.understand(text, language, situation)
    utterance, reading = understanding.read(text, language, situation)
    return _judged(utterance, reading, intent), intent


def _judged(utterance: Utterance, reading: Reading | None, intent: Intent) -> Completeness:
    last = len(utterance.words) - 1
    if last < 0:
        return "unknown"
    if utterance.is_in("hesitation", last):
        return "hesitation"
    in_a_phrase = reading is not None and any(  # "what are you up to"
        span.start < last < span.end and not span.slots for span in reading.spans
    )
    if utterance.is_in("dangling", last):
        return "open"
    if _is_begun(utterance, last, intent):
        return "open"
    leads_on = any(utterance.is_in(name, last) for name in LEADING) and not in_a_phrase
    if not intent.name or intent.doubt:
        begun = reading is not None and reading.confidence >= _MEANINGFUL
        is_small = utterance.is_in("function", last)  # "how many days until"
        return "open" if begun or leads_on or is_small or last < _BEGINNING else "unknown"
    if reading is None or reading.frame.intent != intent.name:  # it answers or follows what was said before
        return "continuable" if intent.slots else "complete"
    if leads_on and not reading.slots:
        return "open"
    if last == 1 and (utterance.is_in("asking", 0) or utterance.is_in("question", 0)):
        return "open"  # "what version", is running
    # "thank you", very much; "set a timer for ten minutes", to be called something; "add milk", and bread
    filled = {name for span in reading.spans for name in span.slots}
    unfilled = any(name not in filled for name, _ in (*reading.frame.slots, *reading.frame.open))
    if any(span.end > last and (span.open or "items" in span.slots) for span in reading.spans):
        return "text"
    if unfilled or last < 2 or any(span.end > last and span.slots for span in reading.spans):
        return "continuable"
    return "complete"


def _is_begun(utterance: Utterance, last: int, intent: Intent) -> bool:
    """Whether it ends where nobody stops, though it may mean something: "play some", "when is the next"."""
    ending = {name for name, hits in utterance.hits.items() if any(end == last + 1 for _, end in hits)}
    if "unsure" in intent.slots and utterance.is_in("preposition", last):  # "stelle einen wecker auf"
        return True
    if intent.name:
        return any(name.startswith(_OPENS) for name in ending)
    return last > 1 and any(name.endswith(_NEXT) for name in ending)
