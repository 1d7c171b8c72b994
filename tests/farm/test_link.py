"""The way to Redis: batches, losses that nobody must miss, and addresses that are wrong."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from appliance.errors import ConfigError
from appliance.farm.link import Link, Lost
from tests.support.farm import RedisServer, redis_server


async def test_commands_of_many_tasks_are_answered_each(redis: RedisServer) -> None:
    link = Link(redis.address, "test")
    await link.open()
    async with asyncio.TaskGroup() as tasks:
        carrying = tasks.create_task(link.run())
        answers = await asyncio.gather(*(link.call("ECHO", number) for number in range(2000)))
        assert answers == [str(number).encode() for number in range(2000)]
        carrying.cancel()
    await link.close()


async def test_a_redis_that_was_away_between_two_commands_is_noticed() -> None:
    """It may have forgotten its last second, and the scripts; so nothing is sent to it as if nothing had happened."""
    with redis_server() as redis:
        link, lost = Link(redis.address, "test"), []
        link.when_lost(lambda: lost.append(True))
        await link.open()
        async with asyncio.TaskGroup() as tasks:
            carrying = tasks.create_task(link.run())
            await link.call("SET", "a", "1")
            redis.kill()
            await asyncio.to_thread(redis.start)
            with pytest.raises(Lost):
                await link.call("SET", "a", "2")
            assert lost
            await link.up()
            assert await link.script("line", ["stimme:work:en"], "workers") == [], "the scripts are there again"
            carrying.cancel()
        await link.close()


async def test_a_wrong_password_or_port_says_what_to_do() -> None:
    with redis_server("--requirepass", "s3cret") as redis:
        for address, words in (
            (redis.address, "STIMME_REDIS_PASSWORD_FILE"), (replace(redis.address, password="other"), "refuses us"),
            (replace(redis.address, port=1), "does not answer"),
        ):
            with pytest.raises(ConfigError, match=words):
                await Link(address, "test").open()
        right = Link(replace(redis.address, password="s3cret"), "test")
        await right.open()
        await right.close()
