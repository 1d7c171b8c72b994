"""How timers, alarms and reminders are written down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from appliance.dialogue.things import Timer
from appliance.recurrence import following
from appliance.state.clock import Clock
from appliance.state.repository import Repository, number, text, whole
from appliance.state.schema import Table, Value

_KINDS = ("timer", "alarm", "reminder")

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


class Rows(Repository[int, Entry]):
    table = Table(
        "timers",
        ("id", "kind", "name", "due_s", "duration_s", "boot_due_s", "boot_id", "rang_s", "repeat", "paused_s", "place"),
        (
            """CREATE TABLE IF NOT EXISTS timers (
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
            "ALTER TABLE timers ADD COLUMN paused_s REAL",  # seconds left while it is paused
            "ALTER TABLE timers ADD COLUMN place TEXT NOT NULL DEFAULT ''",
        ),
    )  # where it was set; '' at the device

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._zone, self._boot_id = clock.now().tzinfo, clock.boot_id()

    def encode(self, item: Entry) -> tuple[Value, ...]:
        timer = item.timer
        due_s = timer.due.timestamp()
        return (
            timer.kind,
            timer.name,
            due_s,
            timer.duration_s,
            item.boot_due_s,
            item.boot_id,
            item.rang_s,
            timer.repeat,
            timer.paused_s,
            timer.place,
        )

    def decode(self, *values: Value) -> Entry:
        id, kind, name, due_s, duration_s, boot_due_s, boot_id, rang_s, repeat, paused_s, place = values
        if kind not in _KINDS:
            raise ValueError(f"kind {kind!r}, expected one of {', '.join(_KINDS)}")
        due = datetime.fromtimestamp(number(due_s, 0, _LATEST_S), self._zone)
        left_s = None if paused_s is None else number(paused_s, 0, _LATEST_S)
        if repeat:
            following(text(repeat), due, due)  # raises ValueError for a rule that is none
        timer = Timer(
            whole(id),
            kind,  # type: ignore[arg-type]
            text(name),
            due,
            number(duration_s, 0, _LATEST_S),
            text(repeat),
            left_s,
            text(place),
        )
        same_boot = bool(boot_id) and boot_id == self._boot_id

        def of_this_boot(value: Value, otherwise: float | None) -> float | None:
            return None if value is None else number(value, 0, _LATEST_S) if same_boot else otherwise

        return Entry(timer, of_this_boot(boot_due_s, None), text(boot_id), of_this_boot(rang_s, 0.0))
