"""Timers, alarms and reminders that survive a restart and a change of the clock.

A timer counts real time: while the device stays on it is measured by CLOCK_BOOTTIME, so setting the clock (a Pi
without a battery-backed clock jumps when the network time arrives) neither rings nor delays it. An alarm means a time
on the clock, so it follows the clock. After a reboot the clock is all there is, for timers as well.

It is *pending* until it is due, then it *rings* until somebody has heard it, and only then it is forgotten.

What changes something writes to the disk and belongs into a worker thread; everything else reads memory only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from appliance.dialogue.types import SetTimer, Timer
from appliance.recurrence import following
from appliance.state.clock import Clock
from appliance.state.database import Database
from appliance.state.repository import Repository, new_id, number, text, whole
from appliance.state.schema import Change, Table, Value

log = logging.getLogger(__name__)

_KINDS = ("timer", "alarm", "reminder")
_JUMP_S = 2

RINGS_S = 600.0
"""So long after it began "stop" is about what rings. What was missed by less than this because the device was off
rings late."""

MEANT_S = 120.0
"""So long after somebody heard one ring, "stop the alarm" is about that one and not about tomorrow's."""

KEPT_S = 7 * 86_400.0
"""What nobody heard is told to whoever comes next, if they come within this time."""

_LATEST_S = 32_503_680_000
"""The year 3000. Later is a damaged row; Python's calendar ends in 9999."""


@dataclass(frozen=True)
class Entry:
    """A timer and what its row holds besides."""

    timer: Timer
    boot_due_s: float | None
    """CLOCK_BOOTTIME at which it rings; None: only the clock on the wall knows."""
    boot_id: str = ""
    """The boot in which boot_due_s and rang_s are valid."""
    rang_s: float | None = None
    """CLOCK_BOOTTIME at which it began to ring; None: it has not yet."""


class _Rows(Repository[int, Entry]):
    table = Table(
        "timers",
        ("id", "kind", "name", "due_s", "duration_s", "boot_due_s", "boot_id", "rang_s", "repeat", "paused_s"),
        ("""CREATE TABLE IF NOT EXISTS timers (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                kind TEXT NOT NULL,
                name TEXT NOT NULL,
                due_s REAL NOT NULL,       -- Unix time at which it rings, by the clock when this was written
                duration_s REAL NOT NULL,  -- 0: it means a time on the clock
                boot_due_s REAL,           -- CLOCK_BOOTTIME at which it rings, valid while boot_id is the running one
                boot_id TEXT NOT NULL
            )""",
         "ALTER TABLE timers ADD COLUMN rang_s REAL",  # CLOCK_BOOTTIME at which it began to ring, in boot_id
         "ALTER TABLE timers ADD COLUMN repeat TEXT NOT NULL DEFAULT ''",  # RFC 5545: how it comes again
         "ALTER TABLE timers ADD COLUMN paused_s REAL"))  # seconds left while it is paused

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._zone, self._boot_id = clock.now().tzinfo, clock.boot_id()

    def encode(self, item: Entry) -> tuple[Value, ...]:
        timer = item.timer
        due_s = timer.due.timestamp()
        return (timer.kind, timer.name, due_s, timer.duration_s, item.boot_due_s, item.boot_id, item.rang_s,
                timer.repeat, timer.paused_s)

    def decode(self, *values: Value) -> Entry:
        id, kind, name, due_s, duration_s, boot_due_s, boot_id, rang_s, repeat, paused_s = values
        if kind not in _KINDS:
            raise ValueError(f"kind {kind!r}, expected one of {', '.join(_KINDS)}")
        due = datetime.fromtimestamp(number(due_s, 0, _LATEST_S), self._zone)
        left_s = None if paused_s is None else number(paused_s, 0, _LATEST_S)
        if repeat:
            following(text(repeat), due, due)  # raises ValueError for a rule that is none
        timer = Timer(whole(id), kind, text(name), due, number(duration_s, 0, _LATEST_S),  # type: ignore[arg-type]
                      text(repeat), left_s)
        same_boot = bool(boot_id) and boot_id == self._boot_id

        def of_this_boot(value: Value, otherwise: float | None) -> float | None:
            return None if value is None else number(value, 0, _LATEST_S) if same_boot else otherwise

        return Entry(timer, of_this_boot(boot_due_s, None), text(boot_id), of_this_boot(rang_s, 0.0))


