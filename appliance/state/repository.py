"""The base of everything durable: items in memory, which is what is read, and the same items as rows of a table."""

from __future__ import annotations

import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Generic, TypeVar

from appliance.state.schema import Change, Table, Value

log = logging.getLogger(__name__)

Key = TypeVar("Key", int, str)
Item = TypeVar("Item")


class Repository(ABC, Generic[Key, Item]):
    """Memory answers every question at once and goes on when the disk fails; the file follows as soon as it can.

    `items` is replaced, never changed, so that it may be read in any thread. Changes are made inside
    `Database.change`; `Database.attach` loads it.
    """

    table: Table

    def __init__(self) -> None:
        self.items: Mapping[Key, Item] = {}

    @abstractmethod
    def encode(self, item: Item) -> tuple[Value, ...]:
        """The item's values, as table.columns names them after the key."""

    @abstractmethod
    def decode(self, *values: Value) -> Item:
        """The item of a row, key first. Raises ValueError, TypeError or OverflowError if it makes no sense."""

    def put(self, key: Key, item: Item) -> Change:
        """Take it into memory; the change is for the disk."""
        self.items = {**self.items, key: item}
        return Change(self.table, key, self.encode(item))

    def drop(self, key: Key) -> Change:
        """Forget it; no error if it is unknown."""
        self.items = {other: item for other, item in self.items.items() if other != key}
        return Change(self.table, key, None)

    def everything(self) -> list[Change]:
        """What writes all of memory into an empty file."""
        return [Change(self.table, key, self.encode(item)) for key, item in self.items.items()]

    def load(self, rows: Iterable[tuple[Value, ...]]) -> list[Change]:
        """Take what the file holds instead of what memory held. Returns the removal of rows that make no sense."""
        items: dict[Key, Item] = {}
        damaged = []
        for key, *values in rows:
            try:
                items[key] = self.decode(key, *values)  # type: ignore[index]
            except (ValueError, TypeError, OverflowError, OSError) as error:
                log.error("a row of %s is damaged (%s) and was dropped", self.table.name, error)
                damaged.append(Change(self.table, key, None))
        self.items = items
        return damaged


LARGEST_ID = 2**53 - 1
"""What JavaScript's numbers hold exactly."""


def new_id(now: datetime, known: Iterable[int]) -> int:
    """For an item set now: after all known ones, and unlike those that another process makes or that wait for the disk.

    42 bits of milliseconds since 1970 and ten of chance.
    """
    mine = int(now.timestamp() * 1000) << 10 | secrets.randbits(10)
    return max(mine, max(known, default=0) + 1)


def whole(value: Value) -> int:
    """The value if it is an id. Raises ValueError."""
    if not isinstance(value, int) or not 0 < value <= LARGEST_ID:
        raise ValueError(f"id {value!r}")
    return value


def number(value: Value, lowest: float, highest: float) -> float:
    """The value if it is a number in these bounds. Raises TypeError, ValueError."""
    if not isinstance(value, (int, float)):
        raise TypeError(f"{type(value).__name__} instead of a number")
    if not lowest <= value <= highest:
        raise ValueError(f"{value:g}, expected {lowest:g} to {highest:g}")
    return float(value)


def text(value: Value) -> str:
    """The value if it is text. Raises TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} instead of text")
    return value
