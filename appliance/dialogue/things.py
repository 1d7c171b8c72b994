"""What skills speak of: timers, notes, and the device itself. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Kind = Literal["timer", "alarm", "reminder"]


@dataclass(frozen=True)
class Timer:
    """A timer, alarm or reminder that is running, as skills see it."""

    id: int
    kind: Kind
    name: str
    """What the person called it ("pizza"); "" for none."""
    due: datetime
    """When it rings, with time zone."""
    duration_s: float
    """How long it was set for; 0 for alarms and reminders."""
    repeat: str = ""
    """How it comes again, as an RFC 5545 rule ("FREQ=WEEKLY;BYDAY=MO"); "" for once."""
    paused_s: float | None = None
    """Seconds left while it is paused; None: it runs."""
    place: str = ""
    """Where it was set, as people call that place; "": at the device."""


@dataclass(frozen=True)
class Note:
    id: int
    text: str
    at: datetime


@dataclass(frozen=True)
class Device:
    """What the device knows of itself; asked anew when somebody wants to know."""

    addresses: tuple[str, ...] = ()
    host: str = ""
    network: str = ""
    temperature_c: float | None = None
    memory_free_mb: float | None = None
    disk_free_mb: float | None = None
    version: str = ""
    uptime_s: float | None = None
    fingerprint: tuple[str, ...] = ()
    """Of its certificate authority, in words; () if it has none."""
    rooms: tuple[str, ...] = ()
    """Other places that could say something, by the names people gave them."""
    voices: tuple[str, ...] = ()
    """What voices of the conversation's language are called."""
    speakers: Mapping[str, str] = field(default_factory=dict)
    """Which of them are "female" and "male"."""
    voice: str = ""
    """The one that speaks."""
    update: str = ""
    """The version that could be installed; "" if none is known."""
    last_turn_ms: Mapping[str, float] = field(default_factory=dict)
    """How long the parts of the last turn took."""
    place: tuple[float, float] = (52.52, 13.405)
    """Latitude and longitude, for the sun; Berlin."""
    region: str = "DE-BE"
    """For holidays: country and subdivision as ISO 3166-2 writes them."""
    speed: float = 1.0


UNKNOWN_DEVICE = Device()
