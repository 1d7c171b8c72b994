"""What a client of Wyoming is told, and what becomes of one that misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest

from appliance import guests
from appliance.config import EndpointConfig
from appliance.errors import ConfigError
from appliance.server import streams
from appliance.server.allowed import Allowed
from appliance.server.wyoming import connection
from appliance.server.wyoming.codec import encode
from tests.support.faculties import FakeFaculties, willing
from tests.support.patience import rounds
from tests.support.programs import FORM, programs_server, said, sound

ASK = encode("transcribe", {"language": "en"}) + encode("audio-start", FORM)


async def test_what_was_said_comes_back_in_pieces_and_whole() -> None:
    async with programs_server() as server, server.client() as client:
        await client.send(ASK, *sound("what time is it", 3), encode("audio-stop"))
        types = [(event := await client.event()).type for _ in range(3)]
        assert types == ["transcript-start", "transcript-chunk", "transcript"]
        assert event.text("text") == "what time is it" and event.text("language") == "en"
        assert (await client.event()).type == "transcript-stop"


async def test_one_connection_hears_several_utterances_one_after_the_other() -> None:
    async with programs_server() as server, server.client() as client:
        for words in ("one", "two and", "three"):
            await client.send(ASK, *sound(words), encode("audio-stop"))
            assert (await client.event("transcript")).text("text") == words


async def test_an_utterance_that_was_not_announced_is_heard_too() -> None:
    async with programs_server() as server, server.client() as client:
        await client.send(*sound("hello you"), encode("audio-stop"))
        assert (await client.event("transcript")).text("text") == "hello you"


async def test_the_end_of_speech_is_ours_when_the_client_leaves_it_to_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EndpointConfig, "complete_s", 0.1)
    async with programs_server() as server, server.client() as client:
        await client.send(ASK, encode("audio-chunk", FORM, said("ok.") * 512))
        for _ in range(8):
            await rounds()  # a fake ear has to have heard it
            await client.send(encode("audio-chunk", FORM, bytes(1024)))
        assert (await client.event("transcript")).text("text").startswith("ok.")
        await client.send(*sound("more"), encode("audio-stop"), encode("ping", {"text": "x"}))
        assert (await client.event()).type == "transcript-stop"
        assert (await client.event()).type == "pong", "what came after the end was not answered again"


async def test_a_pause_in_a_recording_that_comes_all_at_once_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EndpointConfig, "complete_s", 0.1)
    async with programs_server() as server, server.client() as client:
        words = b"ok. " * 25_000
        await client.send(ASK, encode("audio-chunk", FORM, words), encode("audio-chunk", FORM, bytes(16_000)))
        await client.send(*sound("and more"), encode("audio-stop"))
        assert (await client.event("transcript")).text("text").endswith("and more")


async def test_a_text_is_spoken_between_start_and_stop() -> None:
    async with programs_server() as server, server.client() as client:
        await client.send(encode("synthesize", {"text": "Hello.", "voice": {"language": "en"}}))
        types = [(await client.event()).type for _ in range(12)]
        assert types == ["audio-start", *["audio-chunk"] * 10, "audio-stop"]


async def test_of_a_text_in_pieces_the_whole_that_comes_behind_is_ignored() -> None:
    """Home Assistant sends it for servers that cannot take pieces."""
    async with programs_server() as server, server.client() as client:
        await client.send(
            encode("synthesize-start", {"voice": {"language": "en"}}),
            encode("synthesize-chunk", {"text": "Hel"}),
            encode("synthesize-chunk", {"text": "lo."}),
            encode("synthesize", {"text": "Hello."}),
            encode("synthesize-stop"),
        )
        types = [(await client.event()).type for _ in range(13)]
        assert types == ["audio-start", *["audio-chunk"] * 10, "audio-stop", "synthesize-stopped"]
        await client.send(encode("ping"))
        assert (await client.event()).type == "pong"


async def test_a_conversation_remembers_and_what_is_not_understood_is_not_handled() -> None:
    async with programs_server() as server, server.client() as client:
        context = {"conversation_id": "abc", "device_id": None}
        await client.send(encode("transcript", {"text": "hello", "language": "en", "context": context}))
        answer = await client.event("handled")
        assert answer.text("text") == "You said hello" and answer.table("context") == context
        await client.send(encode("transcript", {"text": "boom", "context": context}))
        assert "error in the device" in (await client.event("not-handled")).text("text")
        await client.send(encode("transcript", {"text": "x" * 501}))
        assert "501 characters" in (await client.event("not-handled")).text("text")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (encode("transcribe", {"language": "fr"}), "unknown_language"),
        (encode("transcribe", {"language": 7}), "bad_field"),
        (encode("synthesize", {"text": "x" * 20_001}), "text_too_long"),
        (encode("synthesize", {"text": ["x"]}), "bad_field"),
        (encode("synthesize", {"text": "hallo", "voice": {"language": "de"}}), "no_voice"),
        (encode("synthesize", {"text": "hallo", "voice": "joe"}), "bad_field"),
        (encode("transcribe", {"language": "de"}) + encode("audio-start", FORM), "no_recognizer"),
        (encode("audio-chunk", {"rate": 16_000}, b"xx"), "bad_field"),
        (encode("audio-chunk", FORM | {"rate": 3}, b"xx"), "bad_format"),
        (encode("audio-chunk", FORM | {"width": None}, b"xx"), "bad_field"),
    ],
)
async def test_what_cannot_be_done_is_said_and_the_connection_goes_on(sent: bytes, code: str) -> None:
    async with programs_server() as server, server.client() as client:
        await client.send(sent, encode("ping", {"text": "still there"}))
        assert (await client.event("error")).text("code") == code
        assert (await client.event("pong")).text("text") == "still there"


@pytest.mark.parametrize(
    "sent",
    [
        encode("newer-than-this", {"x": 1}, b"payload"),
        encode("audio-start", FORM) + encode("audio-start", FORM),
        encode("synthesize-chunk", {"text": "of nothing"}),
        encode("synthesize-stop"),
        encode("run-satellite"),
        encode("transcribe", {"language": None, "name": None}),
        encode("audio-chunk", FORM, b"x"),
    ],
)
async def test_unknown_and_reordered_events_are_ignored(sent: bytes) -> None:
    async with programs_server() as server, server.client() as client:
        await client.send(sent, encode("ping"))
        assert (await client.event()).type == "pong"


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0" * 70_000,
        b'{"type":"audio-chunk","payload_length":99999999}\n',
        b'{"type":"x","data_length":300000}\n',
    ],
)
async def test_what_is_no_wyoming_is_told_so_and_closed(sent: bytes) -> None:
    async with programs_server() as server, server.client() as client, server.client() as other:
        await client.send(sent)
        assert (await client.event("error")).text("code") in ("bad_json", "too_long", "bad_length")
        assert await client.is_closed()
        await other.send(encode("ping"))
        assert (await other.event()).type == "pong"


async def test_an_event_that_never_becomes_whole_and_one_who_says_nothing_are_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "EVENT_S", 0.05)
    monkeypatch.setattr(connection, "SILENT_S", 0.05)
    async with programs_server() as server, server.client() as truncated, server.client() as silent:
        await truncated.send(b'{"type":"audio-chunk","payload_length":100}\nabc')
        await silent.send(ASK)
        assert await truncated.is_closed() and await silent.is_closed()
    assert server.faculties.forgotten == [""], "its recognizer went back"


async def test_who_never_reads_is_dropped_and_gives_its_turn_back(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(FakeFaculties):
        async def speak(self, *arguments: object, **named: object):  # type: ignore[no-untyped-def]
            while True:
                yield bytes(65_536)

    monkeypatch.setattr(streams, "STALL_S", 0.05)
    monkeypatch.setattr(guests, "MOST_SPEAKING", 1)
    async with programs_server(Endless()) as server, server.client() as deaf, server.client() as other:
        deaf.reader._transport.pause_reading()  # type: ignore[attr-defined]
        await deaf.send(encode("synthesize", {"text": "a book"}))
        await other.send(encode("synthesize", {"text": "hello"}))
        assert (await other.event("audio-start")).data["rate"] == connection.RATE
        deaf.reader._transport.resume_reading()  # type: ignore[attr-defined]
        assert await deaf.is_closed()


class _Spotting:
    """Notices whatever is not silence."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names, self.closed = names, False

    def feed(self, pcm: bytes) -> list[tuple[str, float]]:
        return [(self._names[0], 1.0 if any(pcm) else 0.1)]

    def close(self) -> None:
        self.closed = True


