"""A connection that breaks at the wrong moment: nothing is lost, and nothing happens twice."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.caller import Caller, caller
from tests.support.server import RunningServer


def tea() -> dict[str, str]:
    """Somebody asks for a timer. What a long id has changed once is not changed again, so each has its own."""
    return {"type": "text", "id": str(uuid.uuid4()), "text": "set a tea timer for fifty minutes"}


async def timers(person: Caller) -> str:
    text: str = (await person.type("what timers are running", until="answer")).first("answer")["text"]
    return text


@asynccontextmanager
async def someone(server: RunningServer, **wishes: Any) -> AsyncIterator[tuple[Caller, str]]:
    """A client that wants no sound, and its session's secret."""
    async with caller(server.url) as person:
        yield person, (await person.hello(speak=False, **wishes))["session"]


def cut(person: Caller) -> None:
    """The network is gone: the device hears no goodbye, and the client nothing more."""
    person.socket.transport.get_extra_info("socket").shutdown(socket.SHUT_RD)
    person.socket.transport.abort()


async def test_a_turn_said_again_after_its_answer_was_lost_is_not_carried_out_twice(server: RunningServer) -> None:
    question = tea()
    async with someone(server) as (person, secret):
        await person.send(**question)
        first = await person.receive("answer")
        cut(person)
    async with someone(server, session=secret) as (person, same):
        assert same == secret
        await person.send(**question)
        assert await person.receive("answer") == first
        assert (await timers(person)).count("tea") == 1
        await person.type("cancel all timers", until="answer")


async def test_a_turn_said_again_before_its_first_answer_is_not_carried_out_twice(server: RunningServer) -> None:
    question = tea()
    async with someone(server) as (before, secret):
        await before.send(**question)
        async with someone(server, session=secret) as (person, _):
            await person.send(**question)
            assert (await person.receive("answer"))["id"] == question["id"]
            assert (await timers(person)).count("tea") == 1
            await person.type("cancel all timers", until="answer")


async def test_a_spoken_turn_said_again_gets_the_same_transcript_and_answer(
    server: RunningServer, question: bytes
) -> None:
    results: list[Any] = []
    secret: dict[str, str] = {}
    for _ in range(2):
        async with caller(server.url) as person:
            secret = {"session": (await person.hello(speak=False, **secret))["session"]}
            await person.send(type="start", id="k3fq8z-8")
            for begin in range(0, len(question), 4096):
                await person.socket.send(question[begin : begin + 4096])
            await person.send(type="stop", id="k3fq8z-8")
            results.append((await person.receive("final"), await person.receive("answer")))
            cut(person)
    assert results[0] == results[1]


async def test_another_client_with_the_same_id_hears_its_own_answer(server: RunningServer, question: bytes) -> None:
    id = str(uuid.uuid4())
    async with caller(server.url) as anna, caller(server.url) as ben:
        await anna.hello(speak=False)
        await anna.send(type="start", id=id)
        for begin in range(0, len(question), 4096):
            await anna.socket.send(question[begin : begin + 4096])
        await anna.send(type="stop", id=id)
        assert "56" in (await anna.receive("answer"))["text"]
        await ben.send(type="start", id=id)
        await ben.send(type="stop", id=id)
        assert (await ben.receive("final"))["text"] == ""
        assert "56" not in (await ben.receive("answer"))["text"]


async def test_what_was_remembered_is_still_there_after_a_drop_and_unknown_to_others(server: RunningServer) -> None:
    async with someone(server) as (person, secret):
        await person.type("set the volume to thirty percent", until="answer")
        cut(person)
    async with caller(server.url) as stranger:
        assert (await stranger.hello(session="k3fq8z"))["volume"] == 70
    async with caller(server.url) as person:
        assert (await person.hello(speak=False, session=secret))["volume"] == 30
        heard = await person.type("what did you hear", until="answer")
        assert "thirty percent" in heard.first("answer")["text"]


async def test_a_client_of_the_guide_that_knows_no_sessions_is_answered_each_time(server: RunningServer) -> None:
    async with caller(server.url) as person:
        for text, answer in (("what is two plus two", "4"), ("what is two plus three", "5")):
            await person.send(type="text", id="always the same", text=text)
            assert answer in (await person.receive("answer"))["text"]


async def test_what_was_asked_just_before_the_connection_broke_is_carried_out(server: RunningServer) -> None:
    async with caller(server.url) as person:
        await person.send(type="text", text="set a soup timer for forty minutes")
    async with someone(server) as (person, _):
        for _ in range(50):  # the first connection's turn may still be under way
            if "soup" in (running := await timers(person)):
                break
        assert "soup" in running
        await person.type("cancel all timers", until="answer")


async def test_a_refused_start_names_its_turn(person: Caller) -> None:
    await person.send(type="start", id="k3fq8z-8")
    await person.send(type="start", id="k3fq8z-9")
    error = await person.receive("error")
    assert (error["code"], error["id"]) == ("already_started", "k3fq8z-9")


async def test_stop_with_another_id_says_what_is_wrong_and_the_utterance_goes_on(
    person: Caller, question: bytes
) -> None:
    await person.send(type="start", id="one")
    for begin in range(0, len(question), 4096):
        await person.socket.send(question[begin : begin + 4096])
    await person.send(type="stop", id="two")
    error = await person.receive("error")
    assert (error["code"], error["id"]) == ("wrong_id", "two") and "'one'" in error["message"]
    await person.send(type="stop", id="one")
    assert (await person.receive("final"))["text"] == "what is seven times eight"


async def test_the_device_ends_an_utterance_that_leaves_its_end_to_it(person: Caller, question: bytes) -> None:
    await person.send(type="start", id="one")
    await person.send(type="start", id="one", endpoint="auto")  # the press turned out to be a tap
    talking = asyncio.create_task(talk_on(person, question))
    try:
        endpoint = await person.receive("endpoint")
        assert (endpoint["id"], endpoint["reason"]) == ("one", "complete")
        await person.send(type="stop", id="one")  # it could not know yet
        final = await person.receive("final")
    finally:
        talking.cancel()
    assert final["text"] == "what is seven times eight" and not final["truncated"]
    assert 0 < final["audio_s"] - len(question) / 32_000 < 2, "all of the sentence, and the silence that was waited for"


async def talk_on(person: Caller, pcm: bytes) -> None:
    """Speak in real time, and leave the microphone open."""
    while True:
        await person.socket.send(pcm[:3200].ljust(3200, b"\0"))
        pcm = pcm[3200:]
        await asyncio.sleep(0.1)
