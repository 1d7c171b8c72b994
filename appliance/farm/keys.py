"""The names of everything in Redis. All begin with "stimme:"; what belongs to one utterance or clause expires."""

from __future__ import annotations

from hashlib import blake2b

PREFIX = "stimme:"
GROUP = "workers"
"""The consumer group of every stream of work."""

WORKERS = PREFIX + "workers"
"""Hash: worker → what it can do, as JSON, with the time until which it counts as alive."""
NODES = PREFIX + "nodes"
"""Hash: web node → the time until which it counts as alive, in ms."""
COUNTS = PREFIX + "counts"
"""Hash of counters: takeovers, fenced, duplicates."""

ALIVE_MS = 3000
"""Who was silent for so long is gone."""

UTTERANCE_S = 120
"""What belongs to an utterance that nobody carries on is forgotten after so long."""
FINAL_S = 120
"""So long a transcript is kept for whoever asks again: a page gives up sooner."""


def turn_name(key: str) -> str:
    """A turn's key as a part of names: of fixed length, whatever a client calls its turns."""
    return blake2b(key.encode(), digest_size=12).hexdigest()


def work(language: str) -> str:
    """Stream: one entry an utterance that is open or was not finished."""
    return f"{PREFIX}work:{language}"


def clauses(language: str) -> str:
    """Stream: one entry a clause to be spoken."""
    return f"{PREFIX}clauses:{language}"


def owner(turn: str) -> str:
    """Hash: which attempt at an utterance counts, who works on it and for whom."""
    return f"{PREFIX}own:{turn}"


def final(turn: str) -> str:
    """String: the transcript, as JSON, set once."""
    return f"{PREFIX}fin:{turn}"


def sound(turn: str, attempt: int) -> str:
    """Stream: the utterance's samples, entries 1-0, 2-0, …; the last one is its end."""
    return f"{PREFIX}u:{turn}:{attempt}"


def inbox(node: str) -> str:
    """Stream: finals for a web node."""
    return f"{PREFIX}to:{node}"


def news(node: str) -> str:
    """Channel: partial transcripts for a web node."""
    return f"{PREFIX}news:{node}"


def visit(name: str) -> str:
    """String: what is remembered of a session, for the node that its client comes back to."""
    return f"{PREFIX}visit:{name}"


SAID = PREFIX + "said"
"""Sorted set: clauses that are kept, by when they were last wanted."""
SAID_SIZES = PREFIX + "said:sizes"
"""Hash: clause → its size in bytes; "" is the sum."""
STOP = PREFIX + "stop"
"""Channel: a clause that nobody wants to hear any more."""
CLAUSE_ATTEMPT = 1
"""Clauses have one: all that ask for one share it."""

VERSION = PREFIX + "state:version"
"""Counter: what all nodes' timers, lists, notes and tokens are at."""
PAIRING = PREFIX + "pairing"
"""Channel: a code was made, tried or used up at a web node."""
CHANGED = PREFIX + "changed"
"""Channel: there is a newer version."""
