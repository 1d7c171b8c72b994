"""Single values that survive a restart: quiet hours, the stopwatch."""

from __future__ import annotations

import json
from typing import Any

from appliance.state.database import Database
from appliance.state.repository import Repository, text
from appliance.state.schema import Change, Table, Value


class _Rows(Repository[str, str]):
    table = Table(
        "kept", ("name", "value"), ("CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL)",)
    )

    def encode(self, item: str) -> tuple[Value, ...]:
        return (item,)

    def decode(self, *values: Value) -> str:
        value = text(values[1])
        json.loads(value)
        return value


class Keeper:
    """What JSON can hold, by name. Every method may be called from any thread."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._rows = _Rows()
        database.attach(self._rows)

    def get(self, name: str) -> Any:
        """None if it was never kept."""
        value = self._rows.items.get(name)
        return None if value is None else json.loads(value)

    def keep(self, name: str, value: Any, effect: str = "") -> None:
        """None forgets it."""

        def do() -> tuple[None, list[Change]]:
            if value is None:
                return None, [self._rows.drop(name)] if name in self._rows.items else []
            return None, [self._rows.put(name, json.dumps(value))]

        self.database.change(do, effect)
