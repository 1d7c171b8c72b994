"""For households of several languages: every recognizer hears the same sound, and the best understanding wins.

Costs as much processor time again for every further language (`make bench-hearing` measures it), so it is off unless
STIMME_HEAR_BOTH is set. Partial transcripts are those of the language that the page or device is set to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace

from appliance.audio.handed import Handed
from appliance.audio.pcm import Source
from appliance.faculties import Ears
from appliance.hearing.transcript import Final, PoolStats
from appliance.language import Language

Understood = Callable[[str, Language], Awaitable[bool]]
"""Whether a text means anything in a language."""

PREFERENCE = 0.05
"""How much surer another language must be than the one that is set."""


class BothEars:
    """A pool whose finals say in which of its languages they were heard."""

    def __init__(self, pool: Ears, understood: Understood) -> None:
        self._pool = pool
        self._understood = understood

    @property
    def languages(self) -> Collection[Language]:
        return self._pool.languages

    @property
    def names(self) -> Mapping[Language, str]:
        return self._pool.names

    @property
    def stats(self) -> PoolStats:
        return self._pool.stats

    async def transcribe(
        self,
        source: Source,
        language: Language,
        *,
        on_partial: Callable[[str], None],
        on_place: Callable[[int], None] | None = None,
        turn: str = "",
    ) -> Final:
        """As RecognizerPool.transcribe; the final's `language` is the one that was understood best."""
        branches = {one: Handed(source.rate) for one in self.languages}
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_share(source, list(branches.values())))
            hearing = {
                one: tasks.create_task(
                    self._pool.transcribe(
                        branch,
                        one,
                        on_partial=on_partial if one == language else _unheeded,
                        on_place=on_place if one == language else None,
                        turn=turn and f"{turn}/{one}",
                    )
                )
                for one, branch in branches.items()
            }
        finals = {one: task.result() for one, task in hearing.items()}
        ranks = {one: await self._rank(final, one, language) for one, final in finals.items()}
        best = max(finals, key=ranks.__getitem__)
        return replace(finals[best], language=best)

    async def _rank(self, final: Final, language: Language, wanted: Language) -> tuple[bool, float]:
        means_something = bool(final.text) and await self._understood(final.text, language)
        return means_something, final.confidence + (PREFERENCE if language == wanted else 0.0)


def _unheeded(_: str) -> None:
    """A partial transcript in the language that is not set."""


async def _share(source: Source, branches: list[Handed]) -> None:
    while True:
        pcm = await source.read()
        for branch in branches:
            branch.put(pcm, not pcm)
        if not pcm:
            return
