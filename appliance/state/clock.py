"""The clocks that durable things need: the one on the wall, and the one that nobody sets."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path


class LocalZone(tzinfo):
    """The system's local time, with its changes between summer and winter.

    `datetime.now().astimezone()` has a fixed offset instead: an alarm for the morning after the change would be an
    hour off.
    """

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        return None if dt is None else dt.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, dt: datetime | None) -> timedelta | None:
        return None

    def tzname(self, dt: datetime | None) -> str | None:
        return None if dt is None else dt.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, dt: datetime) -> datetime:
        local = dt.replace(tzinfo=UTC).astimezone()
        here = local.replace(tzinfo=self)
        # The hour that comes twice in autumn: astimezone() says which by its offset, and leaves fold at 0 (PEP 495).
        return here if here.utcoffset() == local.utcoffset() else here.replace(fold=1)


class Clock:
    """The clocks timers need. Tests have their own."""

    def __init__(self) -> None:
        self._zone = LocalZone()

    def now(self) -> datetime:
        """Local time with time zone."""
        return datetime.now(self._zone)

    def boottime_s(self) -> float:
        """Seconds since boot, suspend included, never set by anybody."""
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

    def boot_id(self) -> str:
        """Names this boot; "" where the system cannot tell."""
        try:
            return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            return ""

    async def wait(self, event: asyncio.Event, timeout_s: float | None) -> None:
        """Until the event is set or the time is over."""
        try:
            async with asyncio.timeout(timeout_s):
                await event.wait()
        except TimeoutError:
            return
