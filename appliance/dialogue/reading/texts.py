"""Free text in open slots: tasks, notes, items. Kept as it was said, without what only leads up to it."""

from __future__ import annotations

from collections.abc import Iterable

from appliance.dialogue.frames import OpenReader
from appliance.dialogue.languages import grammar
from appliance.dialogue.utterance import Span, Utterance

_NOT_FIRST = ("filler", "alternative", "preposition")
_NOT_LAST = ("filler", "unfinished")
"""A task may end with "off" or "out"."""
_FIRST_WORDS_OF_SENTENCES = ("question", "aux", "do", "changer", "pronoun", "asking")


def text_of(slot: str, longest: int, *, links: Iterable[str] = (), never: Iterable[str] = (), quality: float = 1.0,
            ahead: Iterable[str] = (), verbs: Iterable[str] = (), unsure: Iterable[str] = _FIRST_WORDS_OF_SENTENCES,
            last: Iterable[str] = _NOT_LAST) -> OpenReader:
    """A reader of free text of up to `longest` words.

    links: classes of words that lead up to it and do not belong to it ("to", "that i should"); right behind one
    of them it is certain. never: classes whose words are never part of it. ahead: classes that it must stand behind.
    verbs: the same, but in the answer to "what shall I note?" none of them need be there.
    unsure: classes of words with which it does not begin unless right behind a link. last: with which it does not end.
    """
    unsure, last = tuple(unsure), tuple(last)
    link_classes, never_classes, ahead_classes = tuple(links), tuple(never), tuple(ahead)
    verb_classes = tuple(verbs)

    def read(utterance: Utterance, start: int, end: int) -> Span | None:
        hits = utterance.hits
        if end - start > longest or _at_edge(utterance, start, _NOT_FIRST) or _at_edge(utterance, end - 1, last):
            return None
        if any(utterance.is_in(name, start) for name in link_classes) and end - start > 1:
            return None
        if any(first < end and last > start for name in never_classes for first, last in hits.get(name, ())):
            return None
        behind = any(stop == start for name in link_classes for _, stop in hits.get(name, ()))
        if ahead_classes and not any(stop <= start for name in ahead_classes for _, stop in hits.get(name, ())):
            return None
        if min((stop for name in verb_classes for _, stop in hits.get(name, ())), default=0) > start:
            return None
        if not behind and unsure and _at_edge(utterance, start, unsure):
            return None
        if start == end - 1 and utterance.words[start] in grammar(utterance.language).words.articles:
            return None
        sure = behind or not link_classes
        return Span(start, end, {slot: utterance.text(start, end)}, quality if sure else 0.8 * quality)

    return read


def _at_edge(utterance: Utterance, at: int, names: Iterable[str]) -> bool:
    return any(utterance.is_in(name, at) for name in names)
