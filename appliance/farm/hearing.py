"""A worker's share of hearing: follows utterances live, and commits one transcript each."""

from __future__ import annotations

import asyncio
import json
import logging

from appliance.faculties import Ears
from appliance.farm import keys
from appliance.farm.ears import NOT_HEARD, encoded
from appliance.farm.link import Link, Lost
from appliance.farm.members import Members
from appliance.farm.stream import Stream
from appliance.farm.taking import MOST_TIMES, Abandoned, Held, Taker
from appliance.hearing.transcript import Final

log = logging.getLogger(__name__)


class Hearer(Taker):
    """Hears for the farm with a pool of recognizers. slots: utterances taken at once, waiting ones in the pool too."""

    def __init__(self, link: Link, members: Members, ears: Ears, slots: int) -> None:
        super().__init__(link, tuple(ears.languages), keys.work, slots)
        self._members, self._ears = members, ears

    async def work(self, held: Held) -> None:
        if held.times > MOST_TIMES:
            log.error("an utterance was given up after %d workers had failed at it", held.times - 1)
            await self._commit(held, NOT_HEARD)
        else:
            await self._commit(held, encoded(await self._hear(held)))

    async def _hear(self, held: Held) -> Final:
        def tell(text: str | None) -> None:
            self.link.post("PUBLISH", keys.news(held.node), json.dumps([held.turn, held.times, text]))

        source = Stream(self.link, keys.sound(held.turn, held.attempt), lambda: held.node in self._members.nodes)
        tell(None)
        try:
            async with asyncio.TaskGroup() as tasks:
                following = tasks.create_task(source.follow())
                final = await self._ears.transcribe(source, held.language, on_partial=tell)
                following.cancel()
        except* Abandoned as group:
            raise Abandoned("nobody goes on with it") from group
        return final

    async def _commit(self, held: Held, text: str) -> None:
        """Hand the transcript over, if it is still wanted from us. Doing so twice does it once."""
        while True:
            try:
                await self.link.script(
                    "commit",
                    [
                        keys.owner(held.turn),
                        keys.final(held.turn),
                        keys.work(held.language),
                        keys.sound(held.turn, held.attempt),
                        keys.COUNTS,
                    ],
                    held.mark,
                    held.entry,
                    keys.GROUP,
                    held.turn,
                    held.attempt,
                    text,
                    keys.FINAL_S,
                    keys.inbox(""),
                )
                return
            except Lost:
                await self.link.up()
