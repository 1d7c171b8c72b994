"""Timers, alarms and reminders that survive a restart and a change of the clock, in one SQLite file.

A timer counts real time: while the device stays on it is measured by CLOCK_BOOTTIME, so setting the clock (a Pi
without a battery-backed clock jumps when the network time arrives) neither rings nor delays it. An alarm means a time
on the clock, so it follows the clock. After a reboot the clock is all there is, for timers as well.

Writing waits for the card (synchronous=FULL: what was confirmed aloud is kept through a power cut), which can take
tens of milliseconds on an SD card. So `add` and `cancel` belong into a worker thread; `pending` reads memory only.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, Self

from appliance.dialogue.types import SetTimer, Timer
from appliance.state.clock import Clock

log = logging.getLogger(__name__)

FORGIVEN_S = 600
"""What rang while the device was off is made up for if it is less overdue than this, else dropped."""
LONGEST_WAIT_S = 10
"""How long until a change of the clock is noticed while something is pending."""
_JUMP_S = 2

_SCHEMA = """
CREATE TABLE IF NOT EXISTS timers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    due_s REAL NOT NULL,       -- Unix time at which it rings, by the clock when this was written
    duration_s REAL NOT NULL,  -- 0: it means a time on the clock
    boot_due_s REAL,           -- CLOCK_BOOTTIME at which it rings, valid while boot_id is the running one
    boot_id TEXT NOT NULL
)"""


@dataclass(frozen=True)
class _Entry:
    timer: Timer
    boot_due_s: float | None
    """None: only the clock on the wall knows."""


class TimerStore:
    """All pending timers, in memory and on disk. `add` and `cancel` may be called from any thread."""

    def __init__(self, database: sqlite3.Connection, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._boot_id = clock.boot_id()
        self._lock = threading.Lock()
        self._changed: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._version = self._data_version()
        self._entries: tuple[_Entry, ...] = tuple(self._read())

    @classmethod
    def open(cls, path: Path | Literal[":memory:"], clock: Clock | None = None) -> Self:
        """Open or create the file. A damaged one is moved aside, so that the device still starts."""
        clock = clock or Clock()
        try:
            return cls(_connect(path), clock)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) or not isinstance(path, Path):
                raise  # no permission, disk full: not the file's fault
            aside = path.with_suffix(".damaged")
            log.error("%s is damaged (%s): moved to %s, timers start empty", path, error, aside)
            path.replace(aside)
            return cls(_connect(path), clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._database.close()

    @property
    def clock(self) -> Clock:
        return self._clock

    def add(self, wanted: SetTimer) -> Timer:
        """Store it; when this returns it is on the disk."""
        boot_due_s = self._clock.boottime_s() + wanted.duration_s if wanted.duration_s else None
        with self._lock:
            row = self._database.execute(
                "INSERT INTO timers (kind, name, due_s, duration_s, boot_due_s, boot_id) VALUES (?, ?, ?, ?, ?, ?)",
                (wanted.kind, wanted.name, wanted.due.timestamp(), wanted.duration_s, boot_due_s, self._boot_id),
            )
            timer = Timer(row.lastrowid or 0, wanted.kind, wanted.name, wanted.due, wanted.duration_s)
            self._entries = (*self._entries, _Entry(timer, boot_due_s))
        self._wake()
        return timer

    def cancel(self, id: int) -> bool:
        """Forget it; False if it is gone already."""
        with self._lock:
            self._database.execute("DELETE FROM timers WHERE id = ?", (id,))
            kept = tuple(entry for entry in self._entries if entry.timer.id != id)
            gone, self._entries = len(kept) < len(self._entries), kept
        self._wake()
        return gone

    def catch_up(self) -> bool:
        """Take over what another process (`stimme ask`) changed in the file; True if anything. Call it in a thread."""
        with self._lock:
            version = self._data_version()
            if version == self._version:
                return False
            self._version = version
            self._entries = tuple(self._read())
        self._wake()
        return True

    def pending(self) -> tuple[Timer, ...]:
        """Everything that has not rung, next one first. Reads no disk."""
        now, boottime_s = self._clock.now(), self._clock.boottime_s()
        timers = [replace(entry.timer, due=self._due(entry, now, boottime_s)) for entry in self._entries]
        return tuple(sorted(timers, key=lambda timer: timer.due.timestamp()))

    def due(self) -> tuple[Timer, ...]:
        """What should be ringing now."""
        now_s = self._clock.now().timestamp()
        return tuple(timer for timer in self.pending() if timer.due.timestamp() <= now_s)

    async def watch(
        self, ring: Callable[[Timer], Awaitable[None]], run: Callable[..., Awaitable[object]] = asyncio.to_thread
    ) -> None:
        """Call `ring` for each timer when it is due, one after the other, until cancelled.

        A timer is deleted once `ring` has returned: after a crash it rings again rather than never. What is overdue
        by more than FORGIVEN_S is dropped with a line in the log. run: where disk work is done.
        """
        changed = asyncio.Event()
        self._changed = asyncio.get_running_loop(), changed
        try:
            while True:
                changed.clear()
                for timer in self.due():
                    await self._ring(timer, ring)
                    await run(self.cancel, timer.id)
                    changed.clear()
                await run(self._follow_clock)
                await self._clock.wait(changed, self._until_next_s())
        finally:
            self._changed = None

    async def _ring(self, timer: Timer, ring: Callable[[Timer], Awaitable[None]]) -> None:
        late_s = self._clock.now().timestamp() - timer.due.timestamp()
        if late_s > FORGIVEN_S:
            log.warning("%s %d was due %.0f minutes ago: dropped", timer.kind, timer.id, late_s / 60)
            return
        try:
            await ring(timer)
        except Exception:
            log.exception("%s %d could not ring", timer.kind, timer.id)

    def _until_next_s(self) -> float | None:
        timers = self.pending()
        if not timers:
            return None
        left_s = timers[0].due.timestamp() - self._clock.now().timestamp()
        return min(max(left_s, 0.0), LONGEST_WAIT_S)

    def _follow_clock(self) -> None:
        """After the clock was set, write down when timers are due by the new one, in case of a reboot."""
        now, boottime_s = self._clock.now(), self._clock.boottime_s()
        with self._lock:
            for entry in self._entries:
                due = self._due(entry, now, boottime_s)
                if abs(due.timestamp() - entry.timer.due.timestamp()) > _JUMP_S:
                    row = due.timestamp(), entry.timer.id
                    self._database.execute("UPDATE timers SET due_s = ? WHERE id = ?", row)
                    moved = replace(entry, timer=replace(entry.timer, due=due))
                    self._entries = tuple(moved if kept is entry else kept for kept in self._entries)

    @staticmethod
    def _due(entry: _Entry, now: datetime, boottime_s: float) -> datetime:
        if entry.boot_due_s is None:
            return entry.timer.due
        due = now.astimezone(UTC) + timedelta(seconds=entry.boot_due_s - boottime_s)
        return due.astimezone(now.tzinfo)

    def _data_version(self) -> int:
        """Changes when another connection wrote to the file (SQLite's PRAGMA data_version)."""
        return int(self._database.execute("PRAGMA data_version").fetchone()[0])

    def _read(self) -> list[_Entry]:
        zone = self._clock.now().tzinfo
        entries = []
        for id, kind, name, due_s, duration_s, boot_due_s, boot_id in self._database.execute("SELECT * FROM timers"):
            timer = Timer(id, kind, name, datetime.fromtimestamp(due_s, zone), duration_s)
            same_boot = bool(boot_id) and boot_id == self._boot_id
            entries.append(_Entry(timer, boot_due_s if same_boot else None))
        return entries

    def _wake(self) -> None:
        if (watching := self._changed) is not None:
            loop, changed = watching
            loop.call_soon_threadsafe(changed.set)


def _connect(path: Path | Literal[":memory:"]) -> sqlite3.Connection:
    # Autocommit: every statement is its own transaction. Threads take turns under TimerStore._lock.
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(_SCHEMA)
        database.execute("SELECT * FROM timers LIMIT 1").fetchall()
    except sqlite3.Error:
        database.close()
        raise
    return database
