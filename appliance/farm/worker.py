"""A worker: hears and speaks for web nodes elsewhere, keeps nothing, and may be killed at any moment."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from appliance.conversation import Ears, Mouth
from appliance.farm import keys
from appliance.farm.hearing import Hearer
from appliance.farm.link import Link, Lost
from appliance.farm.members import SAY_S, Ability, Members

log = logging.getLogger(__name__)


class Worker:
    """ears, mouth: what it works with; languages that they lack are left to others. slots: utterances at once."""

    def __init__(self, link: Link, ears: Ears, mouth: Mouth, slots: int) -> None:
        self._link, self._ears, self._mouth, self._slots = link, ears, mouth, slots
        self._members = Members(link)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; then finish what was taken, and leave nothing behind. The link must be open."""
        hearer = Hearer(self._link, self._members, self._ears, self._slots)
        async with asyncio.TaskGroup() as tasks:
            carrying = tasks.create_task(self._link.run())
            saying = tasks.create_task(self._say_what_we_can())
            hearing = tasks.create_task(hearer.run())
            await stop.wait()
            log.info("finishing what was taken")
            hearer.is_draining = True
            await asyncio.wait([hearing])
            saying.cancel()
            with suppress(Lost):
                await self._members.leave(keys.WORKERS)
            carrying.cancel()

    async def _say_what_we_can(self) -> None:
        while True:
            with suppress(Lost):
                await self._members.say(Ability(
                    dict(self._ears.names), dict(self._mouth.names), self._slots, self._ears.stats, self._mouth.stats))
            await asyncio.sleep(SAY_S)
