"""A worker's share of hearing: takes utterances, follows them live, takes over those whose worker fell silent.

Who owns an utterance is decided in Redis alone (lua/take.lua, beat.lua, commit.lua). What is lost here, because this
worker was killed or slept, is heard again from its beginning by another: sound moves, state never does.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.conversation import Ears
from appliance.farm import keys
from appliance.farm.ears import NOT_HEARD, encoded
from appliance.farm.link import Link, Lost, Refused, unless_lost
from appliance.farm.members import Members
from appliance.farm.stream import Abandoned, Stream
from appliance.hearing.transcript import Final
from appliance.language import Language

log = logging.getLogger(__name__)

BEAT_S = 0.25
SILENT_MS = 1000
"""An utterance whose worker gave no sign for so long is taken over …"""
LOOK_S = 0.2
"""… by whoever looks first; so soon."""
TAKEN_AT_ONCE = 4
"""Utterances that one look takes over: the others' workers take the rest."""
MOST_TIMES = 8
"""Taken so often, an utterance is what breaks its workers."""
TAKE_MS = 250
"""How long to wait for the next utterance; a worker that stops waits this long."""


@dataclass(eq=False)
class _Held:
    """An utterance that this worker is at work on."""

    turn: str
    attempt: int
    language: Language
    entry: bytes
    mark: str
    """Names this worker and this taking; nobody else has it."""
    task: asyncio.Task[None] | None = None
    is_ours: bool = False
    """Redis has the mark."""


class Hearer:
    """Hears for the farm with a pool of recognizers. slots: utterances taken at once, waiting ones in the pool too."""

    def __init__(self, link: Link, members: Members, ears: Ears, slots: int) -> None:
        self._link, self._members, self._ears = link, members, ears
        self._slots = slots
        self._free = asyncio.Semaphore(slots)
        self._held: dict[str, _Held] = {}
        self._count = itertools.count(1)
        self.is_draining = False

    @property
    def languages(self) -> Sequence[Language]:
        return tuple(self._ears.languages)

    async def run(self) -> None:
        """Hear until `is_draining`, and until all that was taken is heard. May be cancelled."""
        async with asyncio.TaskGroup() as tasks:
            beating = tasks.create_task(unless_lost(self._link, self._beat))
            looking = tasks.create_task(unless_lost(self._link, lambda: self._take_over(tasks)))
            await self._take(tasks)
            looking.cancel()
            while working := [held.task for held in self._held.values() if held.task is not None]:
                await asyncio.wait(working)
            beating.cancel()

    # Which utterances

    async def _take(self, tasks: asyncio.TaskGroup) -> None:
        streams = {keys.work(language): language for language in self.languages}
        while not self.is_draining:
            await self._free.acquire()
            try:
                reply = await self._next(list(streams))
            except Lost:
                self._free.release()
                await self._link.up()
                continue
            if not reply:
                self._free.release()
            for name, entries in reply or ():
                for entry, fields in entries:
                    self._begin(tasks, streams[name.decode()], entry, fields)

    async def _next(self, streams: list[str]) -> list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]:
        """The next entry of any stream, if one comes soon. Makes the groups if need be: Redis may have been emptied."""
        command = ("XREADGROUP", "GROUP", keys.GROUP, self._link.name, "COUNT", 1, "BLOCK", TAKE_MS, "STREAMS")
        try:
            reply = await self._link.read(*command, *streams, *(">" for _ in streams))
        except Refused as error:
            if "NOGROUP" not in str(error):
                raise
            await self.make_groups(streams)
            return []
        return reply or []

    async def make_groups(self, streams: list[str]) -> None:
        for stream in streams:
            try:
                await self._link.call("XGROUP", "CREATE", stream, keys.GROUP, "0", "MKSTREAM")
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
                    cursors[language], entries, *_ = await self._link.call(
                        "XAUTOCLAIM", keys.work(language), keys.GROUP, self._link.name, SILENT_MS, cursors[language],
                        "COUNT", TAKEN_AT_ONCE)
                except Refused as error:
                    if "NOGROUP" not in str(error):
                        raise
                    continue
                for entry, fields in entries:
                    if self._free.locked():
                        break  # somebody else claims it after a second more
                    await self._free.acquire()
                    self._begin(tasks, language, entry, fields)

    def _begin(
        self, tasks: asyncio.TaskGroup, language: Language, entry: bytes, fields: dict[bytes, bytes]
    ) -> None:
        turn, attempt = fields[b"turn"].decode(), int(fields[b"attempt"])
        mark = f"{self._link.name}:{next(self._count)}"
        held = self._held[mark] = _Held(turn, attempt, language, entry, mark)
        held.task = tasks.create_task(self._hold(held))
        held.task.add_done_callback(lambda _: self._let_go(held))

    def _let_go(self, held: _Held) -> None:
        del self._held[held.mark]
        self._free.release()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            held = [one for one in self._held.values() if one.is_ours]
            if not held:
                continue
            arguments = [value for one in held for value in (one.mark, keys.work(one.language), one.entry)]
            lost = await self._link.script(
                "beat", [keys.owner(one.turn) for one in held], keys.GROUP, self._link.name, keys.UTTERANCE_S,
                *arguments)
            for number in lost:
                if (task := held[number - 1].task) is not None:
                    task.cancel()

    # One utterance

    async def _hold(self, held: _Held) -> None:
        try:
            answer = await self._link.script(
                "take", [keys.owner(held.turn), keys.work(held.language), keys.COUNTS], held.entry, keys.GROUP,
                self._link.name, held.mark, held.attempt, keys.UTTERANCE_S)
            if not answer:
                return
            held.is_ours = True
            node, times = answer[0].decode(), int(answer[1])
            if times > MOST_TIMES:
                log.error("an utterance was given up after %d workers had failed at it", times - 1)
                text = NOT_HEARD
            else:
                text = encoded(await self._hear(held, node, times))
            await self._commit(held, text)
        except Abandoned:
            self._link.post_script(
                "forget", [keys.owner(held.turn), keys.work(held.language), keys.sound(held.turn, held.attempt)],
                held.attempt, keys.GROUP)
        except Lost:
            return  # it is still pending: somebody takes it over
        except Exception:
            log.exception("an utterance could not be heard; somebody else tries")

    async def _hear(self, held: _Held, node: str, times: int) -> Final:
        def tell(text: str | None) -> None:
            self._link.post("PUBLISH", keys.news(node), json.dumps([held.turn, times, text]))

        source = Stream(self._link, keys.sound(held.turn, held.attempt), lambda: node in self._members.nodes)
        tell(None)
        try:
            async with asyncio.TaskGroup() as tasks:
                following = tasks.create_task(source.follow())
                final = await self._ears.transcribe(source, held.language, on_partial=tell)
                following.cancel()
        except* Abandoned as group:
            raise Abandoned("nobody goes on with it") from group
        return final

    async def _commit(self, held: _Held, text: str) -> None:
        """Hand the transcript over, if it is still wanted from us. Doing so twice does it once."""
        while True:
            try:
                await self._link.script(
                    "commit", [keys.owner(held.turn), keys.final(held.turn), keys.work(held.language),
                               keys.sound(held.turn, held.attempt), keys.COUNTS],
                    held.mark, held.entry, keys.GROUP, held.turn, held.attempt, text, keys.FINAL_S, keys.inbox(""))
                return
            except Lost:
                await self._link.up()
