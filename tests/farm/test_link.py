"""The way to Redis: batches, losses that nobody must miss, and addresses that are wrong."""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.config import FarmConfig
from appliance.errors import ConfigError
from appliance.farm.address import address
from appliance.farm.database import SharedDatabase
from appliance.farm.link import Link, Lost
from appliance.state.lists import ListStore
from tests.farm.test_speaking import spoken, voice, worker
from tests.support.farm import RedisServer, redis_server, web_node
from tests.support.kit import Chunks
from tests.support.patience import until
from tests.support.server import ROOT


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


def make_certificate(folder: Path) -> None:
    """For "localhost", its own authority: ca.pem and key.pem."""
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            str(folder / "key.pem"),
            "-out",
            str(folder / "ca.pem"),
        ],
        check=True,
        capture_output=True,
    )


async def test_over_tls_as_a_user_who_may_do_what_the_documentation_lists(tmp_path: Path) -> None:
    """The rights are those of deploy/redis.conf, and all of a worker's and a web node's work is done with them."""
    make_certificate(tmp_path)
    conf = (ROOT / "deploy" / "redis.conf").read_text()
    rights = next(line for line in conf.splitlines() if line.startswith("# user stimme"))
    acl = tmp_path / "users.acl"
    acl.write_text(f"user default off\n{rights.removeprefix('# ').replace('PASSWORD', 's3cret')}\n")
    (tmp_path / "password").write_text("s3cret\n")
    with redis_server(
        "--aclfile",
        str(acl),
        "--tls-cert-file",
        str(tmp_path / "ca.pem"),
        "--tls-key-file",
        str(tmp_path / "key.pem"),
        "--tls-auth-clients",
        "no",
        "--tls-ca-cert-file",
        str(tmp_path / "ca.pem"),
        tls=True,
    ) as redis:
        there = address(
            FarmConfig(
                f"rediss://stimme@localhost:{redis.port}/0", str(tmp_path / "password"), str(tmp_path / "ca.pem")
            )
        )
        redis.address = there
        with pytest.raises(Lost, match="does not answer"):
            await Link(replace(there, authority=None), "test").open()  # the system does not know this authority
        database = await asyncio.to_thread(SharedDatabase, there)
        lists = ListStore(database)
        await asyncio.to_thread(lists.add, "shopping", ["milk"])
        assert database.durable and lists.all()
        database.close()
        speaking = voice()
        async with worker(redis, speaking), web_node(there) as node:
            await until(lambda: "en" in node.mouth.languages)
            assert await spoken(node.mouth, "Good morning.") == "Good morning. "
            final = await node.ears.transcribe(Chunks([b"hi", b"gh"]), "en", on_partial=lambda _: None)
            assert final.text == "high"


async def test_a_wrong_password_or_port_says_what_to_do() -> None:
    with redis_server("--requirepass", "s3cret") as redis:
        for address, words in (
            (redis.address, "STIMME_REDIS_PASSWORD_FILE"),
            (replace(redis.address, password="other"), "refuses us"),
        ):
            with pytest.raises(ConfigError, match=words):
                await Link(address, "test").open()
        with pytest.raises(Lost, match="does not answer"):
            await Link(replace(redis.address, port=1), "test").open()
        right = Link(replace(redis.address, password="s3cret"), "test")
        await right.open()
        await right.close()
