"""What a reply changes, as data: the skill decides, performers carry it out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from appliance.dialogue.things import Kind
from appliance.language import Language


@dataclass(frozen=True)
class SetTimer:
    kind: Kind
    due: datetime
    name: str = ""
    duration_s: float = 0.0
    repeat: str = ""


@dataclass(frozen=True)
class CancelTimer:
    id: int


@dataclass(frozen=True)
class PauseTimer:
    id: int


@dataclass(frozen=True)
class ResumeTimer:
    id: int


@dataclass(frozen=True)
class AddItems:
    list: str
    items: tuple[str, ...]


@dataclass(frozen=True)
class RemoveItems:
    list: str
    items: tuple[str, ...]


@dataclass(frozen=True)
class ReplaceList:
    """items: all that it holds from now on; None: there is no such list any more."""

    list: str
    items: tuple[str, ...] | None


@dataclass(frozen=True)
class AddNote:
    text: str


@dataclass(frozen=True)
class RemoveNotes:
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Keep:
    """Keep a value by its name; None forgets it."""

    name: str
    value: Any


@dataclass(frozen=True)
class SetSpeech:
    """How replies are spoken from now on: None leaves it as it is."""

    language: Language | None = None
    voice: str | None = None
    speed: float | None = None
    """1 is normal."""


@dataclass(frozen=True)
class ListenForWord:
    """words: that wake the device from now on; (): none; None: those that it usually has."""

    words: tuple[str, ...] | None = None


@dataclass(frozen=True)
class MuteMicrophone:
    """seconds: for so long; 0: until somebody switches it on again."""

    seconds: float = 0.0


@dataclass(frozen=True)
class UnmuteMicrophone:
    """Listen again."""


@dataclass(frozen=True)
class Say:
    """Say something at all other places, or at those."""

    text: str
    places: tuple[str, ...] = ()


@dataclass(frozen=True)
class SystemAction:
    """Something the device does to itself."""

    what: Literal["restart", "shutdown"]


@dataclass(frozen=True)
class SetVolume:
    """percent: 0 to 100, already clamped."""

    percent: int


@dataclass(frozen=True)
class StopSpeaking:
    """Silence: stop the reply being spoken and any timer that is ringing."""


Action = object
"""An instance of one of the types that the families' actions name."""