class TimerStore:
    """All timers, in memory and on disk. Every method may be called from any thread."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.database = database
        self._rows = _Rows(self.clock)
        self._heard: tuple[tuple[float, Timer], ...] = ()  # the last ones, with CLOCK_BOOTTIME
        database.attach(self._rows)

    def add(self, wanted: SetTimer, effect: str = "") -> Timer:
        """Set it. If Database.durable then, it is on the disk. effect: see Database.change."""
        duration_s, boot_id = wanted.duration_s, self.clock.boot_id()
        boot_due_s = self.clock.boottime_s() + duration_s if duration_s else None

        def do() -> tuple[int, list[Change]]:
            id = new_id(self.clock.now(), self._rows.items)
            timer = Timer(id, wanted.kind, wanted.name, wanted.due, duration_s, wanted.repeat)
            return id, [self._rows.put(id, Entry(timer, boot_due_s, boot_id))]

        id = self.database.change(do, effect)
        return Timer(id, wanted.kind, wanted.name, wanted.due, duration_s, wanted.repeat)

    def pause(self, id: int, effect: str = "") -> bool:
        """Stop a timer's time; False if it is gone or stands already."""
        def do() -> tuple[bool, list[Change]]:
            entry = self._rows.items.get(id)
            if entry is None or entry.timer.paused_s is not None or entry.rang_s is not None:
                return False, []
            due = _due(entry, self.clock.now(), self.clock.boottime_s())
            left_s = max(0.0, due.timestamp() - self.clock.now().timestamp())
            return True, [self._rows.put(id, replace(entry, timer=replace(entry.timer, paused_s=left_s)))]

        return self.database.change(do, effect)

    def resume(self, id: int, effect: str = "") -> bool:
        """Let a paused timer go on; False if it is gone or runs already."""
        def do() -> tuple[bool, list[Change]]:
            entry = self._rows.items.get(id)
            if entry is None or entry.timer.paused_s is None:
                return False, []
            due = _after(self.clock.now(), entry.timer.paused_s)
            timer = replace(entry.timer, due=due, paused_s=None)
            boot_due_s = self.clock.boottime_s() + entry.timer.paused_s if timer.duration_s else None
            return True, [self._rows.put(id, Entry(timer, boot_due_s, self.clock.boot_id()))]

        return self.database.change(do, effect)

    def cancel(self, id: int, effect: str = "") -> bool:
        """Forget it; False if it is gone already."""
        def do() -> tuple[bool, list[Change]]:
            return (True, [self._rows.drop(id)]) if id in self._rows.items else (False, [])

        return self.database.change(do, effect)

    def pending(self) -> tuple[Timer, ...]:
        """What has not rung, next one first."""
        return self._timers(lambda entry: entry.rang_s is None)

    def unheard(self) -> tuple[Timer, ...]:
        """What rings, or rang with nobody there; oldest first."""
        return self._timers(lambda entry: entry.rang_s is not None)

    def ringing(self) -> tuple[Timer, ...]:
        """What "stop" is about: what rings, and what somebody heard ring a moment ago."""
        now_s = self.clock.boottime_s()
        rings = self._timers(lambda entry: entry.rang_s is not None and entry.rang_s >= now_s - RINGS_S)
        return (*rings, *(timer for heard_s, timer in self._heard if heard_s >= now_s - MEANT_S))

    def due(self) -> tuple[Timer, ...]:
        """What should begin to ring now."""
        now_s = self.clock.now().timestamp()
        return tuple(timer for timer in self.pending() if timer.paused_s is None and timer.due.timestamp() <= now_s)

    def begin_ringing(self) -> None:
        """What is due rings from now on; what nobody heard for a week is forgotten, with a line in the log."""
        boottime_s, boot_id = self.clock.boottime_s(), self.clock.boot_id()

        def do() -> tuple[None, list[Change]]:
            changes = []
            for timer in self.due():
                entry = Entry(timer, self._rows.items[timer.id].boot_due_s, boot_id, boottime_s)
                changes.append(self._rows.put(timer.id, entry))
                if timer.repeat:
                    changes.append(self._again(timer))
            for timer in self.unheard():
                if self.late_s(timer) > KEPT_S:
                    log.warning("%s %d, due on %s, was heard by nobody", timer.kind, timer.id, timer.due.date())
                    changes.append(self._rows.drop(timer.id))
            return None, changes

        self.database.change(do)

    def _again(self, timer: Timer) -> Change:
        """The next one of a timer that comes again and again; those that were missed meanwhile are left out."""
        id = new_id(self.clock.now(), self._rows.items)
        due = following(timer.repeat, timer.due, self.clock.now())
        return self._rows.put(id, Entry(replace(timer, id=id, due=due, duration_s=0.0), None))

    def heard(self, *ids: int, effect: str = "") -> None:
        """Somebody has heard these: they ring no more."""
        def do() -> tuple[None, list[Change]]:
            boottime_s = self.clock.boottime_s()
            known = [self._rows.items[id].timer for id in ids if id in self._rows.items]
            recent = [(heard_s, timer) for heard_s, timer in self._heard if heard_s > boottime_s - MEANT_S]
            self._heard = (*recent, *((boottime_s, timer) for timer in known))
            return None, [self._rows.drop(timer.id) for timer in known]

        self.database.change(do, effect)

    def silence(self, effect: str = "") -> None:
        """Somebody said "stop": nothing rings any more."""
        self.heard(*(timer.id for timer in self.ringing()), effect=effect)

    def late_s(self, timer: Timer) -> float:
        """For how long it should have been ringing, in seconds."""
        return self.clock.now().timestamp() - timer.due.timestamp()

    def follow_clock(self) -> None:
        """After the clock was set, write down when timers are due by the new one, in case of a reboot."""
        if any(self._moved()):  # without the lock first: this is asked every few seconds
            self.database.change(lambda: (None, [self._rows.put(id, entry) for id, entry in self._moved()]))

    def _timers(self, wanted: Callable[[Entry], bool]) -> tuple[Timer, ...]:
        now, boottime_s = self.clock.now(), self.clock.boottime_s()
        entries = [entry for entry in self._rows.items.values() if wanted(entry)]
        timers = [replace(entry.timer, due=_due(entry, now, boottime_s)) for entry in entries]
        return tuple(sorted(timers, key=lambda timer: timer.due.timestamp()))

    def _moved(self) -> Iterable[tuple[int, Entry]]:
        now, boottime_s = self.clock.now(), self.clock.boottime_s()
        for id, entry in tuple(self._rows.items.items()):
            due = _due(entry, now, boottime_s)
            moved_s = abs(due.timestamp() - entry.timer.due.timestamp())
            if entry.rang_s is None and entry.timer.paused_s is None and moved_s > _JUMP_S:
                yield id, replace(entry, timer=replace(entry.timer, due=due))


def _due(entry: Entry, now: datetime, boottime_s: float) -> datetime:
    if entry.timer.paused_s is not None:
        return _after(now, entry.timer.paused_s)
    if entry.boot_due_s is None:
        return entry.timer.due
    return _after(now, entry.boot_due_s - boottime_s)


def _after(now: datetime, seconds: float) -> datetime:
    """As time really passes, by way of UTC, because clocks change."""
    return (now.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(now.tzinfo)
