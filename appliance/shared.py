"""What all sessions have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from appliance import turns
from appliance.attention import Attention
from appliance.backlog import Backlog
from appliance.faculties import Faculties
from appliance.language import Language

Later = Callable[[float, Callable[[], None]], asyncio.TimerHandle]


@dataclass
class Shared:
    """What all sessions have in common."""

    faculties: Faculties
    tasks: asyncio.TaskGroup
    """Turns run in it, whoever has gone meanwhile."""
    language: Language
    max_audio_duration_s: float
    observe: Callable[[turns.Event], None]
    """Told every event of every session."""
    dropped: Callable[[str], None]
    """Told why a piece of sound was not used."""
    clock: Callable[[], float]
    later: Later
    """Like loop.call_later."""
    attention: Attention | None = None
    """Who listens along; None: nobody, so Patience decides about the end."""
    stopping: bool = False
    """No new turn is taken up any more."""
    backlog: Backlog = field(init=False)
    """Everybody's sound that was not decoded yet."""

    def __post_init__(self) -> None:
        self.backlog = Backlog(self.clock)
