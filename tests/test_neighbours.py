"""Datagrams between the assistant and the programs beside it: lost without a listener, never waited for."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from appliance import neighbours, turns
from appliance.device import beside
from appliance.language import Language


@pytest.fixture
def address(tmp_path: Path) -> Path:
    return tmp_path / "socket"


def test_a_message_arrives_whole(address: Path) -> None:
    with neighbours.Inbox(address) as inbox:
        assert neighbours.send(address, en="hello", de="grüß dich")
        assert inbox.receive(1) == {"en": "hello", "de": "grüß dich"}
        assert inbox.receive(0) is None
    assert not address.exists()


def test_without_a_listener_a_message_is_lost_and_nobody_waits(address: Path) -> None:
    assert not neighbours.send(address, state="idle")


def test_a_listener_that_does_not_read_costs_the_sender_nothing(address: Path) -> None:
    with neighbours.Inbox(address):
        sent = [neighbours.send(address, level=0.5) for _ in range(10_000)]
    assert sent[0] and not sent[-1]


def test_what_is_no_object_is_passed_over(address: Path) -> None:
    import socket

    with neighbours.Inbox(address) as inbox, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        for data in (b"[1]", b"\xff", b"{"):
            other.sendto(data, str(address))
            assert inbox.receive(1) is None


async def test_what_another_program_wants_said_is_announced_in_every_language(address: Path) -> None:
    said: asyncio.Queue[tuple[Mapping[Language, str], str, str]] = asyncio.Queue()

    async def announce(texts: Mapping[Language, str], announcement: str, kind: str) -> None:
        said.put_nowait((texts, announcement, kind))

    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(beside.say_notices(announce, address))
        await asyncio.sleep(0)
        for sent in ({"en": "only English"}, {"en": "hello", "de": "hallo"}, {"en": "bye", "de": "tschüss"}):
            assert neighbours.send(address, **sent)
        assert [(await asyncio.wait_for(said.get(), 5))[0]["de"] for _ in range(2)] == ["hallo", "tschüss"]
        listening.cancel()


async def test_without_the_directory_nothing_listens(tmp_path: Path) -> None:
    address = tmp_path / "missing" / "say"
    await asyncio.wait_for(beside.say_notices(lambda *what: asyncio.sleep(0), address), 5)
    assert not address.parent.exists() and not neighbours.send(address, en="hello", de="hallo")


def test_the_screen_is_told_what_the_device_hears_and_says(address: Path) -> None:
    timings: dict[str, float] = {}
    with neighbours.Inbox(address) as inbox:
        for event in (
            turns.Listening("1"),
            turns.PartialHeard("1", "what time"),
            turns.Answered("1", "It is seven.", "en", "HassGetCurrentTime", True, "what time is it", timings),
            turns.SpeechStarted("1", 16_000),
            turns.SpeechEnded("1", False, 1.0, timings),
        ):
            beside.show(event, address)
        told = [inbox.receive(0) for _ in range(5)]
    assert told == [
        {"state": "listening", "heard": "", "answer": ""},
        {"heard": "what time"},
        {"state": "speaking", "answer": "It is seven."},
        {"state": "idle"},
        None,
    ]
