"""A clock that tests turn by hand."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from appliance.state.clock import Clock


class HandClock(Clock):
    """Waiting moves both clocks forward at once. `at` runs things at a moment of the boot clock."""

    def __init__(self, now: datetime = datetime(2026, 3, 3, 15, 7, tzinfo=UTC), boot: str = "first boot") -> None:
        self.wall, self.boot_s, self.boot = now, 1000.0, boot
        self.idle = asyncio.Event()
        """Set while the watcher waits with nothing to wait for."""
        self._plans: list[tuple[float, Callable[[], object]]] = []

    def now(self) -> datetime:
        return self.wall

    def boottime_s(self) -> float:
        return self.boot_s

    def boot_id(self) -> str:
        return self.boot

    def pass_s(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.boot_s += seconds

    def at(self, after_s: float, plan: Callable[[], object]) -> None:
        self._plans.append((self.boot_s + after_s, plan))

    def set_by(self, seconds: float) -> None:
        """Somebody sets the clock on the wall."""
        self.wall += timedelta(seconds=seconds)

    async def wait(self, event: asyncio.Event, timeout_s: float | None) -> None:
        await asyncio.sleep(0)
        if event.is_set():
            return
        if timeout_s is None:
            self.idle.set()
            await event.wait()
            self.idle.clear()
            return
        target_s = self.boot_s + timeout_s
        for at_s, plan in sorted(self._plans, key=lambda planned: planned[0]):
            if at_s <= target_s:
                self.pass_s(max(0.0, at_s - self.boot_s))
                self._plans.remove((at_s, plan))
                plan()
        self.pass_s(max(0.0, target_s - self.boot_s))
