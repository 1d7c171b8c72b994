"""What only this device can carry out: the part of the composition root that gives the dialogue hands."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from appliance import power
from appliance.device.local import LocalDevice
from appliance.dialogue.actions import ListenForWord, MuteMicrophone, Say, SystemAction, UnmuteMicrophone
from appliance.dialogue.performers import Inverse, Occasion, Performer, Refused
from appliance.dialogue.types import Memory
from appliance.errors import ModelError
from appliance.language import Language
from appliance.server.page.people import People
from appliance.server.pairing import Locked, Pairing

Run = Callable[..., Awaitable[Any]]

PARTING_S = 4.0
"""So long the device may speak its last words before it restarts or switches itself off."""


class Deeds:
    """Performers for a Dialogue that is made before the places are; these are put in as they come.

    tasks: what takes longer than the turn runs in it. run: for what blocks. has_device: whether there will be one.
    """

    def __init__(
        self,
        run: Run,
        *,
        has_device: bool,
        is_appliance: bool,
        room: str = "",
        later: Callable[[float], Awaitable[None]] = asyncio.sleep,
        bus: power.Bus | None = None,
    ) -> None:
        self.tasks: asyncio.TaskGroup | None = None
        self.people: People | None = None
        self.device: LocalDevice | None = None
        self.pairing: Pairing | None = None
        self._run, self._later, self._bus, self._room = run, later, bus, room
        self._muted_until: asyncio.Task[None] | None = None
        self._beside: set[asyncio.Task[None]] = set()
        self._announcements = itertools.count(1)
        self.performers: dict[type, Performer] = {Say: self._say}
        if has_device:
            self.performers |= {
                MuteMicrophone: self._mute,
                UnmuteMicrophone: self._unmute,
                ListenForWord: self._listen_for,
            }
        if is_appliance:
            self.performers[SystemAction] = self._system

    def rooms(self, memory: Memory) -> tuple[str, ...]:
        """What the other places are called."""
        device = self.device
        here = (self._room or device.called,) if device is not None and device.session.memory is not memory else ()
        return (*here, *(self.people.others(memory) if self.people is not None else ()))

    async def code(self, question: str, language: Language, memory: Memory) -> str:
        """A pairing code for whoever asked; it is shown too, and not said a second time."""
        if self.pairing is None:
            raise Refused("system.no_pairing")
        opened = self.pairing.open(time.monotonic(), quietly=True)
        if isinstance(opened, Locked):
            raise Refused("system.locked", wait=max(60.0, opened.seconds))
        return opened

    async def _say(self, action: Say, occasion: Occasion) -> Inverse:
        """In the background: whoever announces need not wait until all have heard it."""
        assert self.tasks is not None and self.people is not None, "somebody talks, so the house is open"
        texts: Mapping[Language, str] = {occasion.language: action.text}
        id, device, memory = f"say-{next(self._announcements)}", self.device, occasion.memory
        self.tasks.create_task(self.people.announce(texts, id, "notice", to=action.places, but=memory))
        if (
            device is not None
            and device.session.memory is not memory
            and (not action.places or (self._room or device.called) in action.places)
        ):
            self.tasks.create_task(device.announce(texts, id, "notice"))
        return ()

    async def _listen_for(self, action: ListenForWord, occasion: Occasion) -> Inverse:
        device = self._the_device()
        before = device.wake_words
        try:
            await device.waking.choose(device.usual_words if action.words is None else action.words)
        except ModelError:
            raise Refused("system.no_wake_words") from None
        return (ListenForWord(before),)

    async def _mute(self, action: MuteMicrophone, occasion: Occasion) -> Inverse:
        device = self._the_device()
        device.set_muted(True, aloud=False)
        self._forget_time()
        if action.seconds and self.tasks is not None:
            self._muted_until = self.tasks.create_task(self._listen_again(action.seconds))
        return (UnmuteMicrophone(),)

    async def _listen_again(self, seconds: float) -> None:
        await self._later(seconds)
        self._muted_until = None
        self._the_device().set_muted(False)

    async def _unmute(self, action: UnmuteMicrophone, occasion: Occasion) -> Inverse:
        self._forget_time()
        self._the_device().set_muted(False, aloud=False)
        return (MuteMicrophone(),)

    def _forget_time(self) -> None:
        if self._muted_until is not None:
            self._muted_until.cancel()
        self._muted_until = None

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Run something beside the turn, until it ends or the house closes; None while the house is not open."""
        if self.tasks is None:
            work.close()
            return None
        task = self.tasks.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)
        return task

    def stop(self) -> None:
        """Nothing waits any more."""
        self._forget_time()
        for task in self._beside:
            task.cancel()

    async def _system(self, action: SystemAction, occasion: Occasion) -> Inverse:
        if not await self._run(power.may, action.what, self._bus):
            raise Refused("system.not_allowed")
        assert self.tasks is not None, "somebody talks, so the house is open"
        self.tasks.create_task(self._part(action.what))
        return None

    async def _part(self, what: power.What) -> None:
        await self._later(PARTING_S)
        await self._run(power.do, what, self._bus)

    def _the_device(self) -> LocalDevice:
        assert self.device is not None, "offered only where there is one"
        return self.device