async def test_a_wake_word_is_noticed_once_and_what_comes_behind_it_can_be_heard() -> None:
    async with programs_server() as server, server.client() as client:
        server.programs.words.known, server.programs.words.make = {"a": "Ay", "b": "Bee"}, _Spotting
        await client.send(encode("describe"))
        info = await client.event("info")
        assert info.data["wake"][0]["models"][1]["phrase"] == "Bee"
        await client.send(
            encode("detect", {"names": ["b", "unknown"]}),
            encode("audio-start", FORM),
            *[encode("audio-chunk", FORM, bytes(6_400)), *sound("bee"), *sound("bee")],
            encode("audio-stop"),
            ASK,
            *sound("hello you"),
            encode("audio-stop"),
        )
        noticed = await client.event()
        assert (noticed.type, noticed.text("name"), noticed.number("timestamp")) == ("detection", "b", 200)
        assert (await client.event("transcript")).text("text") == "hello you"
        assert server.programs.words.listening == 0


async def test_where_no_word_is_said_that_is_told_and_without_any_words_too() -> None:
    async with programs_server() as server, server.client() as client:
        server.programs.words.known, server.programs.words.make = {"a": "Ay"}, _Spotting
        await client.send(
            encode("detect"), encode("audio-start", FORM), encode("audio-chunk", FORM, bytes(64)), encode("audio-stop")
        )
        assert (await client.event()).type == "not-detected"
        server.programs.words.known = {}
        await client.send(encode("detect", {"names": None}))
        assert (await client.event("error")).text("code") == "no_wake_words"


