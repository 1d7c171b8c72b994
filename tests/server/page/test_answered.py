"""A connection that breaks at the wrong moment: nothing is lost, and nothing happens twice."""

from __future__ import annotations

import asyncio

from appliance import turns
from appliance.server.page.answered import KEPT_S, AnsweredTurns
from tests.support.caller import Caller, caller
from tests.support.server import RunningServer


def answered(id: str) -> turns.Answered:
    return turns.Answered(id, "Timer set.", "en", "HassStartTimer", True, "set a timer", {})


def test_an_answer_is_kept_for_half_a_minute_and_only_under_a_long_id() -> None:
    now = 0.0
    kept = AnsweredTurns(clock=lambda: now)
    kept.note(answered("k3fq8z-1"))
    kept.note(answered("1"))
    assert kept.again("k3fq8z-1") == (None, answered("k3fq8z-1"))
    assert kept.again("1") is None
    now = KEPT_S + 1
    assert kept.again("k3fq8z-1") is None


async def timers(person: Caller) -> str:
    text: str = (await person.type("what timers are running", until="answer")).first("answer")["text"]
    return text


async def test_a_turn_said_again_after_its_answer_was_lost_is_not_carried_out_twice(server: RunningServer) -> None:
    async with caller(server.url) as person:
        await person.send(type="text", id="k3fq8z-7", text="set a tea timer for fifty minutes")
        first = await person.receive("answer")
    async with caller(server.url) as person:
        await person.hello(speak=False)
        await person.send(type="text", id="k3fq8z-7", text="set a tea timer for fifty minutes")
        assert await person.receive("answer") == first
        assert (await timers(person)).count("tea") == 1
        await person.type("cancel all timers", until="answer")


async def test_a_spoken_turn_said_again_gets_the_same_transcript_and_answer(
    server: RunningServer, question: bytes
) -> None:
    results = []
    for _ in range(2):
        async with caller(server.url) as person:
            await person.hello(speak=False)
            await person.send(type="start", id="k3fq8z-8")
            for begin in range(0, len(question), 4096):
                await person.socket.send(question[begin : begin + 4096])
            await person.send(type="stop", id="k3fq8z-8")
            results.append((await person.receive("final"), await person.receive("answer")))
    assert results[0] == results[1]


async def test_what_was_asked_just_before_the_connection_broke_is_carried_out(server: RunningServer) -> None:
    async with caller(server.url) as person:
        await person.send(type="text", text="set a soup timer for forty minutes")
    async with caller(server.url) as person:
        await person.hello(speak=False)
        async with asyncio.timeout(5):  # the first connection's turn may still be under way
            while "soup" not in await timers(person):
                pass
        await person.type("cancel all timers", until="answer")


async def test_a_refused_start_names_its_turn(person: Caller) -> None:
    await person.send(type="start", id="k3fq8z-9", language="de")
    error = await person.receive("error")
    assert (error["code"], error["id"]) == ("no_recognizer", "k3fq8z-9")
