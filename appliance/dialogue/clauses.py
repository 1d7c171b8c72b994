"""A request with a remark around it: "scratch the bread, I found some", "ich hab Gäste, also weck mich um acht".

Only what begins like a remark and holds nothing that turns a meaning is set aside, and only where the rest is
understood without a doubt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from appliance.dialogue.utterance import Utterance

_SHORTEST, _MOST = 2, 2


def requests(utterance: Utterance) -> Iterator[Utterance]:
    """The utterance without a remark at its end, then without one at its beginning; at most a few."""
    words, hits = utterance.words, utterance.hits
    remarks = sorted({start for start, _ in hits.get("aside", ())})
    tails = [start for start in remarks if start >= _SHORTEST and _harmless(utterance, start, len(words))]
    for start in tails[:_MOST]:
        yield _part(utterance, 0, start)
    if not remarks or remarks[0] > _first(utterance):
        return
    begins = sorted(at for at in hits.get("then", ()) if at[0] > remarks[0] + 1 and len(words) - at[1] >= _SHORTEST)
    for _, end in [each for each in begins if _harmless(utterance, 0, each[0])][:_MOST]:
        yield _part(utterance, end, len(words))


def _harmless(utterance: Utterance, start: int, end: int) -> bool:
    return not any(
        first < end and last > start and not utterance.courtesies.issuperset(range(first, last))
        for first, last in utterance.hits.get("changer", ())
    )


def _first(utterance: Utterance) -> int:
    fillers = {at for start, end in utterance.hits.get("filler", ()) for at in range(start, end)}
    return next((at for at in range(len(utterance.words)) if at not in fillers), 0)


def _part(utterance: Utterance, start: int, end: int) -> Utterance:
    commas = frozenset(at - start for at in utterance.commas if start <= at < end)
    return replace(utterance, words=utterance.words[start:end], commas=commas, spans={}, costs=None)
