"""People speak while something dies; the long form is `make chaos`."""

from __future__ import annotations

import asyncio

from tests.farm import chaos
from tests.support.caller import Caller, caller
from tests.support.crowd import crowd, sentences
from tests.support.farm import everything_in, redis_server, workers
from tests.support.kit import cut
from tests.support.server import running_server

FAULTS = ("worker killed", "worker frozen", "Redis killed")


def test_whatever_dies_every_sentence_is_heard_once_as_if_nothing_had() -> None:
    spoken = [file.read_bytes() for file in crowd(5)]
    figures = asyncio.run(chaos.run(len(FAULTS), spoken, seed=7, faults=FAULTS))
    assert (figures.rounds, figures.turns) == (3, 15)
    assert (figures.lost, figures.twice, figures.wrong) == (0, 0, 0), figures


def test_a_web_node_that_is_killed_is_replaced_by_the_next_and_what_was_asked_is_done_once() -> None:
    """The page comes back at another node with its secret, and says the same again under the same id."""
    pcm = next(file.read_bytes() for text, file in zip(sentences(), crowd(), strict=False) if text.startswith("set a"))
    id = "a-turn-of-its-own"
    with (
        redis_server() as redis,
        workers(redis, 1, "--hear", "en", "--speak", "en", "--threads", "1"),
        running_server({"STIMME_REDIS": redis.url}) as first,
        running_server({"STIMME_REDIS": redis.url}) as second,
    ):

        async def live() -> None:
            async with caller(first.url) as page:
                welcome = await page.hello(speak=False)
                await page.type("my name is of no use", until="answer")
                await page.send(type="start", id=id, language="en")
                for chunk in cut(pcm[: len(pcm) // 2], 1024):
                    await page.socket.send(chunk)
                await asyncio.sleep(0.3)
                first.process.kill()
            async with caller(second.url) as page:
                again = await page.hello(session=welcome["session"], speak=False)
                assert again["session"] == welcome["session"]
                await say(page)
                assert (await page.receive("final"))["text"].startswith("set a timer")
                await page.receive("answer")
            async with caller(second.url) as page:
                await page.hello(speak=False)
                await say(page)
                assert (await page.receive("final"))["text"].startswith("set a timer")
                await page.receive("answer")

        async def say(page: Caller) -> None:
            await page.send(type="start", id=id, language="en")
            for chunk in cut(pcm, 1024):
                await page.socket.send(chunk)
            await page.send(type="stop", id=id)

        asyncio.run(live())
        assert len(everything_in(redis, "hkeys", "stimme:state:timers")) == 1
