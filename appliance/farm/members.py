"""Who is in the farm: workers and what they can do, web nodes, and how full Redis is. Each says so once a second."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field

from appliance.farm import keys
from appliance.farm.link import Link
from appliance.hearing.transcript import PoolStats
from appliance.language import LANGUAGES, Language

SAY_S = 0.5
"""How often a member says that it is here, and hears who else is."""

FULL = 0.8
"""Of Redis' memory: beyond this no new utterance is taken in. The rest is for those under way."""

STREAMS = tuple(name(language) for language in LANGUAGES for name in (keys.work, keys.clauses))


@dataclass(frozen=True)
class Ability:
    """What one worker says of itself."""

    hear: Mapping[Language, str] = field(default_factory=dict)
    """Language → its recognizer's name."""
    speak: Mapping[Language, str] = field(default_factory=dict)
    slots: int = 0
    """Utterances that it takes at once."""
    hearing: PoolStats = PoolStats(0, 0, 0, 0, 0.0, 0.0)
    speaking: PoolStats = PoolStats(0, 0, 0, 0, 0.0, 0.0)

    def encode(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: bytes | str) -> Ability:
        fields = json.loads(text)
        return cls(
            fields["hear"],
            fields["speak"],
            fields["slots"],
            PoolStats(**fields["hearing"]),
            PoolStats(**fields["speaking"]),
        )


@dataclass(frozen=True)
class Load:
    """How far behind the farm is."""

    lag: int = 0
    """Utterances that no worker has taken yet."""
    oldest_s: float = 0.0
    """Since when the longest unfinished one is open."""
    memory: float = 0.0
    """Share of what Redis may use; 0 where it has no limit."""
    counts: Mapping[str, int] = field(default_factory=dict)


class Members:
    """Everybody who is in the farm, as of a moment ago. Belongs to one event loop."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.workers: dict[str, Ability] = {}
        self.nodes: frozenset[str] = frozenset()
        self.load = Load()
        self._models: dict[str, dict[Language, str]] = {"hear": {}, "speak": {}}
        """Of those who were here last, too: a language is not gone because its only worker starts again."""

    def models(self, faculty: str) -> Mapping[Language, str]:
        """faculty: "hear" or "speak". Language → name of what does it."""
        return self._models[faculty]

    def pool(self, of: Callable[[Ability], PoolStats]) -> PoolStats:
        """All workers' pools as one."""
        pools = [of(worker) for worker in self.workers.values()]
        return (
            PoolStats(
                *(
                    sum(values)
                    for values in zip(
                        *((one.made, one.in_use, one.waiting, one.limit, one.audio_s, one.work_s) for one in pools),
                        strict=True,
                    )
                )
            )
            if pools
            else PoolStats(0, 0, 0, 0, 0.0, 0.0)
        )

    async def say(self, ability: Ability | None) -> None:
        """Be here as a worker that can do this, or as a web node (None). Raises Lost."""
        own, other = (keys.NODES, keys.WORKERS) if ability is None else (keys.WORKERS, keys.NODES)
        says = "" if ability is None else ability.encode()
        alive = await self._link.script(
            "present", [own, *(STREAMS if ability else ())], self._link.name, says, keys.ALIVE_MS, keys.GROUP
        )
        others = await self._link.script("present_others", [other])
        self._take(alive if ability else others, others if ability else alive)

    async def leave(self, role: str) -> None:
        """Be gone. role: keys.WORKERS or keys.NODES."""
        await self._link.call("HDEL", role, self._link.name)
        if role == keys.WORKERS:
            for stream in STREAMS:
                await self._link.script("leave", [stream], keys.GROUP, self._link.name)

    async def look(self) -> None:
        """How far behind everything is. Raises Lost."""
        lag, oldest_ms = 0, 0
        memory, counts, (seconds, _), *streams = await asyncio.gather(
            self._link.call("INFO", "memory"),
            self._link.call("HGETALL", keys.COUNTS),
            self._link.call("TIME"),
            *(self._link.script("behind", [keys.work(language)], keys.GROUP) for language in LANGUAGES),
        )
        for waiting, first_ms in streams:
            lag += waiting
            oldest_ms = min(filter(None, (oldest_ms, int(first_ms))), default=0)
        limit = int(memory.get("maxmemory", 0))
        self.load = Load(
            lag,
            max(0.0, int(seconds) - oldest_ms / 1000) if oldest_ms else 0.0,
            int(memory["used_memory"]) / limit if limit else 0.0,
            {name.decode(): int(count) for name, count in counts.items()},
        )

    def _take(self, workers: list[bytes], nodes: list[bytes]) -> None:
        self.workers = {who.decode(): Ability.decode(says) for who, says in _pairs(workers)}
        self.nodes = frozenset(who.decode() for who, _ in _pairs(nodes))
        for faculty, models in self._models.items():
            here: dict[Language, str] = {}
            for worker in self.workers.values():
                here |= worker.hear if faculty == "hear" else worker.speak
            models |= here


def _pairs(flat: list[bytes]) -> list[tuple[bytes, bytes]]:
    return list(zip(flat[::2], flat[1::2], strict=True))
