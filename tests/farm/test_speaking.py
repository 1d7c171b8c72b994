"""A mouth over Redis: shared clauses, barge-in across machines, and a worker that dies in mid-word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from appliance.farm.link import Link
from appliance.farm.mouth import FarmMouth
from appliance.farm.node import Node
from appliance.farm.worker import Worker
from appliance.language import Language
from tests.support.faculties import FakeFaculties, willing
from tests.support.farm import RedisServer, everything_in, web_node
from tests.support.patience import until


class Voice(FakeFaculties):
    """Says each word of a clause as a piece, the same each time, when it may."""

    def speak(
        self,
        text: str | AsyncIterator[str],
        language: Language,
        *,
        rate: int,
        speed: float = 1.0,
        voice: str = "",
        longest_s: float = 40.0,
        is_begun: bool = False,
    ) -> AsyncGenerator[bytes, None]:
        return self._words(str(text))

    async def _words(self, text: str) -> AsyncGenerator[bytes, None]:
        self.forgotten.append(text)
        for number, word in enumerate(text.split()):
            if number:
                await self.speaking.wait()
            yield f"{word} ".encode()


def voice(*, slow: bool = False) -> Voice:
    found = Voice(**{**vars(willing()), "names": {"en": "test-voice"}, "speaking": asyncio.Event(), "forgotten": []})
    if not slow:
        found.speaking.set()
    return found


@asynccontextmanager
async def worker(redis: RedisServer, voice: Voice) -> AsyncIterator[asyncio.Task[None]]:
    """The yielded task may be cancelled: the worker is gone as if it had been killed."""
    link, stop = Link(redis.address, "worker"), asyncio.Event()
    await link.open()
    task = asyncio.create_task(Worker(link, voice, voice, 4).run(stop))
    yield task
    voice.speaking.set()
    stop.set()
    await asyncio.wait([task])
    await link.close()


async def speaks_english(node: Node) -> FarmMouth:
    await until(lambda: "en" in node.mouth.languages)
    return node.mouth


async def spoken(mouth: FarmMouth, text: str) -> str:
    async with aclosing(mouth.speak(text, "en", rate=16_000)) as pieces:
        return b"".join([piece async for piece in pieces]).replace(b"\0", b"").decode()


async def test_a_text_is_spoken_clause_by_clause_and_kept_for_whoever_wants_it_next(redis: RedisServer) -> None:
    here = voice()
    text = "It is half past seven. The sun is shining. Good morning."
    async with worker(redis, here), web_node(redis.address) as one, web_node(redis.address) as other:
        assert (await spoken(await speaks_english(one), text)).split() == text.split()
        assert (await spoken(await speaks_english(other), text)).split() == text.split()
        assert here.forgotten == ["It is half past seven.", "The sun is shining.", "Good morning."], "spoken once each"
        assert everything_in(redis, "zcard", "stimme:said") == ["3"]
        assert everything_in(redis, "xlen", "stimme:clauses:en") == ["0"]
        assert everything_in(redis, "keys", "stimme:own:*") == [""]


async def test_barge_in_stops_the_worker_and_leaves_nothing(redis: RedisServer) -> None:
    here = voice(slow=True)
    async with worker(redis, here), web_node(redis.address) as node:
        mouth = await speaks_english(node)
        async with aclosing(mouth.speak("One two three four.", "en", rate=16_000)) as pieces:
            assert await anext(pieces) == b"One "
        await until(lambda: everything_in(redis, "keys", "stimme:own:*") == [""])
        assert everything_in(redis, "keys", "stimme:u:*") == [""]
        assert everything_in(redis, "xlen", "stimme:clauses:en") == ["0"]


async def test_who_interrupts_does_not_silence_others(redis: RedisServer) -> None:
    here = voice(slow=True)
    async with worker(redis, here), web_node(redis.address) as node:
        mouth = await speaks_english(node)
        other = asyncio.create_task(spoken(mouth, "One two three four."))
        async with aclosing(mouth.speak("One two three four.", "en", rate=16_000)) as pieces:
            await anext(pieces)
            await until(lambda: everything_in(redis, "keys", "stimme:own:*") != [""])
        here.speaking.set()
        assert await other == "One two three four. "


async def test_another_worker_goes_on_in_mid_clause(redis: RedisServer) -> None:
    dying, living = voice(slow=True), voice()
    async with web_node(redis.address) as node:
        async with worker(redis, dying) as task:
            mouth = await speaks_english(node)
            async with aclosing(mouth.speak("One two three four.", "en", rate=16_000)) as pieces:
                heard = [await anext(pieces)]
                task.cancel()
                await asyncio.wait([task])
                async with worker(redis, living):
                    heard += [piece async for piece in pieces]
    assert b"".join(heard) == b"One two three four. "
