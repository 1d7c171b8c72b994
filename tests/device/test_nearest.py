"""Several devices hear one word: the best of them answers, whoever has no key counts for nothing."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from appliance.audio.pcm import RATE, s16le
from appliance.audio.quiet import signal_db
from appliance.device.nearest import Claim, Nearest, read_key
from appliance.errors import ConfigError

KEY = b"sixteen bytes or more"


def heard(loudness: float, noise: float = 0.001) -> bytes:
    """Two seconds with a word in the middle."""
    samples = np.random.default_rng(1).normal(0, noise, 2 * RATE)
    samples[RATE // 2 : RATE] += loudness * np.sin(np.arange(RATE // 2) / 5)
    return s16le(samples)


@contextlib.asynccontextmanager
async def running(*keys: bytes) -> AsyncIterator[list[Nearest]]:
    """Devices on the loopback that know each other."""
    devices = [Nearest([], 0, key, host="127.0.0.1") for key in keys]
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(one.run()) for one in devices]
        while not all(one.port for one in devices):  # noqa: ASYNC110 - the sockets open
            await asyncio.sleep(0)
        for one in devices:
            one.know([f"127.0.0.1:{other.port}" for other in devices if other is not one])
        yield devices
        for task in running:
            task.cancel()


def test_the_figure_is_the_signal_over_the_rooms_own_noise() -> None:
    assert signal_db(heard(0.5)) > signal_db(heard(0.05)) > signal_db(heard(0.05, noise=0.01))
    assert signal_db(b"") == 0.0


async def test_the_one_that_hears_it_best_answers() -> None:
    async with running(KEY, KEY, KEY) as devices:
        answers = await asyncio.gather(
            *(one.is_here("okay_nabu", heard(level), 0.2) for one, level in zip(devices, (0.05, 0.5, 0.1), strict=True))
        )
    assert list(answers) == [False, True, False]


async def test_two_that_hear_it_alike_do_not_both_answer() -> None:
    async with running(KEY, KEY) as devices:
        answers = await asyncio.gather(*(one.is_here("okay_nabu", heard(0.2), 0.2) for one in devices))
    assert sorted(answers) == [False, True]


async def test_another_word_and_another_key_are_not_counted() -> None:
    async with running(KEY, KEY, b"somebody else's key") as (here, other, stranger):
        answers = await asyncio.gather(
            here.is_here("okay_nabu", heard(0.05), 0.2),
            other.is_here("alexa", heard(0.5), 0.2),
            stranger.is_here("okay_nabu", heard(0.9), 0.2),
        )
    assert list(answers) == [True, True, True]


async def test_alone_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncio.sleep", lambda seconds: pytest.fail("waited"))
    assert await Nearest((), 0, KEY).is_here("okay_nabu", heard(0.1), 0.0)


def test_what_comes_from_nobody_or_long_ago_is_thrown_away() -> None:
    one = Nearest((), 0, KEY, now=lambda: 1000.0)
    for datagram in (b"", b"x" * 2000, b"00 []", Claim("okay_nabu", 9.0, "c", 900.0).sealed(KEY)):
        one.datagram_received(datagram, ("127.0.0.1", 1))
    assert not one._heard
    for _ in range(2):
        one.datagram_received(Claim("okay_nabu", 9.0, "c", 1000.0).sealed(KEY), ("127.0.0.1", 1))
    assert list(one._heard) == ["c"]


def test_a_key_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_key(str(tmp_path / "none"))
    short = tmp_path / "short"
    short.write_bytes(b"short\n")
    with pytest.raises(ConfigError, match="5 bytes, expected 16"):
        read_key(str(short))


PROCESS = """
import asyncio, sys
from tests.device.test_nearest import KEY, Nearest, heard
async def main():
    one = Nearest([f"127.0.0.1:{sys.argv[2]}"], int(sys.argv[1]), KEY, host="127.0.0.1")
    running = asyncio.create_task(one.run())
    while one._transport is None:
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(await one.is_here("okay_nabu", heard(float(sys.argv[3])), 0.0), flush=True)
    running.cancel()
asyncio.run(main())
"""


async def test_two_processes_agree_over_the_network() -> None:
    async with running(KEY, KEY) as devices:
        ports = [one.port for one in devices]
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            PROCESS,
            str(ports[at]),
            str(ports[1 - at]),
            level,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        for at, level in enumerate(("0.05", "0.5"))
    ]
    async with asyncio.timeout(30):
        for one in processes:
            assert one.stdout is not None
            assert await one.stdout.readline() == b"ready\n"
        said = await asyncio.gather(*(one.communicate(b"\n") for one in processes))
    assert [out.split()[-1] for out, _ in said] == [b"False", b"True"]


@pytest.mark.parametrize("peer", ["kitchen:abc", ":8931", "kitchen:0", "kitchen:70000", "fe80::1"])
def test_a_peer_that_is_none_is_said_at_the_start(peer: str) -> None:
    with pytest.raises(ConfigError, match="expected a host name"):
        Nearest([peer], 8931, b"k" * 16)
