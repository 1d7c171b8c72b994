"""Wyoming's framing: what the reference writes is read, in any pieces; what it would never write is refused."""

from __future__ import annotations

import asyncio
import random

import pytest
from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk
from wyoming.event import Event as ReferenceEvent
from wyoming.event import async_read_event, async_write_event

from appliance.errors import ProtocolError
from appliance.server.wyoming.codec import (
    MOST_DATA_BYTES,
    MOST_HEADER_BYTES,
    MOST_PAYLOAD_BYTES,
    Decoder,
    Event,
    encode,
)


class Written:
    """Enough of a StreamWriter for the reference."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    def writelines(self, lines: list[bytes]) -> None:
        self.data += b"".join(lines)

    async def drain(self) -> None: ...


async def as_the_reference_writes(*events: ReferenceEvent) -> bytes:
    written = Written()
    for event in events:
        await async_write_event(event, written)  # type: ignore[arg-type]
    return written.data


async def test_what_the_reference_writes_is_read_in_any_pieces() -> None:
    sound = AudioChunk(16_000, 2, 1, b"\1\0\2\n" * 40, timestamp=7)
    wire = await as_the_reference_writes(Transcribe(language="de").event(), sound.event(), ReferenceEvent("describe"))
    for seed in range(20):
        dice, decoder, found, at = random.Random(seed), Decoder(), list[Event](), 0
        while at < len(wire):
            step = dice.choice((1, 3, 50, 1000))
            found += decoder.feed(wire[at : at + step])
            at += step
        assert [event.type for event in found] == ["transcribe", "audio-chunk", "describe"]
        assert found[0].text("language") == "de" and found[1].payload == sound.audio
        assert found[1].number("rate") == 16_000 and not decoder.is_inside


async def test_the_reference_reads_what_is_written() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(
        encode("transcript", {"text": "grüße"}) + encode("audio-chunk", {"rate": 1}, b"\0\n") + encode("x")
    )
    first, second, third = [await async_read_event(reader) for _ in range(3)]
    assert first is not None and first.data == {"text": "grüße"}
    assert second is not None and second.payload == b"\0\n"
    assert third is not None and (third.type, third.data, third.payload) == ("x", {}, None)


def test_data_beside_the_header_wins_over_data_inside_it() -> None:
    (event,) = Decoder().feed(b'{"type":"x","data":{"a":1,"b":1},"data_length":7}\n{"b":2}')
    assert event.data == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (b"GET / HTTP/1.1\r\n", "bad_json"),
        (b"\xff\xfe\n", "bad_json"),
        (b"[]\n", "bad_json"),
        (b"{}\n", "bad_header"),
        (b'{"type":7}\n', "bad_header"),
        (b'{"type":"x","data":' + b"[" * 60_000 + b"}\n", "bad_json"),
        (b'{"type":"x","data_length":3}\n[1]', "bad_json"),
        (b'{"type":"x","data_length":2}\n{]', "bad_json"),
        (b'{"type":"\\ud800"}\n', "bad_json"),
        (b'{"type":"x","data_length":-1}\n', "bad_length"),
        (b'{"type":"x","payload_length":true}\n', "bad_length"),
        (b'{"type":"x","payload_length":"9"}\n', "bad_length"),
        (b'{"type":"x","payload_length":%d}\n' % (MOST_PAYLOAD_BYTES + 1), "bad_length"),
        (b'{"type":"x","data_length":%d}\n' % (MOST_DATA_BYTES + 1), "bad_length"),
        (b'{"type":"x","data_length":1e999}\n', "bad_json"),
        (b"x" * (MOST_HEADER_BYTES + 1), "too_long"),
    ],
)
def test_what_is_no_event_is_refused(wire: bytes, code: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        list(Decoder().feed(wire))
    assert refused.value.code == code
