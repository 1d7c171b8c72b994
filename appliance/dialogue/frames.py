"""Frames: what must be, may be and must not be in an utterance for an intent, in whatever order people say it.

    timer {duration} set? *name?      words of the class "timer" and a duration; perhaps words of the class "set"; and
                                      perhaps a name in words that nobody else understands
    timer !cancel                     … but none of the class "cancel"
    > {from} {moment} move            slots in this order
    'alarm clock'                     these very words

What a frame does not explain is left over and costs, each word according to what it is; what must not be left over
(negations, alternatives, conditions) is reported, so that the dialogue asks instead of acting.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from appliance.dialogue.utterance import Slots, Span, Utterance

Reader = Callable[[Utterance], Iterable[Span]]
"""Finds every place where a slot can be read."""
OpenReader = Callable[[Utterance, int, int], Span | None]
"""Whether the words from start to end may be what an open slot holds."""

_TERM = re.compile(
    r"(?P<not>!)?(?:\{(?P<slot>\w+)\}|\*(?P<open>\w+)|'(?P<words>[^']*(?:'\w[^']*)*)'|(?P<cls>[\w.]+))(?P<opt>\?)?$"
)
_MAX_OPEN_WORDS = 18


class FrameError(ValueError):
    """A frame cannot be read; says which and why."""


@dataclass(frozen=True)
class Frame:
    intent: str
    text: str
    required: frozenset[str] = frozenset()
    """Classes of which a phrase must be there."""
    optional: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    slots: tuple[tuple[str, bool], ...] = ()
    """Names of slots that a reader finds, in the order of writing, and whether they must be there."""
    open: tuple[tuple[str, bool], ...] = ()
    ordered: bool = False
    fixed: Mapping[str, object] = field(default_factory=dict)
    """Slots that this frame sets by itself."""
    acts: bool = False
    """Whether its intent changes anything."""
    changes: bool = False
    """Whether its intent deletes or changes what exists."""
    strict: bool = False
    """Whether nothing but fillers may be left over: for frames without a word of their own ("ten minutes")."""
    when: str = ""
    """It is tried only if there is something of that kind: "ringing"."""
    asks_beyond: int = 99
    """If a text in an open slot has more words than this, the frame is too weak to act upon: the dialogue asks."""
    weight: float = 0.0
    """Added to the score; negative for frames that are only to win when nothing else does."""


def parse_frame(text: str, intent: str, resolve: Callable[[str, bool], str], **more: object) -> Frame:
    """resolve: a class's name (or, with True, literal words) to its name in the lexicon. Raises FrameError."""
    required: set[str] = set()
    optional: set[str] = set()
    forbidden: set[str] = set()
    slots: list[tuple[str, bool]] = []
    open_slots: list[tuple[str, bool]] = []
    terms = _split(text)
    ordered = terms[:1] == [">"]
    for term in terms[1:] if ordered else terms:
        match = _TERM.match(term)
        if match is None:
            raise FrameError(f"{intent}: cannot read {term!r} in {text!r}")
        must = not match["opt"]
        if match["slot"]:
            slots.append((match["slot"], must))
        elif match["open"]:
            open_slots.append((match["open"], must))
        else:
            name = resolve(match["cls"] or match["words"], match["cls"] is None)
            (forbidden if match["not"] else required if must else optional).add(name)
    return Frame(
        intent,
        text,
        frozenset(required),
        frozenset(optional),
        frozenset(forbidden),
        tuple(slots),
        tuple(open_slots),
        ordered,
        **more,  # type: ignore[arg-type]
    )


def _split(text: str) -> list[str]:
    return re.findall(r"!?'[^']*(?:'\w[^']*)*'\??|\S+", text)


@dataclass(frozen=True)
class Reading:
    """One way to understand an utterance."""

    frame: Frame
    slots: Slots
    gain: float
    """How much of it the frame explains."""
    cost: float
    """How much it leaves over."""
    left: tuple[int, ...]
    """Positions of words that it leaves over and that have a cost."""
    swallowed: int = 0
    """Words in open slots."""
    spans: tuple[Span, ...] = ()
    """What it explains; spans without slots are words of classes."""

    def explains(self, start: int, end: int) -> bool:
        """Whether it covers all words of a phrase: then its meaning is accounted for."""
        covered = {at for span in self.spans for at in range(span.start, span.end)}
        return covered.issuperset(range(start, end))

    @property
    def confidence(self) -> float:
        return self.gain / (self.gain + self.cost) if self.gain > 0 else 0.0

    @property
    def rank(self) -> tuple[float, int]:
        """Which of several readings of the same utterance is the best: what explains more and leaves less over."""
        frame = self.frame
        return round(self.gain - self.cost + 3 * frame.weight, 3), len(frame.required) + len(frame.slots)


