"""The one SQLite file: opened, migrated, written through to the card, and never a reason to stop.

Whatever the disk does (full, read-only, locked by another program, the file damaged or removed), the repositories go on
in memory; what is not on the disk yet is remembered and tried again, and `problem` says so. A damaged or foreign file
is moved aside.

WAL and synchronous=FULL: what was confirmed aloud is kept through a power cut. That can take tens of milliseconds on
an SD card, and a locked file BUSY_S more, so changes belong into a worker thread; reading touches memory only.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from appliance.errors import ConfigError
from appliance.state.effects import Effects
from appliance.state.holder import Holder
from appliance.state.repository import Repository
from appliance.state.rescue import rescue
from appliance.state.schema import Change, Value, WrongFile, migrate, readable, transaction

log = logging.getLogger(__name__)

T = TypeVar("T")
AnyRepository = Repository[Any, Any]

BUSY_S = 0.25
"""How long a write waits for another program that has locked the file; then it is remembered instead."""


class Database:
    """May be used from any thread. path: None keeps everything in memory.

    alone: nobody else may serve from this directory; raises ConfigError with the process that does.
    """

    def __init__(self, path: Path | None, *, alone: bool = False) -> None:
        self.path = path
        self.problem = ""
        """Why nothing can be written; empty while all is well."""
        self.lock = threading.RLock()
        self._holder = Holder(path.parent) if path is not None and alone else None
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._version = 0
        self._stale = False  # the file may hold what memory does not
        self._repositories: list[AnyRepository] = []
        self._waiting: dict[tuple[str, Value], Change] = {}
        self._listeners: list[Callable[[], None]] = []
        if self._holder is not None:
            with suppress(OSError):  # opening the file says what is wrong
                self._make_directory()
            self._holder.hold()
        self.effects = Effects()
        self.attach(self.effects)

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def durable(self) -> bool:
        """True if everything up to now is on the disk."""
        return not self.problem and not self._waiting

    def attach(self, repository: AnyRepository) -> None:
        """Bring a repository's table to this release's version, and load it."""
        with self.lock:
            self._repositories.append(repository)
            if not self._attempt(lambda connection: self._load(connection, [repository])):
                self._stale = True
                if self.path is not None:
                    rescue(self.path, repository)

    def change(self, do: Callable[[], tuple[T, list[Change]]], effect: str = "") -> T:
        """Carry out a change of repositories, write it to the disk, tell the listeners, and return its result.

        do: changes memory and returns its result and what to write, which is written at once or not at all. effect:
        names it for good ("session/turn/number"); a second call under the same name does nothing and returns the
        first one's result, which JSON must be able to hold.
        """
        with self.lock:
            if effect and (known := self.effects.items.get(effect)) is not None:
                first: Any = json.loads(known)
                return first  # type: ignore[no-any-return]
            result, changes = do()
            if effect:
                changes = [*changes, *self.effects.note(effect, json.dumps(result))]
            if changes:
                self._write(changes)
        if changes:
            self._tell()
        return result

    def catch_up(self) -> bool:
        """Try again what could not be written, and take over what another process changed; True if anything was."""
        with self.lock:
            taken = self._attempt(self._take_over)
        if taken:
            self._tell()
        return bool(taken)

    def listen(self, told: Callable[[], None]) -> Callable[[], None]:
        """Call `told`, in whichever thread, after every change; the returned function ends that."""
        self._listeners.append(told)
        return lambda: self._listeners.remove(told)

    def close(self) -> None:
        """Write what is still waiting, as far as the disk allows."""
        with self.lock:
            if self._waiting:
                self._attempt(self._flush)
            self._disconnect()
            if self._holder is not None:
                self._holder.release()

    def _tell(self) -> None:
        for told in tuple(self._listeners):
            told()

    # Rows

    def _write(self, changes: Iterable[Change]) -> None:
        for change in changes:  # only a row's last state counts, so never more waits than there is
            self._waiting.pop((change.table.name, change.key), None)
            self._waiting[change.table.name, change.key] = change
        self._attempt(self._flush)

    def _flush(self, connection: sqlite3.Connection) -> bool:
        if self._waiting:
            with transaction(connection):
                for table, key, values in self._waiting.values():
                    if values is None:
                        connection.execute(table.delete, (key,))
                    else:
                        connection.execute(table.upsert, (key, *values))
            self._waiting.clear()
        return True

    def _take_over(self, connection: sqlite3.Connection) -> bool:
        """True if another connection wrote to the file since the last look (SQLite's PRAGMA data_version)."""
        self._flush(connection)
        version = _data_version(connection)
        if version == self._version and not self._stale:
            return False
        self._load(connection, self._repositories)
        self._version, self._stale = version, False
        return True

    def _load(self, connection: sqlite3.Connection, repositories: Iterable[AnyRepository]) -> bool:
        removed: list[Change] = []
        for repository in repositories:
            migrate(connection, repository.table)
            removed += repository.load(connection.execute(repository.table.select).fetchall())
        self._waiting |= {(change.table.name, change.key): change for change in removed}
        return self._flush(connection)

    # The file and its troubles

    def _attempt(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do it with the file, if that can be had; a damaged or foreign one is moved aside and made anew. Never raises.

        None: it could not be done, and `problem` says why.
        """
        try:
            try:
                result = work(self._connected())
            except (sqlite3.Error, WrongFile) as error:
                if self.path is None or not _is_damaged(error):
                    raise
                self._move_aside(self.path, error)
                result = work(self._connected())
        except (sqlite3.Error, WrongFile, OSError) as error:
            if _code(error) == sqlite3.SQLITE_ERROR:
                self._disconnect()  # somebody changed the tables under us: the next attempt looks at them again
            self._note_problem(_reason(error, self.path))
            return None
        if self.problem:
            self.problem = ""
            log.info("%s can be used again", self.path)
        return result

    def _connected(self) -> sqlite3.Connection:
        """The connection; made again, with everything that memory holds, if somebody removed or replaced the file."""
        if self._connection is not None and _identity(self.path) != self._file:
            self._disconnect()
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        self._make_directory()
        lost = self._file is not None and _identity(self.path) != self._file
        # Autocommit: transactions are begun explicitly. Threads take turns under self.lock.
        connection = sqlite3.connect(
            self.path or ":memory:", timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            connection.text_factory = readable
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            for repository in self._repositories:
                migrate(connection, repository.table)
            self._version = _data_version(connection)
        except BaseException:
            connection.close()
            raise
        if lost:
            log.error("%s was removed or replaced: everything that is known is written to it", self.path)
            self._remember_everything()
            self._hold_again()
        self._file = _identity(self.path)
        return connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._stale = True

    def _make_directory(self) -> None:
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)

    def _hold_again(self) -> None:
        if self._holder is not None:
            try:
                self._holder.hold()
            except ConfigError as error:
                log.error("%s", error)

    def _move_aside(self, path: Path, error: Exception) -> None:
        aside = path.with_suffix(".damaged")
        self._disconnect()
        for end in ("", "-wal", "-shm"):  # a new file must not meet the old one's log
            part = path.with_name(path.name + end)
            if part.exists():
                part.replace(aside.with_name(aside.name + end))
        log.error("%s is damaged (%s): moved to %s", path, error, aside)
        self._file = None
        self._remember_everything()

    def _remember_everything(self) -> None:
        self._waiting |= {
            (change.table.name, change.key): change
            for repository in self._repositories
            for change in repository.everything()
        }

    def _note_problem(self, problem: str) -> None:
        if self.problem != problem:
            log.error("%s cannot be used (%s): what is asked for now does not survive a restart", self.path, problem)
            self.problem = problem


def _is_damaged(error: Exception) -> bool:
    return isinstance(error, WrongFile) or _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _reason(error: Exception, path: Path | None) -> str:
    if path is not None and path.is_dir():
        return "it is a directory"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _code(error: Exception) -> int | None:
    """SQLite's primary result code (its extended ones have it in the lowest byte)."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _data_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _identity(path: Path | None) -> tuple[int, int] | None:
    """Tells one file from another that was put in its place."""
    try:
        status = path.stat() if path is not None else None
    except OSError:
        return None
    return None if status is None else (status.st_dev, status.st_ino)
