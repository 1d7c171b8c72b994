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
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from appliance.dialogue.actions import SetTimer
from appliance.dialogue.things import Timer
from appliance.recurrence import following
from appliance.state.clock import Clock
from appliance.state.database import Database
from appliance.state.repository import new_id
from appliance.state.schema import Change
from appliance.state.timer_rows import Entry, Rows

log = logging.getLogger(__name__)

_JUMP_S = 2

RINGS_S = 600.0
"""So long after it began "stop" is about what rings. What was missed by less than this because the device was off
rings late."""

MEANT_S = 120.0
"""So long after somebody heard one ring, "stop the alarm" is about that one and not about tomorrow's."""

KEPT_S = 7 * 86_400.0
"""What nobody heard is told to whoever comes next, if they come within this time."""


class TimerStore:
    """All timers, in memory and on disk. Every method may be called from any thread."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.database = database
        self._rows = Rows(self.clock)
        self._heard: tuple[tuple[float, Timer], ...] = ()  # the last ones, with CLOCK_BOOTTIME
        database.attach(self._rows)

    def add(self, wanted: SetTimer, effect: str = "", place: str = "") -> Timer:
        """Set it. If Database.durable then, it is on the disk. effect: see Database.change. place: where it is set."""
        duration_s, boot_id = wanted.duration_s, self.clock.boot_id()
        boot_due_s = self.clock.boottime_s() + duration_s if duration_s else None

        def do() -> tuple[int, list[Change]]:
            id = new_id(self.clock.now(), self._rows.items)
            timer = Timer(id, wanted.kind, wanted.name, wanted.due, duration_s, wanted.repeat, place=place)
            return id, [self._rows.put(id, Entry(timer, boot_due_s, boot_id))]

        id = self.database.change(do, effect)
        return Timer(id, wanted.kind, wanted.name, wanted.due, duration_s, wanted.repeat, place=place)

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

    def extend(self, id: int, seconds: float, effect: str = "") -> bool:
        """Let it ring later by so much, or sooner, but not before in a second; False if it is gone or rings already."""

        def do() -> tuple[bool, list[Change]]:
            entry = self._rows.items.get(id)
            if entry is None or entry.rang_s is not None:
                return False, []
            now, boottime_s, timer = self.clock.now(), self.clock.boottime_s(), entry.timer
            before_s = _due(entry, now, boottime_s).timestamp() - now.timestamp()
            left_s = max(1.0, before_s + seconds)
            timer = replace(
                timer,
                due=_after(now, left_s),
                duration_s=timer.duration_s and timer.duration_s + left_s - before_s,
                paused_s=None if timer.paused_s is None else left_s,
            )
            boot_due_s = None if entry.boot_due_s is None else boottime_s + left_s
            return True, [self._rows.put(id, replace(entry, timer=timer, boot_due_s=boot_due_s))]

        return self.database.change(do, effect)

    def snooze(self, id: int, seconds: float, effect: str = "") -> bool:
        """Let what rings be silent and ring again after so long; False if it does not ring any more."""

        def do() -> tuple[bool, list[Change]]:
            entry = self._rows.items.get(id)
            if entry is None or entry.rang_s is None:
                return False, []
            again = new_id(self.clock.now(), self._rows.items)
            timer = replace(entry.timer, id=again, due=_after(self.clock.now(), seconds), duration_s=seconds, repeat="")
            later = Entry(timer, self.clock.boottime_s() + seconds, self.clock.boot_id())
            return True, [self._rows.put(again, later), self._rows.drop(id)]

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
