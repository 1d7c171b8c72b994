"""Notes that people dictate."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from appliance.dialogue.things import Note
from appliance.state.clock import Clock
from appliance.state.database import Database
from appliance.state.repository import Repository, new_id, number, text, whole
from appliance.state.schema import Change, Table, Value

MOST_NOTES = 500


class _Rows(Repository[int, Note]):
    table = Table(
        "notes",
        ("id", "text", "at_s"),
        ("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL, at_s REAL NOT NULL)",),
    )

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._zone = clock.now().tzinfo

    def encode(self, item: Note) -> tuple[Value, ...]:
        return item.text, item.at.timestamp()

    def decode(self, *values: Value) -> Note:
        id, words, at_s = values
        return Note(whole(id), text(words), datetime.fromtimestamp(number(at_s, 0, 2**35), self._zone))


class NoteStore:
    """All notes, oldest first. Every method may be called from any thread."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self.database = database
        self.clock = clock or Clock()
        self._rows = _Rows(self.clock)
        database.attach(self._rows)

    def all(self) -> tuple[Note, ...]:
        return tuple(sorted(self._rows.items.values(), key=lambda note: note.id))

    def add(self, words: str, effect: str = "") -> int:
        """Returns the note's id; 0 if there are too many already."""

        def do() -> tuple[int, list[Change]]:
            if len(self._rows.items) >= MOST_NOTES:
                return 0, []
            id = new_id(self.clock.now(), self._rows.items)
            return id, [self._rows.put(id, Note(id, words, self.clock.now()))]

        return self.database.change(do, effect)

    def remove(self, ids: Iterable[int], effect: str = "") -> None:
        gone = [id for id in ids if id in self._rows.items]
        self.database.change(lambda: (None, [self._rows.drop(id) for id in gone]), effect)
