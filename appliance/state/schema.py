"""What the tables look like, and how an older file becomes a newer one.

Migrations only ever add: a table, or a column with a default or without NOT NULL. So a release can open the file of a
newer one (an update can be rolled back), and nothing but the columns it knows is read or written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

Value = int | float | str | bytes | None

_VERSIONS = "CREATE TABLE IF NOT EXISTS schema_versions (name TEXT PRIMARY KEY, version INTEGER NOT NULL)"


class WrongFile(Exception):
    """A database, but not with our tables. It is moved aside, as a damaged one is."""


@dataclass(frozen=True)
class Table:
    """A repository's table."""

    name: str
    columns: tuple[str, ...]
    """What this release reads and writes. The first is the primary key."""
    migrations: tuple[str, ...]
    """SQL, oldest first: number n leads from version n to n + 1. Version 0 is a file without this table."""

    @property
    def key(self) -> str:
        return self.columns[0]

    @property
    def select(self) -> str:
        """Every row, oldest first."""
        return f"SELECT {', '.join(self.columns)} FROM {self.name} ORDER BY rowid"

    @property
    def upsert(self) -> str:
        """Insert, or change our own columns only."""
        names, marks = ", ".join(self.columns), ", ".join("?" * len(self.columns))
        changes = ", ".join(f"{name} = excluded.{name}" for name in self.columns[1:])
        return f"INSERT INTO {self.name} ({names}) VALUES ({marks}) ON CONFLICT ({self.key}) DO UPDATE SET {changes}"

    @property
    def delete(self) -> str:
        return f"DELETE FROM {self.name} WHERE {self.key} IS ?"


class Change(NamedTuple):
    """One row to be written, or removed (values None)."""

    table: Table
    key: Value
    values: tuple[Value, ...] | None
    """As table.columns names them after the key."""


def readable(text: bytes) -> str:
    """For Connection.text_factory: one bad byte must not hide a whole table."""
    return text.decode("utf-8", "replace")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, written through to the disk at the end."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite has rolled back by itself when the disk is full
            connection.execute("ROLLBACK")
        raise


def migrate(connection: sqlite3.Connection, table: Table) -> None:
    """Bring the table to this release's version, or leave a newer one as it is. Raises WrongFile, sqlite3.Error."""
    if version(connection, table) < len(table.migrations):
        with transaction(connection):
            connection.execute(_VERSIONS)
            for statement in table.migrations[version(connection, table) :]:  # another process may have been quicker
                connection.execute(statement)
            connection.execute(
                "INSERT INTO schema_versions (name, version) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET version = excluded.version",
                (table.name, len(table.migrations)),
            )
    _check(connection, table)


def version(connection: sqlite3.Connection, table: Table) -> int:
    """How many migrations the file's table has seen. Raises WrongFile if that is no number."""
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_versions'").fetchone()
    if known is None:
        return 0
    row = connection.execute("SELECT version FROM schema_versions WHERE name = ?", (table.name,)).fetchone()
    if row is not None and (type(row[0]) is not int or row[0] < 0):
        raise WrongFile(f"the schema version of {table.name} is {row[0]!r}, expected a whole number")
    return 0 if row is None else row[0]


def _check(connection: sqlite3.Connection, table: Table) -> None:
    """Raise WrongFile unless the table can be read and written with the columns we know."""
    found = {row[1]: row for row in connection.execute(f"PRAGMA table_info({table.name})")}
    missing = [name for name in table.columns if name not in found]
    if missing:
        raise WrongFile(f"table {table.name} has no column {', '.join(missing)}")
    if [name for name, row in found.items() if row[5]] != [table.key]:
        raise WrongFile(f"{table.key} is not the primary key of {table.name}")
    for name, (_, _, _, required, default, _) in found.items():
        if required and default is None and name not in table.columns:
            raise WrongFile(f"table {table.name} wants a value for {name}, which this release does not know")
