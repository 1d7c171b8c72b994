"""Paired places as the rest of the server knows them: who they are, how they like to be spoken to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from appliance.language import LANGUAGES, Language
from appliance.server.access import LOCAL, Role, Visitor
from appliance.state.tokens import Place, TokenStore

Run = Callable[..., Awaitable[Any]]


class Places:
    """run: for what touches the disk, in `tasks`: it keeps nobody waiting."""

    def __init__(self, tokens: TokenStore, run: Run, tasks: asyncio.TaskGroup) -> None:
        self._tokens, self._run, self._tasks = tokens, run, tasks
        self._latest: dict[str, tuple[Language, int]] = {}
        """What is on its way to the disk, for those who come back before it is there (a page that is loaded again)."""

    def known(self, token: str) -> Visitor | None:
        """Whose token it is (access.Known); notes about once a day that the place was here."""
        place = self._tokens.find(token)
        if place is None:
            return None
        if self._tokens.is_stale(place):
            self._change(place.id, seen=True)
        return Visitor(place.id, Role[place.role.upper()], place.name)

    def may_stay(self, visitor: Visitor) -> bool:
        """Whether somebody who was let in would be let in still."""
        return visitor == LOCAL or not visitor.name or self._tokens.has(visitor.id)

    def wishes(self, visitor: Visitor) -> tuple[Language | None, int | None]:
        """(language, volume in percent) of last time, as far as a place has any."""
        place = self._place(visitor)
        if place is None:
            return None, None
        if place.id in self._latest:
            return self._latest[place.id]
        language = next((one for one in LANGUAGES if one == place.language), None)
        return language, None if place.volume < 0 else place.volume

    def remember(self, visitor: Visitor, language: Language, volume: int) -> None:
        """Keep them for next time."""
        place = self._place(visitor)
        if place is not None and self.wishes(visitor) != (language, volume):
            self._latest[place.id] = (language, volume)
            self._change(place.id, language=language, volume=volume)

    def _place(self, visitor: Visitor) -> Place | None:
        return next((place for place in self._tokens.places() if place.id == visitor.id), None)

    def _change(self, id: str, **what: Any) -> None:
        async def change() -> None:
            await self._run(lambda: self._tokens.change(id, **what))
            if self._latest.get(id) == (what.get("language"), what.get("volume")):
                del self._latest[id]

        self._tasks.create_task(change())
