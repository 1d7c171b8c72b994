"""Shopping list, to-do list, and lists of people's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping

from appliance.state.database import Database
from appliance.state.repository import Repository, text
from appliance.state.schema import Change, Table, Value

Items = tuple[str, ...]
MOST_ITEMS = 500
"""Items of one list, and lists: more is a mistake or mischief."""


class _Rows(Repository[str, Items]):
    table = Table(
        "lists", ("name", "items"), ("CREATE TABLE IF NOT EXISTS lists (name TEXT PRIMARY KEY, items TEXT NOT NULL)",)
    )  # items: a JSON array

    def encode(self, item: Items) -> tuple[Value, ...]:
        return (json.dumps(item, ensure_ascii=False),)

    def decode(self, *values: Value) -> Items:
        name, items = (text(value) for value in values)
        found = json.loads(items)
        if not name or not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise ValueError(f"list {name!r}: expected texts, got {items[:40]!r}")
        return tuple(found)


class ListStore:
    """All lists by name; "shopping" and "todo" are those of everybody. Every method may be called from any thread."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._rows = _Rows()
        database.attach(self._rows)

    def all(self) -> Mapping[str, Items]:
        return self._rows.items

    def add(self, name: str, items: Iterable[str], effect: str = "") -> None:
        """Put items at the end, making the list if need be. What is on it already stays where it is."""
        new = tuple(items)

        def with_new(old: Items) -> Items:
            there = {item.casefold() for item in old}
            return (*old, *(item for item in dict.fromkeys(new) if item.casefold() not in there))[:MOST_ITEMS]

        self._change(name, with_new, effect)

    def remove(self, name: str, items: Iterable[str], effect: str = "") -> None:
        """Take items off; no error if they are not on it."""
        gone = {item.casefold() for item in items}
        self._change(name, lambda old: tuple(item for item in old if item.casefold() not in gone), effect)

    def replace(self, name: str, items: Iterable[str] | None, effect: str = "") -> None:
        """Let a list hold exactly these; None: let there be no such list."""
        kept = None if items is None else tuple(items)
        if kept is not None:
            self._change(name, lambda old: kept, effect)
        else:
            self.database.change(lambda: (None, [self._rows.drop(name)] if name in self._rows.items else []), effect)

    def _change(self, name: str, new: Callable[[Items], Items], effect: str) -> None:
        def do() -> tuple[None, list[Change]]:
            old = self._rows.items.get(name)
            items = new(old or ())
            if items == old or old is None and len(self._rows.items) >= MOST_ITEMS:
                return None, []
            return None, [self._rows.put(name, items)]

        self.database.change(do, effect)
