"""Two values for one slot: "remind me at six or seven". Asked back, and the answer waited for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from appliance.dialogue.frames import Reading
from appliance.dialogue.judging import judged
from appliance.dialogue.languages import grammar
from appliance.dialogue.reading.moments import Moment
from appliance.dialogue.sentences import Sentences
from appliance.dialogue.types import Intent
from appliance.dialogue.utterance import Span, Utterance

_FIRST_OF_PAIR = 1
"""Words that may stand between "or" and the second value: "at six or at seven"."""


def alternatives(sentences: Sentences, utterance: Utterance, reading: Reading) -> Intent | None:
    """The intent without the slot that has two values, `either` holding how they were said; None if there is none."""
    frames = sentences.frames[reading.frame.intent] if reading.frame.acts else ()
    slots = dict.fromkeys(slot for frame in frames for slot, _ in frame.slots)
    for start, end in utterance.hits.get("or", ()):
        for slot in slots:
            for before, after in _pairs(sentences, utterance, slot, start, end):
                one = (*utterance.words[: before.start], *utterance.words[after.start :])
                plain = replace(utterance, words=one, spans={}, costs=None)
                best = max(sentences.readings(plain), key=lambda each: each.rank, default=None)
                intent = judged(best, plain) if best else None
                if intent is None or intent.name != reading.frame.intent or intent.doubt:
                    continue
                said = tuple(_said(utterance, span) for span in (before, after))
                known = {name: value for name, value in intent.slots.items() if name not in after.slots}
                moment = after.slots.get("moment")
                if isinstance(moment, Moment) and moment.day is not None:
                    known["day"] = moment.day
                return replace(intent, slots={**known, "either": said, "of": slot}, doubt="either")
    return None


def _pairs(sentences: Sentences, utterance: Utterance, slot: str, start: int, end: int) -> Iterator[tuple[Span, Span]]:
    """What the slot may be right before "or" and right behind it; the shortest before, the longest behind."""
    reader = sentences.loose_matcher.readers.get(slot)
    spans = list(reader(utterance)) if reader else []
    surely = {(span.start, span.end) for span in sentences.matcher.spans(slot, utterance)}
    before = max((span for span in spans if span.end == start), key=lambda span: span.start, default=None)
    behind = [span for span in spans if end <= span.start <= end + _FIRST_OF_PAIR]
    after = max(behind, key=lambda span: (-span.start, span.end), default=None)
    if before is not None and after is not None and surely & {(each.start, each.end) for each in (before, after)}:
        yield before, after


def _said(utterance: Utterance, span: Span) -> str:
    """In the words that were used, without a preposition before them."""
    words, start = grammar(utterance.language).words, span.start
    while start < span.end - 1 and utterance.is_in("preposition", start):
        start += 1
    names = (words.unit_names[words.units[word]] if word in words.units else () for word in utterance.words)
    said = [
        next((name for name in known if name.casefold() == word), word)
        for word, known in zip(utterance.words, names, strict=True)
    ]
    return " ".join(said[start : span.end])