@dataclass(frozen=True)
class Matcher:
    """Matches one frame: readers give the spans of slots, `costs` what each word costs when it is left over."""

    readers: Mapping[str, Reader]
    open_readers: Mapping[str, OpenReader]
    costs: Callable[[Utterance], Sequence[float]]

    def match(self, frame: Frame, utterance: Utterance, *, loose: bool = False) -> Reading | None:
        """The best reading by this frame. loose: the words of classes may be missing, as in an answer to a question."""
        hits = utterance.hits
        if any(name in hits for name in frame.forbidden):
            return None
        if not loose and not all(name in hits for name in frame.required):
            return None
        slots = [(name, must, self.spans(name, utterance)) for name, must in frame.slots]
        if any(must and not spans for _, must, spans in slots):
            return None
        return _Search(self, frame, utterance, slots, loose).best()

    def spans(self, name: str, utterance: Utterance) -> list[Span]:
        return utterance.read(name, self.readers[name])


_Cover = tuple[float, float, int, tuple[Span, ...]]
"""Gain, cost, words in open slots, and the spans from left to right."""
_SWALLOWED = 0.45
"""What a word in an open slot is worth: more than nothing, less than being understood."""


def worth(cost: float) -> float:
    """What it is worth to explain a word that would cost this much if it were left over."""
    return max(0.15, min(cost, 1.0))


class _Search:
    """Covers the words from left to right with the frame's parts; the best cover of each (position, parts used)."""

    def __init__(
        self,
        matcher: Matcher,
        frame: Frame,
        utterance: Utterance,
        slots: list[tuple[str, bool, list[Span]]],
        loose: bool,
    ) -> None:
        self._frame, self._utterance, self._open_readers = frame, utterance, matcher.open_readers
        self._costs = matcher.costs(utterance)
        self._length = len(utterance.words)
        self._pieces: list[list[tuple[Span, int, int, float]]] = [[] for _ in range(self._length)]
        self._must = 0
        bit = 1
        for name in sorted(frame.optional if not loose else frame.optional | frame.required):
            for start, end in utterance.hits.get(name, ()):
                self._piece(Span(start, end, {}), 0, 0, 0.0)
        for name in sorted(frame.required if not loose else ()):
            for start, end in utterance.hits.get(name, ()):
                self._piece(Span(start, end, {}), bit, 0, 0.0)
            self._must |= bit
            bit <<= 1
        later = bit * ((1 << len(slots)) - 1)
        for _, must, spans in slots:
            for span in spans:
                self._piece(span, bit, later if frame.ordered else bit, 0.6)
            self._must |= bit if must else 0
            bit <<= 1
            later &= ~(bit - 1)
        self._open: list[tuple[str, int]] = []
        for name, must in frame.open:
            self._open.append((name, bit))
            self._must |= bit if must else 0
            bit <<= 1
        self._memo: dict[tuple[int, int], _Cover | None] = {}

    def _piece(self, span: Span, bit: int, blocked: int, least: float) -> None:
        """A span that may be used once if it has a bit, and not after anything in `blocked` was."""
        gain = span.quality * sum(max(least, worth(cost)) for cost in self._costs[span.start : span.end])
        self._pieces[span.start].append((span, bit, blocked, gain))

    def best(self) -> Reading | None:
        found = self._from(0, 0)
        if found is None:
            return None
        gain, cost, swallowed, spans = found
        slots: Slots = dict(self._frame.fixed)
        for span in spans:
            slots.update(span.slots)
        covered = {at for span in spans for at in range(span.start, span.end)}
        left = tuple(at for at in range(self._length) if at not in covered)
        return Reading(self._frame, slots, gain, cost, left, swallowed, spans)

    def _from(self, position: int, used: int) -> _Cover | None:
        """The best cover of the words from a position on; None if something required cannot be had any more."""
        if position == self._length:
            return (0.0, 0.0, 0, ()) if used & self._must == self._must else None
        key = (position, used)
        if key not in self._memo:
            self._memo[key] = self._best_from(position, used)
        return self._memo[key]

    def _best_from(self, position: int, used: int) -> _Cover | None:
        covers: list[_Cover] = []
        if (rest := self._from(position + 1, used)) is not None:
            covers.append((rest[0], rest[1] + self._costs[position], rest[2], rest[3]))
        for span, bit, blocked, gain in self._pieces[position]:
            if not used & blocked and (rest := self._from(span.end, used | bit)) is not None:
                covers.append((rest[0] + gain, rest[1], rest[2], (span, *rest[3])))
        for name, bit in self._open:
            if not used & bit:
                covers += self._swallow(name, position, used | bit)
        return max(covers, key=lambda cover: (cover[0] - cover[1], -cover[2]), default=None)

    def _swallow(self, name: str, position: int, used: int) -> Iterable[_Cover]:
        for end in range(position + 1, min(self._length, position + _MAX_OPEN_WORDS) + 1):
            span = self._open_readers[name](self._utterance, position, end)
            if span is not None and (rest := self._from(end, used)) is not None:
                gain = _SWALLOWED * span.quality * sum(worth(cost) for cost in self._costs[position:end])
                yield rest[0] + gain, rest[1], rest[2] + end - position, (span, *rest[3])
