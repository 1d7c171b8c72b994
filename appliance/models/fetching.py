"""Models fetched beside the running assistant because somebody asked for it, and how far they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from appliance.models.better import fetch_beside
from appliance.models.catalogue import by_name

LOOK_S = 1.0
"""How often it is looked how much has arrived."""


class Fetching:
    """directory: where models are. changed: called when there is something new to tell. fetch: see fetch_beside."""

    def __init__(
        self,
        directory: Path,
        changed: Callable[[], None],
        fetch: Callable[[list[str], Path], Coroutine[Any, Any, None]] = fetch_beside,
    ) -> None:
        self.shares: dict[str, float] = {}
        """Model → how much of it is here, 0 … 1; −1 for one that could not be fetched."""
        self._directory, self._changed, self._fetch = directory, changed, fetch

    async def get(self, name: str) -> None:
        """Fetch it, unless that is under way. Interrupted, it goes on from there the next time."""
        model = by_name(name)
        if model is None or not model.source or 0 <= self.shares.get(name, -1) < 1:
            return
        self._say(name, 0.0)
        async with asyncio.TaskGroup() as tasks:
            fetching = tasks.create_task(self._fetch([name], self._directory))
            while not (await asyncio.wait([fetching], timeout=LOOK_S))[0]:
                self._say(name, min(0.99, self._here_bytes([file.name for file in model.files]) / model.size_bytes))
        self._say(name, 1.0 if (self._directory / name).exists() else -1.0)

    def _here_bytes(self, names: list[str]) -> int:
        incoming = self._directory / ".incoming"
        paths = [incoming / f"{name}{suffix}" for name in names for suffix in ("", ".part")]
        return sum(path.stat().st_size for path in paths if path.exists())

    def _say(self, name: str, share: float) -> None:
        if self.shares.get(name) != share:
            self.shares[name] = share
            self._changed()
