"""Taking work from Redis and holding on to it: what hearing and speaking have in common.

Who owns a piece of work is decided in Redis alone (lua/take.lua, beat.lua, and whatever ends it). What is lost here,
because this worker was killed or slept, is begun again by another: sound moves, state never does.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from appliance.errors import StimmeError
from appliance.farm import keys
from appliance.farm.link import Link, Lost, Refused, unless_lost
from appliance.language import Language

log = logging.getLogger(__name__)

BEAT_S = 0.25
SILENT_MS = 1000
"""Work whose worker gave no sign for so long is taken over …"""
LOOK_S = 0.2
"""… by whoever looks first; so soon."""
TAKEN_AT_ONCE = 4
"""Pieces of work that one look takes over: the others' workers take the rest."""
MOST_TIMES = 8
"""Taken so often, it is what breaks its workers."""
TAKE_MS = 250
"""How long to wait for the next one; a worker that stops waits this long."""

Fields = dict[bytes, bytes]


class Abandoned(StimmeError):
    """Nobody wants this work done any more."""


@dataclass(eq=False)
class Held:
    """What this worker is at work on: an utterance, or a clause."""

    turn: str
    attempt: int
    language: Language
    entry: bytes
    fields: Fields
    mark: str
    """Names this worker and this taking; nobody else has it."""
    node: str = ""
    """The web node that it is for."""
    times: int = 0
    """How often it was taken, this time included."""
    task: asyncio.Task[None] | None = None
    is_ours: bool = False
    """Redis has the mark."""


class Taker(ABC):
    """Takes from a stream for each language. slots: how much at once."""

    def __init__(self, link: Link, languages: Sequence[Language], stream: Callable[[str], str], slots: int) -> None:
        self.link, self.languages, self.stream = link, tuple(languages), stream
        self.is_draining = False
        self._free = asyncio.Semaphore(slots)
        self._held: dict[str, Held] = {}
        self._count = itertools.count(1)

    @abstractmethod
    async def work(self, held: Held) -> None:
        """Do it, and hand over what came of it. Raises Abandoned, or Lost: then somebody takes it over."""

    async def run(self) -> None:
        """Work until `is_draining`, and until all that was taken is done. May be cancelled."""
        if not self.languages:
            return
        async with asyncio.TaskGroup() as tasks:
            beating = tasks.create_task(unless_lost(self.link, self._beat))
            looking = tasks.create_task(unless_lost(self.link, lambda: self._take_over(tasks)))
            await self._take(tasks)
            looking.cancel()
            while working := [held.task for held in self._held.values() if held.task is not None]:
                await asyncio.wait(working)
            beating.cancel()

    def stop(self, turn: str) -> None:
        """It is not wanted any more."""
        for held in self._held.values():
            if held.turn == turn and held.task is not None:
                held.task.cancel()

    async def _take(self, tasks: asyncio.TaskGroup) -> None:
        streams = {self.stream(language): language for language in self.languages}
        while not self.is_draining:
            await self._free.acquire()
            try:
                reply = await self._next(list(streams))
            except Lost:
                self._free.release()
                await self.link.up()
                continue
            if not reply:
                self._free.release()
            for name, entries in reply:
                for number, (entry, fields) in enumerate(entries):
                    if number:
                        await self._free.acquire()
                    self._begin(tasks, streams[name.decode()], entry, fields)

    async def _next(self, streams: list[str]) -> list[tuple[bytes, list[tuple[bytes, Fields]]]]:
        """The next entry of any stream, if one comes soon. Makes the groups if need be: Redis may have been emptied."""
        command = ("XREADGROUP", "GROUP", keys.GROUP, self.link.name, "COUNT", 1, "BLOCK", TAKE_MS, "STREAMS")
        try:
            reply = await self.link.read(*command, *streams, *(">" for _ in streams))
        except Refused as error:
            if "NOGROUP" not in str(error):
                raise
            await self._make_groups(streams)
            return []
        return reply or []

    async def _make_groups(self, streams: list[str]) -> None:
        for stream in streams:
            try:
                await self.link.call("XGROUP", "CREATE", stream, keys.GROUP, "0", "MKSTREAM")
            except Refused as error:
                if "BUSYGROUP" not in str(error):
                    raise

    async def _take_over(self, tasks: asyncio.TaskGroup) -> None:
        cursors: dict[Language, bytes] = dict.fromkeys(self.languages, b"0-0")
        while True:
            await asyncio.sleep(LOOK_S)
            for language in self.languages:
                if self._free.locked() or self.is_draining:
                    break
                try:
                    cursors[language], entries, *_ = await self.link.call(
                        "XAUTOCLAIM",
                        self.stream(language),
                        keys.GROUP,
                        self.link.name,
                        SILENT_MS,
                        cursors[language],
                        "COUNT",
                        TAKEN_AT_ONCE,
                    )
                except Refused as error:
                    if "NOGROUP" not in str(error):
                        raise
                    continue
                for entry, fields in entries:
                    if self._free.locked():
                        break  # somebody else claims it after a second more
                    await self._free.acquire()
                    self._begin(tasks, language, entry, fields)

    def _begin(self, tasks: asyncio.TaskGroup, language: Language, entry: bytes, fields: Fields) -> None:
        mark = f"{self.link.name}:{next(self._count)}"
        held = self._held[mark] = Held(fields[b"turn"].decode(), int(fields[b"attempt"]), language, entry, fields, mark)
        held.task = tasks.create_task(self._hold(held))
        held.task.add_done_callback(lambda _: self._let_go(held))

    def _let_go(self, held: Held) -> None:
        del self._held[held.mark]
        self._free.release()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            held = [one for one in self._held.values() if one.is_ours]
            if not held:
                continue
            arguments = [value for one in held for value in (one.mark, self.stream(one.language), one.entry)]
            lost = await self.link.script(
                "beat", [keys.owner(one.turn) for one in held], keys.GROUP, self.link.name, keys.UTTERANCE_S, *arguments
            )
            for number in lost:
                if (task := held[number - 1].task) is not None:
                    task.cancel()

    async def _hold(self, held: Held) -> None:
        try:
            answer = await self.link.script(
                "take",
                [keys.owner(held.turn), self.stream(held.language), keys.COUNTS],
                held.entry,
                keys.GROUP,
                self.link.name,
                held.mark,
                held.attempt,
                keys.UTTERANCE_S,
            )
            if answer:
                held.is_ours = True
                held.node, held.times = answer[0].decode(), int(answer[1])
                await self.work(held)
        except Abandoned:
            self.link.post_script(
                "forget",
                [keys.owner(held.turn), self.stream(held.language), keys.sound(held.turn, held.attempt)],
                held.attempt,
                keys.GROUP,
            )
        except Lost:
            return  # it is still pending: somebody takes it over
        except Exception:
            log.exception("a piece of work failed; somebody else tries")
