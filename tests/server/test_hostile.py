"""People who behave badly are slowed down, told or dropped, and leave nothing behind."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.benchmarks.load import run
from tests.benchmarks.peer import text
from tests.support import hostile
from tests.support.caller import Caller, caller
from tests.support.crowd import crowd
from tests.support.scrape import Samples, scrape
from tests.support.server import RunningServer, running_server


@pytest.fixture(scope="module")
def strict() -> Iterator[RunningServer]:
    """A server with little patience: pings each second, and a second for the answer."""
    with running_server({"PING_INTERVAL": "1", "PING_TIMEOUT": "1", "MAX_CONNECTIONS": "5"}) as server:
        yield server


async def state(server: RunningServer) -> Samples:
    return await asyncio.to_thread(scrape, server.page_port)


async def becomes(server: RunningServer, name: str, label: str, value: float, timeout_s: float = 15) -> bool:
    """Whether a metric gets a value: what clients leave behind is cleared up a moment after they have gone."""
    try:
        async with asyncio.timeout(timeout_s):
            while (await state(server)).get((name, label)) != value:  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.05)
    except TimeoutError:
        return False
    return True


async def test_one_too_many_is_told_so_and_the_others_stay(strict: RunningServer) -> None:
    assert await becomes(strict, "voice_connections", "", 0)
    people = [await connect(strict.url) for _ in range(5)]
    async with caller(strict.url) as late:
        error = await late.receive("error")
        assert error["code"] == "busy" and "5" in error["message"] and "MAX_CONNECTIONS" in error["hint"]
        with pytest.raises(ConnectionClosed):
            await late.receive()
        assert late.socket.close_code == 1013
    assert (await state(strict))["voice_connections_refused_total", ""] == 1
    for person in people:
        await person.send('{"type":"ping","timestamp":1}')
        assert '"pong"' in str(await person.recv())
        await person.close()
    assert await becomes(strict, "voice_connections", "", 0)


@pytest.mark.parametrize("kind", [hostile.never_reads, hostile.half_open], ids=lambda kind: kind.__name__)
async def test_someone_who_neither_reads_nor_answers_is_dropped(strict: RunningServer, kind: object) -> None:
    assert await becomes(strict, "voice_connections", "", 0)
    offender = asyncio.create_task(kind(strict.port))  # type: ignore[operator]
    assert await becomes(strict, "voice_connections", "", 1)
    assert await becomes(strict, "voice_connections", "", 0)
    offender.cancel()
    await asyncio.wait([offender])
    assert await becomes(strict, "voice_recognizers", "in_use", 0)


async def test_a_line_on_which_nothing_is_said_is_closed(strict: RunningServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", strict.port)
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()


async def test_sound_faster_than_real_time_is_slowed_down_and_nothing_of_it_is_lost(server: RunningServer) -> None:
    loop = asyncio.get_running_loop()
    async with caller(server.url) as person:
        begin = loop.time()
        for _ in range(2):  # 36 s of sound in all: 30 s at once, the rest at 1.5 × real time
            await person.send(type="start", id="1")
            for _ in range(18):
                await person.socket.send(bytes(32_000))
            await person.send(type="cancel", id="1")
            assert (await person.receive("cancelled"))["audio_s"] == 18.0
        assert loop.time() - begin > 3.5


async def test_garbage_costs_nobody_else_anything(server: RunningServer, person: Caller, question: bytes) -> None:
    offender = asyncio.create_task(hostile.talks_garbage(server.port))
    turn = await person.say(question, until="answer")
    assert turn.first("final")["text"] == "what is seven times eight"
    offender.cancel()
    await asyncio.wait([offender])
    # the next ping ends what never hangs up
    assert await becomes(server, "voice_recognizers", "in_use", 0, timeout_s=30)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_stopping_at_any_stage_gives_the_recognizer_back(
    runner: asyncio.Runner, server: RunningServer, question: bytes, seed: int
) -> None:
    dice = random.Random(seed)

    async def scenario() -> None:
        people = [await connect(server.url, compression=None, max_queue=None) for _ in range(dice.randint(1, 4))]
        await asyncio.gather(*(stop_somewhere(dice, person, question) for person in people))
        async with caller(server.url) as witness:
            turn = await witness.say(question, pace=0, until="answer")
            assert turn.first("final")["text"] == "what is seven times eight"
        assert await becomes(server, "voice_recognizers", "in_use", 0)
        assert (await state(server))["voice_queue_depth", ""] == 0

    runner.run(scenario())


async def stop_somewhere(dice: random.Random, socket: object, question: bytes) -> None:
    """Begin an utterance and end it in one of the ways there are, at a random moment."""
    send, transport = socket.send, socket.transport  # type: ignore[attr-defined]
    await send('{"type":"start","id":"1"}')
    for begin in range(0, dice.randrange(1, len(question)), 4096):
        await send(question[begin : begin + 4096])
        await asyncio.sleep(dice.choice((0, 0, 0.001, 0.01)))
    way = dice.choice(("cancel", "abort", "close", "stop, abort", "stop, interrupt", "stop, start, abort"))
    for step in way.split(", "):
        match step:
            case "abort":
                transport.abort()
            case "close":
                await socket.close()  # type: ignore[attr-defined]
            case _:
                await send(f'{{"type":"{step}"}}')
        await asyncio.sleep(dice.choice((0, 0.005, 0.03, 0.1)))
    await socket.close()  # type: ignore[attr-defined]


def test_hundreds_of_visits_leave_neither_memory_nor_descriptors_behind() -> None:
    shortest = str(min(crowd(), key=lambda file: file.stat().st_size))
    with running_server() as server:
        run("cycle", port=server.port, cycles=100, at_once=10, file=shortest)
        before_mb, descriptors = server.rss_mb(), server.descriptors()
        got = run("cycle", port=server.port, cycles=400, at_once=10, file=shortest)
        assert got["answered"] == 300, "every fourth leaves before the end"
        assert server.rss_mb() - before_mb < 5
        assert server.descriptors() <= descriptors


async def test_someone_who_begins_to_talk_and_says_nothing_does_not_keep_a_recognizer() -> None:
    with running_server({"MAX_AUDIO_DURATION": "1"}) as server:
        async with caller(server.url) as person:
            await person.send(type="start", id="1")
            error = await person.receive("error")
            assert (error["code"], error["id"]) == ("audio_too_long", "1")
            assert (await person.receive("final"))["text"] == ""
            assert await becomes(server, "voice_recognizers", "in_use", 0)


async def test_a_connection_that_was_closed_for_garbage_ends_though_the_client_never_hangs_up(
    strict: RunningServer,
) -> None:
    assert await becomes(strict, "voice_connections", "", 0)
    async with hostile.line(strict.port) as (raw, loop):
        await loop.sock_sendall(raw, text(type="start"))
        assert await becomes(strict, "voice_recognizers", "in_use", 1)
        await loop.sock_sendall(raw, b"\xff" * 20)  # no frame begins like that
        assert await becomes(strict, "voice_recognizers", "in_use", 0)
        assert await becomes(strict, "voice_connections", "", 0)


async def test_a_flood_of_questions_is_answered_at_its_pace_and_keeps_nobody_waiting(server: RunningServer) -> None:
    async with caller(server.url) as flood, caller(server.url) as person:
        await flood.hello(speak=False)
        await person.hello(speak=False)
        for number in range(150):
            await flood.send(type="text", id=str(number), text="what is two plus two")
        assert (await person.type("what is two plus two", until="answer")).first("answer")["understood"]
        kinds = [fields["type"] for fields in [await flood.receive() for _ in range(150)]]
        assert kinds.count("answer") >= 16 and kinds.count("error") == 150 - kinds.count("answer")
        await flood.send(type="text", id="again", text="what is two plus two")
        assert (await flood.receive("answer"))["id"] == "again"


async def test_too_many_messages_are_read_slowly(server: RunningServer) -> None:
    loop = asyncio.get_running_loop()
    async with caller(server.url) as person:
        begin = loop.time()
        for number in range(300):  # 200 at once, the rest at 50 a second
            await person.send(type="ping", timestamp=number)
        pongs = [(await person.receive("pong"))["timestamp"] for _ in range(300)]
        assert pongs == list(range(300)), "and not one is lost"
        assert loop.time() - begin > 1.5
