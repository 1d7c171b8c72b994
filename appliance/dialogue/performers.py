"""Carries out what skills decided: one performer for each type of action. Skills themselves change nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from appliance.dialogue.types import CancelTimer, Memory, SetTimer, SetVolume, StopSpeaking
from appliance.state.timers import TimerStore

T = TypeVar("T")


class Run(Protocol):
    """Calls a function in a worker thread: asyncio.to_thread, or Workers.run."""

    def __call__(self, function: Callable[..., T], /, *args: Any) -> Coroutine[Any, Any, T]: ...


@dataclass(frozen=True)
class Occasion:
    """In which turn something is done."""

    turn: str
    """The turn's id; doing the same turn twice must do it once."""
    memory: Memory
    number: int = 0
    """Which of the turn's actions."""

    @property
    def effect(self) -> str:
        """What the change is called for good (state/database.py); "" if the turn has no id."""
        return f"{self.turn}/{self.number}" if self.turn else ""


Performer = Callable[[Any, Occasion], Awaitable[None]]
"""Carries out one action. What it raises costs this turn only, and the reply is an apology."""

DURABLE = frozenset({SetTimer, CancelTimer})
"""Actions that are written down."""


def performers(timers: TimerStore, run: Run) -> Mapping[type, Performer]:
    """Those that every device has."""

    async def set_timer(action: SetTimer, occasion: Occasion) -> None:
        await run(timers.add, action, occasion.effect)

    async def cancel_timer(action: CancelTimer, occasion: Occasion) -> None:
        await run(timers.cancel, action.id, occasion.effect)

    async def set_volume(action: SetVolume, occasion: Occasion) -> None:
        """What the conversation remembers; whoever owns the loudspeaker follows it."""
        memory = occasion.memory
        if action.percent == 0 and memory.volume:
            memory.volume_before_mute = memory.volume
        memory.volume = action.percent

    async def stop_speaking(action: StopSpeaking, occasion: Occasion) -> None:
        """What rings is heard. The reply being spoken is silenced by the conversation, before it answers."""
        if timers.ringing():
            await run(timers.silence, occasion.effect)

    return {SetTimer: set_timer, CancelTimer: cancel_timer, SetVolume: set_volume, StopSpeaking: stop_speaking}
