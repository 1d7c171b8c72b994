"""An utterance as a worker follows it in Redis: a Source."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from appliance.audio.handed import Handed
from appliance.farm.link import BLOCK_MS, Link, Lost
from appliance.farm.taking import Abandoned

SILENT_S = 10.0
"""Nothing has come for so long, and its web node is gone: nobody will finish it here."""
FORGOTTEN_S = 60.0
"""… and whether it is gone or not."""


class Stream(Handed):
    """The samples of one stream of pieces. `follow` must be running; then it is read as any Source."""

    def __init__(self, link: Link, name: str, is_followed: Callable[[], bool]) -> None:
        """is_followed: whether whoever sends is there still."""
        super().__init__()
        self._link, self._name, self._is_followed = link, name, is_followed

    async def follow(self) -> None:
        """Take in pieces until the end, whatever happens to Redis meanwhile. Raises Abandoned."""
        last, clock = b"0", asyncio.get_running_loop().time
        came_at = clock()
        while not self.ended:
            try:
                reply = await self._link.read("XREAD", "COUNT", 100, "BLOCK", BLOCK_MS, "STREAMS", self._name, last)
            except Lost:
                await self._link.up()
                came_at = clock()
                continue
            for _, entries in reply or ():
                for id, fields in entries:
                    last = id
                    self.put(fields[b"pcm"], b"end" in fields)
                came_at = clock()
            silent_s = clock() - came_at
            if silent_s > FORGOTTEN_S or silent_s > SILENT_S and not self._is_followed():
                raise Abandoned(f"nothing has come for {silent_s:.0f} s")
