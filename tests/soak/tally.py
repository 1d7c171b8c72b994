"""What the people of a soak saw, set against what was broken meanwhile: why a line failed, how long an answer took."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.load import percentile

NAMES = "egg tea pizza pasta rice soup bread cake potato lasagne chicken laundry coffee salad turkey".split()
"""Of timers."""

KILLED, RESTARTED, STOPPED = "killed", "restarted", "stopped (SIGSTOP)"
DOWN = (KILLED, RESTARTED)
"""While these last, nobody can be answered."""

PEACE = "nothing broken"


@dataclass(frozen=True)
class Span:
    """From one moment to another (time.monotonic, in seconds): what was broken, or how long something took."""

    name: str
    begin_s: float
    end_s: float

    @property
    def seconds(self) -> float:
        return self.end_s - self.begin_s

    def meets(self, other: Span) -> bool:
        return self.begin_s <= other.end_s and other.begin_s <= self.end_s


@dataclass
class Tally:
    """What all people together saw."""

    waits: list[Span] = field(default_factory=list)
    """Answers, each from its question on."""
    wrong: int = 0
    lost: int = 0
    failures: list[Span] = field(default_factory=list)
    """Lines that broke or never came to be, by what the client was told."""
    refusals: list[Span] = field(default_factory=list)
    """… because of a limit that the server named."""
    set: list[tuple[str, float]] = field(default_factory=list)
    """Timers that were confirmed as saved: what they are called, and when they are due."""
    rang: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Announcements by their id: what was called, and when somebody first heard it."""
    notes: list[str] = field(default_factory=list)

    def heard(self, fields: dict[str, Any]) -> None:
        if fields["type"] == "announce":
            name = next((name for name in NAMES if f"{name} timer" in fields["text"].lower()), "")
            self.rang.setdefault(fields["id"], (name, time.monotonic()))

    def timers(self) -> tuple[int, list[Span]]:
        """(how many of the timers nobody ever heard, the others from when they were due until somebody heard them)."""
        silent, late = 0, []
        for name in NAMES:
            due = sorted(at for called, at in self.set if called == name)
            rang = sorted(at for called, at in self.rang.values() if called == name)
            silent += max(0, len(due) - len(rang))
            late += [Span("ring", at, max(at, heard)) for at, heard in zip(due, rang, strict=False)]
        return silent, late

    def figures(self, broken: Sequence[Span]) -> dict[str, Any]:
        """For the result. broken: what was, and when."""
        silent, late = self.timers()
        return {
            "answers": len(self.waits),
            "answers_wrong": self.wrong,
            "answers_lost": self.lost,
            "connections_failed": causes(self.failures, self.refusals, broken),
            "timers": len(self.set),
            "timers_unheard": silent,
            "wait_s": waits(self.waits, broken),
            "late_s": waits(late, broken),
            "notes": self.notes[:5],
        }


def meanwhile(span: Span, broken: Iterable[Span]) -> str:
    """What was broken during a span; if several things were, what keeps the answer away for longest."""
    names = {other.name for other in broken if other.meets(span)}
    return next((name for name in (*DOWN, STOPPED, *sorted(names)) if name in names), PEACE)


def causes(failures: Iterable[Span], refusals: Iterable[Span], broken: Sequence[Span]) -> dict[str, Any]:
    """How many lines failed while the server was down on purpose, were refused by a limit, and failed unexplained."""
    unexplained = Counter(
        f"{failure.name} ({why})" for failure in failures if (why := meanwhile(failure, broken)) not in DOWN
    )
    return {
        "server_down_on_purpose": sum(meanwhile(failure, broken) in DOWN for failure in failures),
        "refused_by_a_limit": dict(Counter(refusal.name for refusal in refusals)),
        "unexplained": sum(unexplained.values()),
        "unexplained_kinds": dict(unexplained.most_common(5)),
    }


def durations(named: Iterable[tuple[str, Span]]) -> dict[str, dict[str, float]]:
    """How many spans there are of each name, and their seconds."""
    seconds: dict[str, list[float]] = {}
    for name, span in named:
        seconds.setdefault(name, []).append(span.seconds)
    return {
        name: {"n": len(values), "p50": round(percentile(values, 50), 3), "max": round(max(values), 2)}
        for name, values in sorted(seconds.items())
    }


def waits(spans: Iterable[Span], broken: Sequence[Span]) -> dict[str, Any]:
    """Spans by what was broken meanwhile; while the process was neither down nor stopped, all of them and by name."""
    caused = [(meanwhile(span, broken), span) for span in spans]
    awake = [(why, span) for why, span in caused if why not in (*DOWN, STOPPED)]
    last = sorted(awake, key=lambda each: each[1].seconds, reverse=True)[:3]
    return {
        "awake": durations(("all", span) for _, span in awake) | durations((span.name, span) for _, span in awake),
        "longest_awake": [f"{span.seconds:.2f} s, {span.name} ({why})" for why, span in last],
        "by_what_was_broken": durations(caused),
    }
