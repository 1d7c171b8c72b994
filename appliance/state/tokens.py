"""Who was paired: browsers and programs, what they are called, what they may do, and how they like to be spoken to.

A token is 256 bits of chance; only its hash is kept, so whoever reads the file cannot use what is in it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from appliance.state.database import Database
from appliance.state.repository import Repository, number, text
from appliance.state.schema import Change, Table, Value

UNUSED_S = 400 * 86_400.0
"""A browser that was not here for so long must be paired again: as long as browsers keep a cookie at most."""
NOTED_EVERY_S = 86_400.0
"""How exactly it is known when a place was last here; each note is a write to the card."""

MOST_NAME_CHARACTERS = 40
MOST_PLACES = 200

ROLES = ("talk", "configure", "owner")
KINDS = ("browser", "program")

_LATEST_S = 32_503_680_000


@dataclass(frozen=True)
class Place:
    """A paired browser or program. Times are Unix times."""

    id: str
    """Tells one from another, in lists and sessions; says nothing about the token."""
    name: str
    kind: str
    role: str
    made_s: float
    seen_s: float
    language: str = ""
    volume: int = -1
    """In percent; -1: never set."""


class _Rows(Repository[str, Place]):
    table = Table(
        "tokens",
        ("hash", "id", "name", "kind", "role", "made_s", "seen_s", "language", "volume"),
        (
            """CREATE TABLE IF NOT EXISTS tokens (
            hash TEXT PRIMARY KEY,  -- SHA-256 of the token, hexadecimal
            id TEXT NOT NULL,
            name TEXT NOT NULL,
            kind TEXT NOT NULL,
            role TEXT NOT NULL,
            made_s REAL NOT NULL,
            seen_s REAL NOT NULL,
            language TEXT NOT NULL DEFAULT '',
            volume INTEGER NOT NULL DEFAULT -1
        )""",
        ),
    )

    def encode(self, item: Place) -> tuple[Value, ...]:
        return item.id, item.name, item.kind, item.role, item.made_s, item.seen_s, item.language, item.volume

    def decode(self, *values: Value) -> Place:
        _, id, name, kind, role, made_s, seen_s, language, volume = values
        if kind not in KINDS or role not in ROLES:
            raise ValueError(f"kind {kind!r} and role {role!r}")
        return Place(
            text(id),
            text(name),
            str(kind),
            str(role),
            number(made_s, 0, _LATEST_S),
            number(seen_s, 0, _LATEST_S),
            text(language),
            round(number(volume, -1, 100)),
        )


class TokenStore:
    """May be used from any thread. What changes something writes to the disk and belongs into a worker thread."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.database = database
        self._clock = clock
        self._rows = _Rows()
        database.attach(self._rows)

    def places(self) -> tuple[Place, ...]:
        """All of them, first paired first."""
        return tuple(sorted(self._rows.items.values(), key=lambda place: place.made_s))

    def find(self, token: str) -> Place | None:
        """Whose token it is; None if nobody's, or one that expired or was revoked. Memory only."""
        place = self._rows.items.get(_hash(token))
        if place is None or (place.kind == "browser" and self._now_s() - place.seen_s > UNUSED_S):
            return None
        return place

    def has(self, id: str) -> bool:
        """Whether a place is still paired."""
        return any(place.id == id for place in self._rows.items.values())

    def is_stale(self, place: Place) -> bool:
        """Whether it should be noted that the place was here."""
        return self._now_s() - place.seen_s > NOTED_EVERY_S

    def add(self, name: str, kind: str, role: str = "") -> tuple[str, Place]:
        """Pair; returns the token, which is told nobody again. role: "" makes the first one owner, others talk.

        Raises ValueError when there are too many, or a name or role is wrong.
        """
        name = _named(name)
        token, now_s = secrets.token_urlsafe(32), self._now_s()

        def do() -> tuple[Place, list[Change]]:
            if len(self._rows.items) >= MOST_PLACES:
                raise ValueError(f"{MOST_PLACES} are paired, which is the limit; revoke some first")
            first = "talk" if any(place.role == "owner" for place in self._rows.items.values()) else "owner"
            place = Place(secrets.token_hex(4), name, kind, role or first, now_s, now_s)
            if place.role not in ROLES or kind not in KINDS:
                raise ValueError(f"role {role!r}, expected {', '.join(ROLES)}")
            return place, [self._rows.put(_hash(token), place)]

        return token, self.database.change(do)

    def revoke(self, which: str) -> tuple[Place, ...]:
        """Forget places by id or name; returns them."""

        def do() -> tuple[tuple[Place, ...], list[Change]]:
            gone = {hash: place for hash, place in self._rows.items.items() if which in (place.id, place.name)}
            return tuple(gone.values()), [self._rows.drop(hash) for hash in gone]

        return self.database.change(do)

    def change(
        self, id: str, *, name: str = "", role: str = "", language: str = "", volume: int = -1, seen: bool = False
    ) -> Place | None:
        """Change what is given; returns the place as it is then, None if it is gone. Raises ValueError."""
        if role and role not in ROLES:
            raise ValueError(f"role {role!r}, expected {', '.join(ROLES)}")
        name = _named(name) if name else ""

        def do() -> tuple[Place | None, list[Change]]:
            for hash, place in self._rows.items.items():
                if place.id == id:
                    new = replace(
                        place,
                        name=name or place.name,
                        role=role or place.role,
                        language=language or place.language,
                        volume=place.volume if volume < 0 else volume,
                        seen_s=self._now_s() if seen else place.seen_s,
                    )
                    return new, [self._rows.put(hash, new)] if new != place else []
            return None, []

        return self.database.change(do)

    def _now_s(self) -> float:
        return self._clock().timestamp()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _named(name: str) -> str:
    cleaned = " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())
    if not 0 < len(cleaned) <= MOST_NAME_CHARACTERS:
        raise ValueError(f"a name of {len(cleaned)} characters, expected 1 to {MOST_NAME_CHARACTERS}")
    return cleaned
