"""What a page may say, as dataclasses; docs/protocol.md says what each is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from appliance.language import Language

Endpoint = Literal["client", "auto"]


@dataclass(frozen=True)
class Hello:
    language: Language | None
    reply_rate: int | None
    speak: bool | None
    session: str | None = None
    """The secret from an earlier `welcome`."""


@dataclass(frozen=True)
class Start:
    id: str | None
    language: Language | None
    endpoint: Endpoint = "client"
    """Who decides when the utterance is over; with "auto" the device does too."""
    lingers: bool = False
    """Sound goes on coming for a second after the device has ended it."""


@dataclass(frozen=True)
class Stop:
    id: str | None


@dataclass(frozen=True)
class Cancel:
    id: str | None


@dataclass(frozen=True)
class Text:
    id: str | None
    language: Language | None
    text: str


@dataclass(frozen=True)
class Interrupt:
    pass


@dataclass(frozen=True)
class Ping:
    timestamp: Any
    """Comes back unchanged."""


@dataclass(frozen=True)
class Follow:
    """Tell what there is on the board, now and after every change."""


Doing = Literal["pause", "resume", "extend", "cancel", "stop", "snooze"]
NEEDS_SECONDS = ("extend", "snooze")


@dataclass(frozen=True)
class ChangeTimer:
    timer: int
    do: Doing
    seconds: float = 0.0
    """To extend by (less than 0: to shorten by), or until it rings again."""


@dataclass(frozen=True)
class ChangeItem:
    list: str
    item: str
    do: Literal["add", "remove"]


@dataclass(frozen=True)
class ShowSettings:
    """Tell what is chosen here, and what there is to choose from."""


@dataclass(frozen=True)
class Set:
    """fields: what shall change: volume, speed, voice, name, quiet (two times of day, or () for none), fetch,
    teach (phrase, reply, instead), forget and so on."""

    fields: Mapping[str, Any]


Message = (
    Hello | Start | Stop | Cancel | Text | Interrupt | Ping | Follow | ChangeTimer | ChangeItem | ShowSettings | Set
)
