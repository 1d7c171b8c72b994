"""Whether what somebody said in two pieces is one sentence: "add coffee and sugar" … "to the shopping list"."""

from __future__ import annotations

from appliance.dialogue.completeness import LEADING
from appliance.dialogue.followups import Situation
from appliance.dialogue.frames import Reading
from appliance.dialogue.types import Intent
from appliance.dialogue.understanding import NOTHING, SURE, Understands
from appliance.language import Language

_SMALL = ("function", "dangling")
"""Classes of words that go on rather than begin: "to the …", "and …"."""


def joined(
    understanding: Understands, first: str, second: str, language: Language, situation: Situation = NOTHING
) -> str:
    """Both as one sentence, without an "um" between them, if they read as one (reads_as_one); else ""."""
    heard, _ = understanding.read(second, language, situation)
    words = second.split()
    for position in range(min(len(words), len(heard.words)) - 1):
        if not heard.is_in("hesitation", position):
            words = words[position:]
            break
    rest = " ".join(words)
    return f"{first} {rest}" if reads_as_one(understanding, first, rest, language, situation) else ""


def reads_as_one(
    understanding: Understands, first: str, second: str, language: Language, situation: Situation = NOTHING
) -> bool:
    """Pure. situation: as it was before `first`.

    One reading must explain words of both pieces. A second piece that means something by itself belongs to the first
    only if it adds what the first can take, and not as words of a name or a note, which take anything.
    """
    together = f"{first} {second}"
    whole = understanding.understand(together, language, situation)
    begun = understanding.understand(first, language, situation)
    alone = understanding.understand(second, language, situation)
    if not _is_clear(whole):  # nobody knows what it means: the pieces belong together if neither means anything
        return not alone.name and not begun.name
    utterance, reading = understanding.read(together, language, situation)
    if reading is None or reading.frame.intent != whole.name:
        return not _is_clear(alone)
    border = len(understanding.read(first, language, situation)[0].words)
    length = len(utterance.words)
    if not any(span.start < border for span in reading.spans):
        return False
    tail, own = understanding.read(second, language, situation)
    goes_on = any(tail.is_in(name, 0) for name in _SMALL) and not any(tail.is_in(name, 0) for name in LEADING)
    if not _is_clear(alone) or goes_on:
        return 2 * _explained(reading, border, named=True) >= length - border
    if border == 1 and not reading.left:  # "cancel" … "the alarm for tomorrow"
        return _explained(reading, border, named=False) == length - border
    is_a_sentence = own is not None and own.confidence + own.frame.weight > SURE
    if alone.name != whole.name and is_a_sentence or _is_clear(begun) and begun.name != whole.name:
        return False
    return 2 * _explained(reading, border, named=False) >= length - border


def _is_clear(intent: Intent) -> bool:
    return bool(intent.name) and not intent.doubt


def _explained(reading: Reading, border: int, *, named: bool) -> int:
    """How many words from the border on mean something. named: in names and notes too, which take any words."""
    return sum(
        max(0, span.end - max(span.start, border))
        for span in reading.spans
        if named or not (span.open or span.verbatim)
    )
