"""People speak while something dies: every transcript must be as if nothing had, exactly once, and every effect once.

    python -m tests.farm.chaos --rounds 200 --people 20 --seed 7

A round: everybody says a sentence in real time, beginning within two seconds; in the midst of it one thing happens.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from appliance import turns
from appliance.audio.pcm import RATE, SAMPLE_BYTES
from appliance.dialogue.actions import Action
from appliance.dialogue.types import Answer, Considered, Intent, Memory, Reply
from appliance.faculties import Faculties
from appliance.farm.database import SharedDatabase
from appliance.farm.node import Node
from appliance.language import Language
from appliance.session import Session
from appliance.sessions import Sessions
from appliance.state.lists import ListStore
from tests.support.crowd import crowd
from tests.support.faculties import willing
from tests.support.farm import Cable, RedisServer, WorkerProcess, redis_server, web_node

CHUNK_S = 0.05
FROZEN_S, CUT_S = 3.0, 5.0
BEGIN_WITHIN_S = 2.0


class EffectMind:
    """Puts what was heard on a list, once a turn: an effect that everybody can count afterwards."""

    def __init__(self, lists: ListStore) -> None:
        self._lists = lists

    async def answer(
        self,
        text: str,
        language: Language,
        memory: Memory,
        *,
        turn: str = "",
        margin: float = 1.0,
        considered: Considered | None = None,
    ) -> Answer:
        await asyncio.to_thread(self._lists.add, "heard", [f"{turn} {text}"], f"{turn}/0")
        return Answer(Reply("", language), Intent("Echo", text, language), 0.0, 0.0)

    async def consider(self, text: str, language: Language, memory: Memory) -> Considered:
        raise NotImplementedError("nobody listens along here")

    async def completeness(self, text: str, language: Language, memory: Memory) -> str:
        return "unknown"

    async def joined(self, first: str, second: str, language: Language, memory: Memory) -> str:
        return ""

    async def take_back(self, memory: Memory, before: Memory, language: Language, turn: str) -> Sequence[Action]:
        raise NotImplementedError("nothing is said in two pieces here")


@dataclass
class Figures:
    rounds: int = 0
    turns: int = 0
    lost: int = 0
    twice: int = 0
    wrong: int = 0
    extra_s: list[float] = field(default_factory=list)
    """By how much later than undisturbed each transcript came, of rounds with a fault."""
    by_fault: dict[str, list[float]] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        return {
            "chaos": {
                "rounds": self.rounds,
                "turns": self.turns,
                "lost": self.lost,
                "twice": self.twice,
                "wrong": self.wrong,
            },
            "recovery_s": {"p50": _percentile(self.extra_s, 50), "p99": _percentile(self.extra_s, 99)},
            "by_fault": {
                fault: {"p50": _percentile(values, 50), "p99": _percentile(values, 99), "n": len(values)}
                for fault, values in self.by_fault.items()
            },
        }


class Person:
    """Says one sentence, and notes what they are told."""

    def __init__(self, pcm: bytes) -> None:
        self.pcm = pcm
        self.finals: list[str] = []
        self.failed: list[str] = []
        self.ended_at = self.heard_at = 0.0
        self.done = asyncio.Event()

    def tell(self, event: turns.Event) -> None:
        match event:
            case turns.FinalHeard():
                self.finals.append(event.text)
                self.heard_at = asyncio.get_running_loop().time()
            case turns.Answered():
                self.done.set()
            case turns.Failed():
                self.failed.append(event.message)
                self.done.set()

    def displaced(self) -> None:
        """Nobody comes back in here."""

    async def speak(self, session: Session, id: str, begins_s: float) -> None:
        await asyncio.sleep(begins_s)
        loop, size = asyncio.get_running_loop(), round(CHUNK_S * RATE) * SAMPLE_BYTES
        session.attach(self, None)
        session.begin(id, "en")
        begin = loop.time()
        for number, start in enumerate(range(0, len(self.pcm), size), 1):
            await asyncio.sleep(max(0.0, begin + number * CHUNK_S - loop.time()))
            session.audio(self.pcm[start : start + size])
        session.end(id)
        self.ended_at = loop.time()
        with suppress(TimeoutError):
            async with asyncio.timeout(40):
                await self.done.wait()


class Chaos:
    """A farm, what may happen to it, and what people noticed. Use `round`."""

    def __init__(
        self, redis: RedisServer, workers: Sequence[WorkerProcess], node: Node, cable: Cable, chance: random.Random
    ) -> None:
        self.redis, self.workers, self._node, self._cable, self._chance = redis, workers, node, cable, chance
        self.figures = Figures()
        self._count = 0
        self._whole_at = 0.0
        """When the last fault was over that nobody can work through: Redis gone, the cable pulled."""
        self.faults: dict[str, Callable[[], Awaitable[None]]] = {
            "worker killed": self._kill,
            "worker frozen": self._freeze,
            "Redis killed": self._kill_redis,
            "cable pulled": self._pull,
        }

    async def round(self, spoken: Sequence[bytes], expected: Sequence[str] | None, fault: str | None) -> list[str]:
        """Everybody speaks once; returns what was heard. expected: None measures nothing."""
        database = SharedDatabase(self.redis.address)
        lists = ListStore(database)
        people = [Person(pcm) for pcm in spoken]
        keys = []
        async with asyncio.TaskGroup() as tasks:
            fake = willing()
            sessions = Sessions(
                Faculties(self._node.ears, EffectMind(lists), fake), tasks, language="en", max_audio_duration_s=30
            )
            for person in people:
                self._count += 1
                id = f"turn-{self._count:08}-of-chaos"
                keys.append(f"chaos/{id}")
                tasks.create_task(person.speak(sessions.open("chaos"), id, self._chance.uniform(0, BEGIN_WITHIN_S)))
            if fault is not None:
                await asyncio.sleep(self._chance.uniform(1.0, BEGIN_WITHIN_S + 1.0))
                await self.faults[fault]()
        if expected is not None:
            await asyncio.to_thread(database.catch_up)
            self._judge(people, expected, keys, lists, fault)
        await asyncio.to_thread(database.close)
        return [person.finals[0] if person.finals else "" for person in people]

    def _judge(
        self,
        people: Sequence[Person],
        expected: Sequence[str],
        keys: Sequence[str],
        lists: ListStore,
        fault: str | None,
    ) -> None:
        figures, effects = self.figures, Counter(line.split(" ")[0] for line in lists.all().get("heard", ()))
        figures.rounds += 1
        for person, words, key in zip(people, expected, keys, strict=True):
            figures.turns += 1
            figures.lost += not person.finals
            figures.twice += len(person.finals) > 1 or effects[key] > 1
            figures.wrong += bool(person.finals) and person.finals[0] != words
            if person.finals and fault is not None:
                late_s = max(0.0, person.heard_at - max(person.ended_at, self._whole_at))
                figures.extra_s.append(late_s)
                figures.by_fault.setdefault(fault, []).append(late_s)
        lists.replace("heard", None)

    async def _kill(self) -> None:
        worker = self._chance.choice(self.workers)
        worker.kill()
        await asyncio.sleep(1)
        worker.again()
        await asyncio.to_thread(worker.wait_until_ready)

    async def _freeze(self) -> None:
        worker = self._chance.choice(self.workers)
        worker.freeze()
        await asyncio.sleep(FROZEN_S)
        worker.thaw()

    async def _kill_redis(self) -> None:
        self.redis.kill()
        await asyncio.to_thread(self.redis.start)
        self._whole_at = asyncio.get_running_loop().time()

    async def _pull(self) -> None:
        self._cable.pull()
        await asyncio.sleep(CUT_S)
        self._cable.plug()
        self._whole_at = asyncio.get_running_loop().time()


def _percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)], 3) if ordered else 0.0


async def run(
    rounds: int,
    spoken: Sequence[bytes],
    seed: int,
    *,
    workers: int = 2,
    faults: Sequence[str] = (),
    told: Callable[[str], None] = lambda line: None,
) -> Figures:
    """So many rounds with faults chosen at random. faults: these in turn instead.

    What is right is heard first, with nothing going wrong.
    """
    chance = random.Random(seed)
    with redis_server() as redis, tempfile.TemporaryDirectory(prefix="stimme-chaos-") as folder:
        started = [
            WorkerProcess(redis, Path(folder), "--hear", "en", "--speak", "en", "--threads", "1")
            for _ in range(workers)
        ]
        try:
            for worker in started:
                await asyncio.to_thread(worker.wait_until_ready)
            cable = Cable(redis)
            async with cable.laid(), web_node(cable.address) as node:
                chaos = Chaos(redis, started, node, cable, chance)
                await asyncio.sleep(1)
                expected = await chaos.round(spoken, None, None)
                for number in range(rounds):
                    fault = faults[number % len(faults)] if faults else chance.choice(list(chaos.faults))
                    await chaos.round(spoken, expected, fault)
                    told(f"round {number + 1}: {fault}: {json.dumps(chaos.figures.as_json())}")
                return chaos.figures
        finally:
            for worker in started:
                worker.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description="People speak while something dies.")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    spoken = [file.read_bytes() for file in crowd(options.people)]
    figures = asyncio.run(
        run(options.rounds, spoken, options.seed, workers=options.workers, told=lambda line: print(line, flush=True))
    )
    print(json.dumps(figures.as_json(), indent=2))
    return int(bool(figures.lost or figures.twice or figures.wrong))


if __name__ == "__main__":
    sys.exit(main())