async def test_a_hundred_at_once_are_all_heard_and_one_more_takes_the_place_of_who_asks_nothing() -> None:
    async with programs_server() as server:

        async def one(number: int) -> str:
            async with server.client() as client:
                await client.send(ASK, *sound(f"number {number}", 2), encode("audio-stop"))
                return (await client.event("transcript")).text("text")

        assert await asyncio.gather(*map(one, range(100))) == [f"number {n}" for n in range(100)]
        async with AsyncExitStack() as stack:
            opened = [await stack.enter_async_context(server.client()) for _ in range(101)]
            for client in opened[1:]:
                await client.send(encode("ping"))
                assert (await client.event()).type == "pong"
            assert await opened[0].is_closed()
        assert server.dropped == ["crowded"]


async def test_who_is_not_on_the_list_gets_nothing() -> None:
    async with programs_server(pairing="always", clients="127.8.0.0/16") as server, server.client() as client:
        assert await client.is_closed()
    assert server.dropped == ["not_allowed"]


@pytest.mark.parametrize(
    ("address", "is_in"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("192.168.7.3", True),
        ("::ffff:192.168.7.3", True),
        ("192.168.8.3", False),
        ("fe80::1%eth0", False),
        ("nonsense", False),
        ("10.0.0.5", True),
        ("10.0.0.6", False),
    ],
)
def test_the_list_holds_addresses_and_networks(address: str, is_in: bool) -> None:
    assert (address in Allowed(["192.168.7.0/24", "10.0.0.5"])) is is_in


def test_a_list_with_nonsense_is_refused_with_its_value() -> None:
    with pytest.raises(ConfigError, match=r"STIMME_CLIENTS: 'kitchen' .*192\.168\.1\.0/24"):
        Allowed(["kitchen"])


async def test_what_is_said_while_all_speak_waits_for_its_turn() -> None:
    fake = willing()
    fake.speaking.clear()
    async with programs_server(fake) as server, AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(server.client()) for _ in range(5)]
        for client in opened:
            await client.send(encode("synthesize", {"text": "Hello."}))
        for client in opened[:4]:
            assert (await client.event()).type == "audio-start"
        fake.speaking.set()
        assert (await opened[4].event("audio-stop")).type == "audio-stop"
