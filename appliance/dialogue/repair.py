"""Words that were misheard or mistyped put right, when a sentence means nothing as it is: "end the piza timer".

One edit is put right in words of four letters and more, two from seven letters on (an edit: a letter too many, too few,
another one, or two exchanged). Numbers, negations and what else turns the meaning are never made of other words nor
into them. Nothing that a repaired sentence would change is changed before somebody said yes: the intent has a doubt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, product

from rapidfuzz import process
from rapidfuzz.distance import OSA

from appliance.dialogue.frames import Reading
from appliance.dialogue.languages import grammar
from appliance.dialogue.sentences import Sentences
from appliance.dialogue.utterance import Utterance

_SHORTEST, _LONG = 4, 7
"""Letters from which on one edit, and two, are put right."""
_CANDIDATES, _MOST_WORDS, _MOST_VARIANTS, _MOST_UNKNOWN = 3, 2, 8, 3
_MEANINGFUL = 0.9
_PROTECTED = ("filler", "function", "changer", "negation", "hedge", "quantifier", "agree", "refuse")


class Repair:
    """What one language's words may have been. Made once; threads may share it."""

    def __init__(self, sentences: Sentences) -> None:
        self._language = sentences.language
        protected = sentences.lexicon.words_of(_PROTECTED)
        self._known = sentences.lexicon.words
        self._targets = sorted(
            word for word in self._known - protected if len(word) >= _SHORTEST - 1 and not self._is_number(word)
        )

    def variants(self, utterance: Utterance) -> Iterator[Utterance]:
        """The utterance with one word put right, then with two; the likelier first."""
        names = {part for kind in utterance.known.values() for name in kind for part in name.split()}
        if sum(word not in self._known and word not in names for word in utterance.words) > _MOST_UNKNOWN:
            return  # nobody talks to us
        found = {at: words for at, word in enumerate(utterance.words) if (words := self._likely(word, names))}
        count = 0
        for size in range(1, _MOST_WORDS + 1):
            for places in combinations(found, size):
                for chosen in product(*(found[at] for at in places)):
                    if (count := count + 1) > _MOST_VARIANTS:
                        return
                    yield _with(utterance, places, chosen)

    def _likely(self, word: str, names: set[str]) -> list[str]:
        """Known words that are near; none for a word that is known itself."""
        if len(word) < _SHORTEST or word in self._known or word in names or self._is_number(word):
            return []
        edits = 2 if len(word) >= _LONG else 1
        near = process.extract(
            word, [*names, *self._targets], scorer=OSA.distance, score_cutoff=edits, limit=_CANDIDATES
        )
        return [one for one, _, _ in near]

    def _is_number(self, word: str) -> bool:
        return word[:1].isdigit() or grammar(self._language).number_at([word], 0) is not None


def supported(reading: Reading, before: Utterance, after: Utterance) -> bool:
    """Whether more than one word put right speaks for a reading: the answer to it comes without a question first."""
    put_right = {at for at, (old, new) in enumerate(zip(before.words, after.words, strict=True)) if old != new}
    costs = after.costs or ()
    left = {*reading.left, *put_right}
    return len(put_right) == 1 and any(cost >= _MEANINGFUL for at, cost in enumerate(costs) if at not in left)


def _with(utterance: Utterance, places: Sequence[int], words: Sequence[str]) -> Utterance:
    put_right = dict(zip(places, words, strict=True))
    repaired = tuple(put_right.get(at, word) for at, word in enumerate(utterance.words))
    return replace(utterance, words=repaired, spans={}, costs=None)
