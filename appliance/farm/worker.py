"""A worker: hears and speaks for web nodes elsewhere, keeps nothing, and may be killed at any moment."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Protocol

from appliance.faculties import Ears, Mouth
from appliance.farm import keys
from appliance.farm.hearing import Hearer
from appliance.farm.link import Link, Lost, each, unless_lost
from appliance.farm.members import SAY_S, Ability, Members
from appliance.farm.speaking import Speaker, Voices

log = logging.getLogger(__name__)


class VoicesWithNames(Voices, Mouth, Protocol):  # type: ignore[misc]
    """A Synthesizer."""


class Worker:
    """ears, mouth: what it works with; languages that they lack are left to others.

    slots: utterances at once. voices: threads that speak.
    """

    def __init__(self, link: Link, ears: Ears, mouth: VoicesWithNames, slots: int, voices: int = 1) -> None:
        self._link, self._ears, self._mouth, self._slots, self._voices = link, ears, mouth, slots, voices
        self._members = Members(link)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; then finish what was taken, and leave nothing behind. The link must be open."""
        hearer = Hearer(self._link, self._members, self._ears, self._slots)
        speaker = Speaker(self._link, self._mouth, self._voices)
        async with asyncio.TaskGroup() as tasks:
            carrying = tasks.create_task(self._link.run())
            saying = tasks.create_task(self._say_what_we_can())
            working = [tasks.create_task(hearer.run()), tasks.create_task(speaker.run())]
            listening = tasks.create_task(
                unless_lost(
                    self._link, lambda: each(self._link.listen(keys.STOP), lambda _, name: speaker.stop(name.decode()))
                )
            )
            await stop.wait()
            log.info("finishing what was taken")
            hearer.is_draining = speaker.is_draining = True
            await asyncio.wait(working)
            saying.cancel()
            listening.cancel()
            with suppress(Lost):
                await self._members.leave(keys.WORKERS)
            carrying.cancel()

    async def _say_what_we_can(self) -> None:
        while True:
            with suppress(Lost):
                await self._members.say(
                    Ability(
                        dict(self._ears.names),
                        dict(self._mouth.names),
                        self._slots,
                        self._ears.stats,
                        self._mouth.stats,
                    )
                )
            await asyncio.sleep(SAY_S)
