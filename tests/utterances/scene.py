"""The scene of README.md, and a dialogue that plays in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from appliance.dialogue.actions import MuteMicrophone, Say, SetTimer, SystemAction, UnmuteMicrophone
from appliance.dialogue.dialogue import Dialogue
from appliance.dialogue.things import Device
from appliance.dialogue.types import Answer, Memory
from appliance.dialogue.understanding import Understanding
from appliance.language import Language
from appliance.state.clock import Clock
from appliance.state.database import Database
from appliance.state.stores import Stores
from appliance.state.timers import TimerStore

T = TypeVar("T")
NOW = datetime(2026, 3, 3, 15, 7, tzinfo=ZoneInfo("Europe/Berlin"))
_SAID: dict[Language, tuple[str, str]] = {
    "en": ("what time is it", "It's seven minutes past three."),
    "de": ("wie spät ist es", "Es ist fünfzehn Uhr sieben."),
}
_TASKS: dict[Language, tuple[str, str]] = {
    "en": ("water the plants", "call the dentist"), "de": ("die Blumen gießen", "den Zahnarzt anrufen"),
}  # fmt: skip


class StillClock(Clock):
    """It is always NOW."""

    def __init__(self, now: datetime = NOW, boottime_s: float = 10_000) -> None:
        self._now, self._boottime_s = now, boottime_s

    def now(self) -> datetime:
        return self._now

    def boottime_s(self) -> float:
        return self._boottime_s

    def boot_id(self) -> str:
        return "scene"

    def turn_back(self, seconds: float) -> None:
        """For setting up what was started earlier."""
        self._now, self._boottime_s = NOW - timedelta(seconds=seconds), 10_000 - seconds


async def answers(understanding: Understanding, language: Language, texts: Sequence[str]) -> list[Answer]:
    """What the product answers to each turn of a conversation that begins in the scene."""
    clock = StillClock()
    with Database(None) as database:
        timers = TimerStore(database, clock)
        _set_up(timers, clock, language)
        stores = Stores.beside(timers)
        _fill(stores, language)
        dialogue = Dialogue(
            understanding,
            timers,
            stores=stores,
            run=_at_once,
            random=Random(0),
            more_performers=dict.fromkeys((MuteMicrophone, UnmuteMicrophone, Say, SystemAction), _nothing),
            device=lambda memory, language: DEVICE,
        )
        heard, said = _SAID[language]
        memory = Memory(last_heard=heard, last_reply=said, may_configure=True)
        return [await dialogue.answer(text, language, memory) for text in texts]


def _set_up(timers: TimerStore, clock: StillClock, language: Language) -> None:
    for name, length_s, left_s in (("pizza", 600.0, 250.0), ("", 1800.0, 1320.0)):
        clock.turn_back(length_s - left_s)
        timers.add(SetTimer("timer", clock.now() + timedelta(seconds=length_s), name, length_s))
    clock.turn_back(0)
    tomorrow = NOW + timedelta(days=1)
    for due, name in (
        (NOW.replace(hour=18, minute=0), _TASKS[language][0]),
        (tomorrow.replace(hour=9, minute=0), _TASKS[language][1]),
    ):
        timers.add(SetTimer("reminder", due, name))
    for due in (tomorrow.replace(hour=6, minute=30), NOW.replace(day=7, hour=9, minute=0)):
        timers.add(SetTimer("alarm", due))


_LISTS: dict[Language, dict[str, tuple[str, ...]]] = {
    "en": {"shopping": ("milk", "bread", "apples"), "todo": ("fix the bike",), "camping": ("tent",)},
    "de": {"shopping": ("Milch", "Brot", "Äpfel"), "todo": ("Fahrrad reparieren",), "Urlaub": ("Zelt",)},
}
_NOTES: dict[Language, str] = {"en": "the key is under the pot", "de": "der Schlüssel liegt unter dem Topf"}
DEVICE = Device(
    addresses=("192.168.1.20",),
    host="stimme.local",
    network="Home",
    temperature_c=51.0,
    memory_free_mb=200.0,
    disk_free_mb=9000.0,
    version="0.1.0",
    uptime_s=90_000.0,
    rooms=("kitchen", "office"),
    voices=("thorsten", "joe"),
    last_turn_ms={"recognition": 40.0, "understanding": 2.0, "synthesis": 90.0},
)


def _fill(stores: Stores, language: Language) -> None:
    for name, items in _LISTS[language].items():
        stores.lists.add(name, items)
    stores.notes.add(_NOTES[language])


async def _nothing(action: object, occasion: object) -> None:
    """Carries out what only a device can."""


async def _at_once(function: Callable[..., T], /, *args: Any) -> T:
    await asyncio.sleep(0)
    return function(*args)
