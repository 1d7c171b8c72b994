"""Carries out what skills decided: one performer for each type of action. Skills themselves change nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from appliance.dialogue.actions import (
    Action,
    AddItems,
    AddNote,
    CancelTimer,
    Keep,
    PauseTimer,
    RemoveItems,
    RemoveNotes,
    ReplaceList,
    ResumeTimer,
    SetSpeech,
    SetTimer,
    SetVolume,
    StopSpeaking,
)
from appliance.dialogue.types import Memory
from appliance.language import Language
from appliance.state.lists import ListStore
from appliance.state.notes import NoteStore
from appliance.state.stores import Stores
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
    language: Language = "en"
    number: int = 0
    """Which of the turn's actions."""

    @property
    def effect(self) -> str:
        """What the change is called for good (state/database.py); "" if the turn has no id."""
        return f"{self.turn}/{self.number}" if self.turn else ""


Inverse = tuple[Action, ...] | None
"""What takes an effect back: actions; () if nothing can; None if there is nothing to take back."""
Performer = Callable[[Any, Occasion], Awaitable[Inverse]]
"""Carries out one action. What it raises costs this turn only, and the reply is an apology; for Refused, its text."""


class Refused(Exception):
    """It cannot be done now. text: name of the reply text that says why; values: what is filled in."""

    def __init__(self, text: str, /, **values: object) -> None:
        super().__init__(text)
        self.text, self.values = text, values


SPEECH = "speech/"
"""Before a place's id: the keeper's name for the voice and speed that were chosen there."""


def speech_of(stores: Stores, who: str) -> SetSpeech:
    """The voice and speed that were chosen at a place."""
    kept = stores.keeper.get(f"{SPEECH}{who}") or {}
    voice, speed = kept.get("voice"), kept.get("speed")
    return SetSpeech(
        voice=voice if isinstance(voice, str) else None, speed=float(speed) if isinstance(speed, (int, float)) else None
    )


def performers(stores: Stores, run: Run) -> Mapping[type, Performer]:
    """Those that every device has."""
    return {
        **_timers(stores.timers, run),
        **_lists(stores.lists, run),
        **_notes(stores.notes, run),
        **_others(stores, run),
    }


DURABLE = frozenset(
    {SetTimer, CancelTimer, PauseTimer, ResumeTimer, AddItems, RemoveItems, ReplaceList, AddNote, RemoveNotes, Keep}
)
"""Actions that are written down."""


def _timers(timers: TimerStore, run: Run) -> dict[type, Performer]:
    async def set_timer(action: SetTimer, occasion: Occasion) -> Inverse:
        timer = await run(timers.add, action, occasion.effect, occasion.memory.place)
        occasion.memory.it = timer.id
        return (CancelTimer(timer.id),)

    async def cancel_timer(action: CancelTimer, occasion: Occasion) -> Inverse:
        gone = [timer for timer in timers.pending() if timer.id == action.id]
        await run(timers.cancel, action.id, occasion.effect)
        return tuple(SetTimer(timer.kind, timer.due, timer.name, timer.duration_s, timer.repeat) for timer in gone)

    async def pause_timer(action: PauseTimer, occasion: Occasion) -> Inverse:
        await run(timers.pause, action.id, occasion.effect)
        occasion.memory.it = action.id
        return (ResumeTimer(action.id),)

    async def resume_timer(action: ResumeTimer, occasion: Occasion) -> Inverse:
        await run(timers.resume, action.id, occasion.effect)
        occasion.memory.it = action.id
        return (PauseTimer(action.id),)

    return {SetTimer: set_timer, CancelTimer: cancel_timer, PauseTimer: pause_timer, ResumeTimer: resume_timer}


def _lists(lists: ListStore, run: Run) -> dict[type, Performer]:
    async def add_items(action: AddItems, occasion: Occasion) -> Inverse:
        old = lists.all().get(action.list)
        await run(lists.add, action.list, action.items, occasion.effect)
        return (ReplaceList(action.list, old),)

    async def remove_items(action: RemoveItems, occasion: Occasion) -> Inverse:
        old = lists.all().get(action.list)
        await run(lists.remove, action.list, action.items, occasion.effect)
        return (ReplaceList(action.list, old),)

    async def replace_list(action: ReplaceList, occasion: Occasion) -> Inverse:
        old = lists.all().get(action.list)
        await run(lists.replace, action.list, action.items, occasion.effect)
        return (ReplaceList(action.list, old),)

    return {AddItems: add_items, RemoveItems: remove_items, ReplaceList: replace_list}


def _notes(notes: NoteStore, run: Run) -> dict[type, Performer]:
    async def add_note(action: AddNote, occasion: Occasion) -> Inverse:
        id = await run(notes.add, action.text, occasion.effect)
        return (RemoveNotes((id,)),)

    async def remove_notes(action: RemoveNotes, occasion: Occasion) -> Inverse:
        gone = [note for note in notes.all() if note.id in action.ids]
        await run(notes.remove, action.ids, occasion.effect)
        return tuple(AddNote(note.text) for note in gone)

    return {AddNote: add_note, RemoveNotes: remove_notes}


def _others(stores: Stores, run: Run) -> dict[type, Performer]:
    async def keep(action: Keep, occasion: Occasion) -> Inverse:
        before = stores.keeper.get(action.name)
        await run(stores.keeper.keep, action.name, action.value, occasion.effect)
        return (Keep(action.name, before),)

    async def set_volume(action: SetVolume, occasion: Occasion) -> Inverse:
        """What the conversation remembers; whoever owns the loudspeaker follows it."""
        memory, before = occasion.memory, occasion.memory.volume
        if action.percent == 0 and memory.volume:
            memory.volume_before_mute = memory.volume
        memory.volume = action.percent
        return (SetVolume(before),)

    async def set_speech(action: SetSpeech, occasion: Occasion) -> Inverse:
        memory = occasion.memory
        usual: dict[str, Any] = {"language": occasion.language, "voice": "", "speed": 1.0}
        wanted = {name: value for name, value in vars(action).items() if value is not None}
        before: dict[str, Any] = {name: getattr(memory.speech, name) or usual[name] for name in wanted}
        memory.speech = replace(memory.speech, **wanted)
        if memory.who and (action.voice is not None or action.speed is not None):
            kept = {"voice": memory.speech.voice, "speed": memory.speech.speed}
            await run(stores.keeper.keep, f"{SPEECH}{memory.who}", kept, occasion.effect)
        return (SetSpeech(**before),)

    async def stop_speaking(action: StopSpeaking, occasion: Occasion) -> Inverse:
        """What rings is heard. The reply being spoken is silenced by the conversation, before it answers."""
        if stores.timers.ringing():
            await run(stores.timers.silence, occasion.effect)
        return None

    return {Keep: keep, SetVolume: set_volume, SetSpeech: set_speech, StopSpeaking: stop_speaking}
