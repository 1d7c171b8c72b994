"""The Realtime API: sessions of both kinds, with and without finding the end of speech, and what is refused."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from appliance.server.openai import realtime
from tests.support.faculties import FakeFaculties
from tests.support.programs import ProgramsServer, programs_server, said

SILENCE = bytes(32_000)
HI = b"hi" + bytes(3_000)
"""Something that sounds, as the detector of these tests has it, and what the ears hear in it."""
PLAIN: dict[str, Any] = {
    "type": "transcription",
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 16_000},
            "turn_detection": None,
            "transcription": {"model": "x"},
        }
    },
}
WITH_ENDS: dict[str, Any] = {
    "audio": {"input": {"format": {"type": "audio/pcm", "rate": 16_000}, "turn_detection": {"type": "server_vad"}}}
}


class Client:
    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, type: str, **fields: Any) -> None:
        await self._socket.send(json.dumps({"type": type, "event_id": "mine", **fields}))

    async def sound(self, pcm: bytes) -> None:
        for begin in range(0, len(pcm), 6_400):
            await self.send("input_audio_buffer.append", audio=base64.b64encode(pcm[begin : begin + 6_400]).decode())

    async def event(self, type: str = "") -> dict[str, Any]:
        """The next event (of that type)."""
        async with asyncio.timeout(10):
            while True:
                event = json.loads(await self._socket.recv())
                assert isinstance(event, dict)
                if type in ("", event["type"]):
                    return event

    async def until(self, type: str) -> list[str]:
        """The types of all events up to that one."""
        types = [""]
        while types[-1] != type:
            types.append((await self.event())["type"])
        return types[1:]


@asynccontextmanager
async def client(server: ProgramsServer, query: str = "", **session: Any) -> AsyncIterator[Client]:
    async with connect(f"ws://127.0.0.1:{server.ports['page']}/v1/realtime{query}", compression=None) as socket:
        one = Client(socket)
        assert (await one.event())["type"] == "session.created"
        if session:
            await one.send("session.update", session=session)
            assert (await one.event())["type"] == "session.updated"
        yield one


async def test_without_turn_detection_the_client_says_when_it_is_over() -> None:
    async with programs_server() as server, client(server, "?intent=transcription", **PLAIN) as one:
        await one.sound(b"hello you ")
        await one.send("input_audio_buffer.commit")
        types = await one.until("conversation.item.input_audio_transcription.delta")
        assert types[0] == "input_audio_buffer.committed" and "conversation.item.added" in types
        done = await one.event("conversation.item.input_audio_transcription.completed")
        assert done["transcript"] == "hello you " and done["usage"]["type"] == "duration"
        await one.send("input_audio_buffer.commit")
        assert (await one.event("error"))["error"]["code"] == "input_audio_buffer_commit_empty"


async def test_with_turn_detection_each_utterance_is_found() -> None:
    async with programs_server() as server, client(server, "?intent=transcription", **WITH_ENDS) as one:
        for words in ("one ", "two "):
            await one.sound(SILENCE + said(words) * 800 + SILENCE)
            started = await one.event("input_audio_buffer.speech_started")
            await one.event("input_audio_buffer.speech_stopped")
            done = await one.event("conversation.item.input_audio_transcription.completed")
            assert words.strip() in done["transcript"] and done["item_id"] == started["item_id"]


async def test_a_conversation_is_answered_in_words_and_sound() -> None:
    async with programs_server() as server, client(server, "?model=stimme", **WITH_ENDS) as one:
        await one.sound(HI + SILENCE)
        types = await one.until("response.done")
        wanted = [
            "response.created",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_audio_transcript.delta",
            *["response.output_audio.delta"] * 10,
            "response.output_audio.done",
            "response.output_audio_transcript.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.done",
        ]
        assert [type for type in types if type.startswith("response.")] == wanted


async def test_written_questions_are_answered_when_they_are_asked_for() -> None:
    async with programs_server() as server, client(server) as one:
        await one.send("response.create")
        assert (await one.event("error"))["error"]["code"] == "nothing_asked"
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}
        await one.send("conversation.item.create", item=item)
        await one.send("response.create")
        done = await one.event("response.done")
        (said,) = done["response"]["output"]
        assert done["response"]["status"] == "completed" and said["content"][0]["transcript"] == "You said hello"


async def test_a_person_who_speaks_on_interrupts_the_answer() -> None:
    fake = FakeFaculties()
    fake.hearing.set()
    fake.thinking.set()
    async with programs_server(fake) as server, client(server, **WITH_ENDS) as one:
        await one.sound(HI + SILENCE)
        await one.event("response.output_audio.delta")
        await one.sound(HI)
        done = await one.event("response.done")
        assert done["response"]["status"] == "cancelled"
        assert done["response"]["status_details"]["reason"] == "turn_detected"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("not json", "bad_json"),
        ("[]", "bad_json"),
        ("{}", "bad_json"),
        ("{" * 9_000, "bad_json"),
        (b"\0\1", "bad_json"),
        ({"type": "what.is.this"}, "unknown_event"),
        ({"type": "input_audio_buffer.append", "audio": 7}, "bad_field"),
        ({"type": "input_audio_buffer.append", "audio": "no base64!"}, "bad_field"),
        ({"type": "session.update", "session": 7}, "bad_field"),
        ({"type": "session.update", "session": {"type": "x"}}, "bad_field"),
        ({"type": "session.update", "session": {"input_audio_format": "g711_ulaw"}}, "bad_field"),
        ({"type": "session.update", "session": {"audio": {"input": {"format": {"rate": 1e9}}}}}, "bad_field"),
        ({"type": "session.update", "session": {"turn_detection": {"type": "psychic"}}}, "bad_field"),
        ({"type": "session.update", "session": {"turn_detection": {"silence_duration_ms": -1}}}, "bad_field"),
        ({"type": "session.update", "session": {"input_audio_transcription": {"language": "fr"}}}, "unknown_language"),
        ({"type": "conversation.item.create", "item": "x"}, "bad_field"),
        ({"type": "response.create"}, "nothing_asked"),
        ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty"),
    ],
)
async def test_what_cannot_be_done_is_said_and_the_session_goes_on(sent: Any, code: str) -> None:
    async with programs_server() as server, client(server) as one:
        await one._socket.send(sent if isinstance(sent, str | bytes) else json.dumps(sent))
        assert (await one.event("error"))["error"]["code"] == code
        await one.send("input_audio_buffer.clear")
        assert (await one.event())["type"] == "input_audio_buffer.cleared"


async def test_transcription_sessions_have_no_answers() -> None:
    async with programs_server() as server, client(server, "?intent=transcription") as one:
        await one.send("response.create")
        failed = await one.event("error")
        assert failed["error"]["code"] == "no_responses" and failed["error"]["event_id"] == "mine"


async def test_too_large_an_event_ends_only_its_own_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(realtime, "MOST_MESSAGE_BYTES", 100_000)
    async with programs_server() as server, client(server) as one, client(server, **PLAIN) as other:
        await one.sound(bytes(6_400))
        with pytest.raises(ConnectionClosed):
            await one._socket.send("x" * 200_000)
            await one.event("never")
        await other.sound(b"hi")
        await other.send("input_audio_buffer.commit")
        assert (await other.event("conversation.item.input_audio_transcription.completed"))["transcript"] == "hi"


async def test_whoever_is_revoked_is_gone_at_once() -> None:
    async with programs_server() as server, client(server) as one:
        server.programs.look_again(lambda visitor: True)
        await one.send("input_audio_buffer.clear")
        assert (await one.event())["type"] == "input_audio_buffer.cleared"
        server.programs.look_again(lambda visitor: visitor.id != "local")
        with pytest.raises(ConnectionClosed):
            await one.event()


async def test_fifty_at_once_and_those_who_leave_in_the_middle() -> None:
    async with programs_server() as server:

        async def one(number: int) -> str:
            async with client(server, **PLAIN) as one:
                await one.sound(f"number {number:03}".encode())
                if number % 5 == 0:
                    one._socket.transport.abort()
                    return ""
                await one.send("input_audio_buffer.commit")
                done = await one.event("conversation.item.input_audio_transcription.completed")
                return str(done["transcript"])

        found = await asyncio.gather(*map(one, range(50)))
        assert found == ["" if number % 5 == 0 else f"number {number:03}" for number in range(50)]
