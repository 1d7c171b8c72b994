"""Vosk's WebSocket: exactly one reply to each message of sound, and none to anything else but its end."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from appliance.errors import ProtocolError
from appliance.hearing.transcript import Final, Word
from appliance.server.vosk import connection
from appliance.server.vosk.protocol import End, Reset, Settings, parse, result
from tests.support.programs import programs_server, said

CONFIG = '{"config": {"sample_rate": 16000}}'
END = '{"eof" : 1}'


async def asked(client: ClientConnection, message: str | bytes) -> dict[str, Any]:
    await client.send(message)
    async with asyncio.timeout(10):
        reply = json.loads(await client.recv())
    assert isinstance(reply, dict)
    return reply


async def test_each_message_of_sound_is_answered_once_and_the_end_by_the_transcript() -> None:
    async with programs_server() as server, server.vosk() as client:
        await client.send(CONFIG)
        for piece in (b"hell", b"o yo", b"u\0"):
            assert set(await asked(client, piece)) == {"partial"}
        assert await asked(client, END) == {"text": "hello you"}
        with pytest.raises(ConnectionClosed):
            await client.recv()


async def test_sound_of_other_rates_and_messages_of_odd_length_are_heard() -> None:
    async with programs_server() as server, server.vosk() as client:
        for piece in (bytes(3201), bytes(1), bytes(3198)):  # 0.4 s at 8 kHz, as vosk-server has it without a config
            assert await asked(client, piece) == {"partial": ""}
        assert (await asked(client, END))["text"] == ""


async def test_a_pause_ends_an_utterance_and_the_next_one_begins() -> None:
    async with programs_server() as server, server.vosk() as client:
        await client.send(CONFIG)
        assert "partial" in await asked(client, said("one") * 800)
        assert (await asked(client, bytes(32_000)))["text"].startswith("one")
        await asked(client, b"two\0")
        assert await asked(client, END) == {"text": "two"}


async def test_a_reset_gives_the_transcript_and_begins_anew() -> None:
    async with programs_server() as server, server.vosk() as client:
        await client.send(CONFIG)
        await asked(client, b"one\0")
        assert await asked(client, '{"reset":1}') == {"text": "one"}
        assert await asked(client, '{"reset" : 1}') == {"text": ""}
        await asked(client, b"two\0")
        assert (await asked(client, END))["text"] == "two"


async def test_more_than_an_utterance_may_last_is_heard_in_parts() -> None:
    async with programs_server(MAX_AUDIO_DURATION="1") as server, server.vosk() as client:
        await client.send(CONFIG)
        texts = [reply["text"] for _ in range(10) if "text" in (reply := await asked(client, b"ab" * 3_200))]
        texts.append((await asked(client, END))["text"])
        assert len("".join(texts)) == 64_000 and max(map(len, texts)) <= 32_000


@pytest.mark.parametrize("message", ["{}", '{"unknown": 1}', "[]", "7", '"eof"'])
async def test_what_means_nothing_is_passed_over(message: str) -> None:
    async with programs_server() as server, server.vosk() as client:
        await client.send(CONFIG)
        await client.send(message)
        assert "partial" in await asked(client, b"hi")


@pytest.mark.parametrize(
    "message",
    [
        "not json",
        "{" * 5_000,
        '{"config": 7}',
        '{"config": {"sample_rate": "x"}}',
        '{"config": {"sample_rate": 1}}',
        '{"config": {"sample_rate": 1e999}}',
        '{"config": {"sample_rate": NaN}}',
        '{"config": {"max_alternatives": true}}',
        '{"config": {"phrase_list": [7]}}',
        json.dumps({"config": {"phrase_list": ["x"] * 5_001}}),
        b"x" * 300_000,
    ],
)
async def test_nonsense_is_told_so_and_closed_and_harms_nobody_else(message: str | bytes) -> None:
    async with programs_server() as server, server.vosk() as client, server.vosk() as other:
        await client.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            async with asyncio.timeout(10):
                await client.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.code in (1007, 1009)
        assert "partial" in await asked(other, b"hi")


async def test_other_sites_pages_and_other_machines_are_refused() -> None:
    async with programs_server(pairing="always") as server:
        for headers in ({"Origin": "https://elsewhere.example"}, {"Authorization": "Bearer nonsense"}, {}):
            with pytest.raises(InvalidStatus) as refused:
                async with server.vosk(additional_headers=headers):
                    pass
            assert refused.value.response.status_code in (401, 403)
    async with programs_server(pairing="always", clients="127.0.0.0/8") as server, server.vosk() as client:
        assert "partial" in await asked(client, b"hi")


async def test_a_hundred_at_once_are_heard_and_who_never_reads_or_leaves_takes_nothing_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "STALL_S", 0.2)
    async with programs_server() as server:
        async with server.vosk() as deaf, server.vosk() as leaving:
            await leaving.send(b"gone")
            leaving.transport.abort()
            deaf.transport.pause_reading()
            for _ in range(4):
                await deaf.send(b"hi")

            async def one(number: int) -> str:
                async with server.vosk() as client:
                    await client.send(CONFIG)
                    await asked(client, said(f"number {number}"))
                    return str((await asked(client, END))["text"])

            assert await asyncio.gather(*map(one, range(97))) == [f"number {n}" for n in range(97)]
            deaf.transport.abort()


def test_words_count_from_the_beginning_of_all_sound_and_alternatives_have_their_shape() -> None:
    final = Final("wie spät", (Word("wie", 0.1, 0.3, 1.0), Word("spät", 0.3, 0.7, 0.5)), 0.75)
    told = json.loads(result(final, Settings(), 2.0))
    assert told["text"] == "wie spät" and told["result"][1] == {"conf": 0.5, "end": 2.7, "start": 2.3, "word": "spät"}
    assert json.loads(result(final, Settings(words=False), 0.0)) == {"text": "wie spät"}
    (one,) = json.loads(result(final, Settings(alternatives=3, words=False), 0.0))["alternatives"]
    assert one == {"confidence": 0.75, "text": "wie spät"}


def test_a_config_changes_only_what_it_names() -> None:
    before = Settings(rate=48_000, words=False)
    found = parse('{"config": {"max_alternatives": 99, "model": "x", "phrase_list": ["yes", "[unk]"]}}', before)
    assert found == Settings(rate=48_000, words=False, alternatives=10, model="x")
    assert parse('{"eof" : 1}', before) == parse('{"eof":1}', before) == End()
    assert parse('{ "reset" : 1 }', before) == Reset()
    with pytest.raises(ProtocolError, match="phrase_list"):
        parse(json.dumps({"config": {"phrase_list": ["x" * 201]}}), before)
