"""Ears over Redis with workers of the test's own: nothing is lost, nothing comes twice, nothing stays behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from appliance.audio.pcm import Source
from appliance.errors import FacultyError, ModelError
from appliance.farm.ears import FarmEars
from appliance.farm.link import Link
from appliance.farm.members import Load
from appliance.farm.node import Node
from appliance.farm.worker import Worker
from appliance.hearing.transcript import Final, PoolStats
from appliance.language import Language
from tests.support.faculties import FakeFaculties, willing
from tests.support.farm import RedisServer, everything_in, web_node
from tests.support.kit import Chunks, cut
from tests.support.patience import until


class Ears(FakeFaculties):
    """Hears what the bytes spell, once it has all of them."""

    async def transcribe(
        self,
        source: Source,
        language: Language,
        *,
        on_partial: Callable[[str], None],
        on_place: Callable[[int], None] | None = None,
        turn: str = "",
    ) -> Final:
        heard = b""
        while pcm := await source.read():
            heard += pcm
            on_partial(heard.decode()[:5])
        await self.hearing.wait()
        return Final(heard.decode(), (), 1.0, audio_s=1.0, final_ms=1.0)


@asynccontextmanager
async def worker(redis: RedisServer, ears: Ears, slots: int = 8) -> AsyncIterator[asyncio.Event]:
    """Works until the yielded event is set, or until the end."""
    ears.names = {"en": "test-model"}
    link, stop = Link(redis.address, "worker"), asyncio.Event()
    await link.open()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(Worker(link, ears, ears, slots).run(stop))
        yield stop
        ears.hearing.set()
        stop.set()
    await link.close()


def ears(*, deaf: bool = False) -> Ears:
    found = Ears(**{**vars(willing()), "hearing": asyncio.Event()})
    if not deaf:
        found.hearing.set()
    return found


def taken(redis: RedisServer) -> list[str]:
    """The attempt and the worker's mark of the only utterance that is being heard; [] until a worker has taken it."""
    (key,) = everything_in(redis, "keys", "stimme:own:*")
    found = everything_in(redis, "hmget", key, "attempt", "owner")
    return list(found) if all(found) else []


async def hears_english(node: Node) -> FarmEars:
    await until(lambda: "en" in node.ears.languages)
    return node.ears


async def hear(ears: FarmEars, text: str, **options: object) -> str:
    final = await ears.transcribe(Chunks(cut(text.encode(), 4)), "en", on_partial=lambda _: None, **options)  # type: ignore[arg-type]
    return final.text


async def test_many_turns_leave_nothing_behind_but_transcripts_that_expire(redis: RedisServer) -> None:
    async with worker(redis, ears()), web_node(redis.address) as node:
        heard = await hears_english(node)
        texts = [f"sentence number {number}" for number in range(300)]
        assert list(await asyncio.gather(*(hear(heard, text) for text in texts))) == texts
        left = [key for key in everything_in(redis, "keys", "*") if not key.startswith("stimme:fin:")]
        assert {key.split(":")[1] for key in left} <= {"work", "to", "workers", "nodes", "counts", "clauses"}
        assert everything_in(redis, "xlen", "stimme:work:en") == ["0"]
        for key in everything_in(redis, "keys", "stimme:fin:*"):
            assert int(everything_in(redis, "ttl", key)[0]) > 0


async def test_a_worker_that_stops_finishes_what_it_took_and_leaves_no_trace(redis: RedisServer) -> None:
    slow = ears(deaf=True)
    async with worker(redis, slow) as stop, web_node(redis.address) as node:
        task = asyncio.create_task(hear(await hears_english(node), "hello"))
        await until(lambda: taken(redis))
        stop.set()
        slow.hearing.set()
        assert await task == "hello"
    assert everything_in(redis, "hgetall", "stimme:workers") == [""]
    assert everything_in(redis, "xinfo", "consumers", "stimme:work:en", "workers") == [""]


async def test_one_that_was_heard_already_is_not_heard_again(redis: RedisServer) -> None:
    async with worker(redis, ears()), web_node(redis.address) as first, web_node(redis.address) as second:
        assert await hear(await hears_english(first), "once", turn="visitor/turn-of-16-letters") == "once"
        again = await hear(await hears_english(second), "something else", turn="visitor/turn-of-16-letters")
        assert again == "once"


async def test_another_node_takes_over_an_utterance(redis: RedisServer) -> None:
    """The node it was said to has died; the page says it again at another."""
    slow = ears(deaf=True)
    async with worker(redis, slow), web_node(redis.address) as first, web_node(redis.address) as second:
        began = asyncio.create_task(hear(await hears_english(first), "hello", turn="a-turn"))
        await until(lambda: taken(redis))
        attempt = taken(redis)
        again = asyncio.create_task(hear(await hears_english(second), "hello", turn="a-turn"))
        await until(lambda: taken(redis) not in (attempt, []))
        slow.hearing.set()
        assert await again == "hello"
        began.cancel()
        await asyncio.wait([began])


async def test_who_gives_up_frees_the_worker(redis: RedisServer) -> None:
    async with worker(redis, ears(deaf=True), slots=1), web_node(redis.address) as node:
        heard = await hears_english(node)
        places: list[int] = []
        first = asyncio.create_task(hear(heard, "never heard"))
        await until(lambda: taken(redis))
        second = asyncio.create_task(hear(heard, "waits", on_place=places.append))
        await until(lambda: bool(places))
        assert places == [1]
        first.cancel()
        second.cancel()
        await asyncio.wait([first, second])
        await until(lambda: everything_in(redis, "keys", "stimme:own:*") == [""])


async def test_languages_nobody_hears_and_a_full_redis_are_told(redis: RedisServer) -> None:
    async with worker(redis, ears()), web_node(redis.address) as node:
        heard = await hears_english(node)
        with pytest.raises(ModelError, match="no worker hears language 'de', only: en"):
            await heard.transcribe(Chunks([]), "de", on_partial=lambda _: None)
        node.members.load = Load(lag=7, memory=0.81)
        with pytest.raises(FacultyError, match="7 wait before you"):
            await hear(heard, "too many")


async def test_the_pool_is_that_of_all_workers(redis: RedisServer) -> None:
    async with worker(redis, ears()), worker(redis, ears()), web_node(redis.address) as node:
        await until(lambda: len(node.members.workers) == 2)
        assert node.ears.names == {"en": "test-model"}
        assert isinstance(node.ears.stats, PoolStats)
