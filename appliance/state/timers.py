"""Timers, alarms and reminders that survive a restart and a change of the clock.

A timer counts real time: while the device stays on it is measured by CLOCK_BOOTTIME, so setting the clock (a Pi
without a battery-backed clock jumps when the network time arrives) neither rings nor delays it. An alarm means a time
on the clock, so it follows the clock. After a reboot the clock is all there is, for timers as well.

`add`, `cancel` and `follow_clock` write to the disk and belong into a worker thread; everything else reads memory only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from appliance.dialogue.types import SetTimer, Timer
from appliance.state.clock import Clock
from appliance.state.database import Database
from appliance.state.repository import Repository, new_id, number, text, whole
from appliance.state.schema import Change, Table, Value

_KINDS = ("timer", "alarm", "reminder")
_JUMP_S = 2
_LATEST_S = 32_503_680_000
"""The year 3000. Later is a damaged row; Python's calendar ends in 9999."""


@dataclass(frozen=True)
class Entry:
    """A timer and what its row holds besides."""

    timer: Timer
    boot_due_s: float | None
    """CLOCK_BOOTTIME at which it rings; None: only the clock on the wall knows."""
    boot_id: str = ""
    """The boot in which boot_due_s is valid."""


class _Rows(Repository[int, Entry]):
    table = Table(
        "timers", ("id", "kind", "name", "due_s", "duration_s", "boot_due_s", "boot_id"),
        ("""CREATE TABLE IF NOT EXISTS timers (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                kind TEXT NOT NULL,
                name TEXT NOT NULL,
                due_s REAL NOT NULL,       -- Unix time at which it rings, by the clock when this was written
                duration_s REAL NOT NULL,  -- 0: it means a time on the clock
                boot_due_s REAL,           -- CLOCK_BOOTTIME at which it rings, valid while boot_id is the running one
                boot_id TEXT NOT NULL
            )""",))

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._zone, self._boot_id = clock.now().tzinfo, clock.boot_id()

    def encode(self, item: Entry) -> tuple[Value, ...]:
        timer = item.timer
        return timer.kind, timer.name, timer.due.timestamp(), timer.duration_s, item.boot_due_s, item.boot_id

    def decode(self, *values: Value) -> Entry:
        id, kind, name, due_s, duration_s, boot_due_s, boot_id = values
        if kind not in _KINDS:
            raise ValueError(f"kind {kind!r}, expected one of {', '.join(_KINDS)}")
        due = datetime.fromtimestamp(number(due_s, 0, _LATEST_S), self._zone)
        timer = Timer(whole(id), kind, text(name), due, number(duration_s, 0, _LATEST_S))  # type: ignore[arg-type]
        same_boot = bool(boot_id) and boot_id == self._boot_id and boot_due_s is not None
        return Entry(timer, number(boot_due_s, 0, _LATEST_S) if same_boot else None, text(boot_id))


class TimerStore:
    """All timers, in memory and on disk. Every method may be called from any thread."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.database = database
        self._rows = _Rows(self.clock)
        database.attach(self._rows)

    def add(self, wanted: SetTimer, effect: str = "") -> Timer:
        """Set it. If Database.durable then, it is on the disk. effect: see Database.change."""
        duration_s, boot_id = wanted.duration_s, self.clock.boot_id()
        boot_due_s = self.clock.boottime_s() + duration_s if duration_s else None

        def do() -> tuple[int, list[Change]]:
            id = new_id(self.clock.now(), self._rows.items)
            timer = Timer(id, wanted.kind, wanted.name, wanted.due, duration_s)
            return id, [self._rows.put(id, Entry(timer, boot_due_s, boot_id))]

        id = self.database.change(do, effect)
        return Timer(id, wanted.kind, wanted.name, wanted.due, duration_s)

    def cancel(self, id: int, effect: str = "") -> bool:
        """Forget it; False if it is gone already."""
        def do() -> tuple[bool, list[Change]]:
            return (True, [self._rows.drop(id)]) if id in self._rows.items else (False, [])

        return self.database.change(do, effect)

    def pending(self) -> tuple[Timer, ...]:
        """Everything that has not rung, next one first."""
        now, boottime_s = self.clock.now(), self.clock.boottime_s()
        timers = [replace(entry.timer, due=_due(entry, now, boottime_s)) for entry in self._rows.items.values()]
        return tuple(sorted(timers, key=lambda timer: timer.due.timestamp()))

    def due(self) -> tuple[Timer, ...]:
        """What should be ringing now."""
        now_s = self.clock.now().timestamp()
        return tuple(timer for timer in self.pending() if timer.due.timestamp() <= now_s)

    def follow_clock(self) -> None:
        """After the clock was set, write down when timers are due by the new one, in case of a reboot."""
        if any(self._moved()):  # without the lock first: this is asked every few seconds
            self.database.change(lambda: (None, [self._rows.put(id, entry) for id, entry in self._moved()]))

    def _moved(self) -> Iterable[tuple[int, Entry]]:
        now, boottime_s = self.clock.now(), self.clock.boottime_s()
        for id, entry in tuple(self._rows.items.items()):
            due = _due(entry, now, boottime_s)
            if abs(due.timestamp() - entry.timer.due.timestamp()) > _JUMP_S:
                yield id, replace(entry, timer=replace(entry.timer, due=due))


def _due(entry: Entry, now: datetime, boottime_s: float) -> datetime:
    if entry.boot_due_s is None:
        return entry.timer.due
    due = now.astimezone(UTC) + timedelta(seconds=entry.boot_due_s - boottime_s)
    return due.astimezone(now.tzinfo)
