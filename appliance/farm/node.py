"""A web node: what app.py hands to conversations instead of the local pools when there is a farm."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from appliance.farm import keys
from appliance.farm.address import Address
from appliance.farm.ears import FarmEars
from appliance.farm.link import Link, Lost, each, unless_lost
from appliance.farm.members import SAY_S, Members
from appliance.farm.mouth import FarmMouth
from appliance.farm.visits import Visits

log = logging.getLogger(__name__)


class Node:
    """changed: called when another node has changed what is durable."""

    def __init__(self, address: Address) -> None:
        self.link = Link(address, "web")
        self.members = Members(self.link)
        self.ears = FarmEars(self.link, self.members)
        self.mouth = FarmMouth(self.link, self.members)
        self.visits = Visits(self.link)
        self.paired: Callable[[Any], None] = lambda snapshot: None
        """Called with what another node tells of its pairing code."""
        self.changed: Callable[[], None] = lambda: None
        self.here = asyncio.Event()
        """Set once this node knows who else is there."""

    async def open(self) -> None:
        """Connect, and see who is there. Raises ConfigError."""
        await self.link.open()

    async def run(self) -> None:
        """Be a member of the farm until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.link.run())
                tasks.create_task(self._be_here())
                tasks.create_task(self.ears.run())
                tasks.create_task(
                    unless_lost(self.link, lambda: each(self.link.listen(keys.CHANGED, keys.PAIRING), self._heard))
                )
        finally:
            await self.link.close()

    def tell_pairing(self, snapshot: tuple[Any, ...]) -> None:
        """Tell the other nodes of this one's pairing code."""
        self.link.post("PUBLISH", keys.PAIRING, json.dumps([self.link.name, *snapshot]))

    def _heard(self, channel: str, message: bytes) -> None:
        if channel == keys.CHANGED:
            self.changed()
        else:
            name, *snapshot = json.loads(message)
            if name != self.link.name:
                self.paired(snapshot)

    @property
    def figures(self) -> Mapping[str, float]:
        """For server/metrics.py."""
        load = self.members.load
        return {
            "workers": len(self.members.workers),
            "lag": load.lag,
            "oldest_seconds": load.oldest_s,
            "memory_ratio": load.memory,
            "losses": self.link.times_lost,
            **load.counts,
        }

    async def _be_here(self) -> None:
        while True:
            with suppress(Lost):
                await self.members.say(None)
                await self.members.look()
                self.here.set()
            await asyncio.sleep(SAY_S)
