"""Fuzz targets of other people's programs: Wyoming's frames, forms, WAV files, Vosk's and the realtime API's events."""

from __future__ import annotations

import json
from collections.abc import Coroutine
from typing import Any, cast

from appliance.audio.files import HEAD_BYTES, WavStream
from appliance.errors import ProtocolError
from appliance.server.http import Body, Request
from appliance.server.openai import realtime_events
from appliance.server.openai.upload import Upload
from appliance.server.vosk import protocol as vosk_protocol
from appliance.server.wyoming.codec import (
    MOST_DATA_BYTES,
    MOST_HEADER_BYTES,
    MOST_PAYLOAD_BYTES,
    Decoder,
    Event,
    encode,
)

MOST_KEPT = MOST_HEADER_BYTES + MOST_DATA_BYTES + MOST_PAYLOAD_BYTES


def _cut(data: bytes) -> list[bytes]:
    """In pieces whose size the first byte says."""
    step = 1 + data[0] if data else 1
    return [data[begin : begin + step] for begin in range(1, len(data), step)]


def wyoming(data: bytes) -> None:
    """Events come out the same however the bytes are cut, can be written down again, and what is none is refused."""
    decoder, found = Decoder(), list[Event]()
    try:
        for piece in _cut(data):
            found += decoder.feed(piece)
            assert len(decoder._bytes) <= MOST_KEPT
    except ProtocolError as error:
        encode("error", {"text": str(error), "code": error.code})
        return
    whole = list(Decoder().feed(data[1:]))
    assert whole == found
    for event in found:
        (again,) = Decoder().feed(encode(event.type, event.data, event.payload))
        assert again == event
        for name in ("text", "rate", "voice"):
            for read in (event.text, event.number, event.table):
                try:
                    read(name)
                except ProtocolError as error:
                    json.dumps(str(error)).encode()


class _Body:
    """A request's body that is there already."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    async def read(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


async def _read(request: Request) -> int:
    upload = Upload(request)
    await upload.to_file()
    size = 0
    async for piece in upload.file():
        size += len(piece)
    upload.one("language")
    return size


def _now(work: Coroutine[Any, Any, int]) -> int:
    """What never waits, without an event loop."""
    try:
        work.send(None)
    except StopIteration as stop:
        return int(stop.value)
    raise AssertionError("it waited")


def upload(data: bytes) -> None:
    """A form is taken apart or refused in words that can be sent; no more comes out than went in."""
    body = cast(Body, _Body(_cut(data)))
    headers = {"content-type": "multipart/form-data; boundary=mark"}
    try:
        size = _now(_read(Request("POST", "/v1/audio/transcriptions", headers, body=body)))
    except ProtocolError as error:
        json.dumps(str(error), ensure_ascii=False).encode()
        return
    assert size <= len(data)


def wav(data: bytes) -> None:
    """A WAV file becomes sound or is refused; before it has begun no more than its head is kept."""
    stream, size = WavStream(), 0
    try:
        for piece in _cut(data):
            size += len(stream.feed(piece))
            assert len(stream._waiting) <= HEAD_BYTES + 256
        size += len(stream.end())
    except ProtocolError as error:
        str(error).encode()
        return
    assert size % 2 == 0 and size <= 4 * len(data) + 64_000


def vosk(data: bytes) -> None:
    """A message is understood, passed over or refused."""
    try:
        found = vosk_protocol.parse(data.decode("utf-8", "replace"), vosk_protocol.Settings())
    except ProtocolError as error:
        str(error).encode("utf-8", "replace")
        return
    if isinstance(found, vosk_protocol.Settings):
        assert 0 <= found.alternatives <= vosk_protocol.MOST_ALTERNATIVES


def realtime(data: bytes) -> None:
    """An event changes a session to one that can be shown, or is refused with an event that can be sent."""
    settings = realtime_events.Settings("realtime")
    try:
        fields = realtime_events.parse(data.decode("utf-8", "replace"))
        realtime_events.text(fields)
        settings = realtime_events.updated(settings, fields)
        json.dumps(realtime_events.shown("sess_1", settings)).encode()
        realtime_events.audio(fields)
    except ProtocolError as error:
        json.loads(realtime_events.error(error, "mine"))


TARGETS = {"wyoming": wyoming, "upload": upload, "wav": wav, "vosk": vosk, "realtime": realtime}

_PART = b'--mark\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
_FILE = b'--mark\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\x24\0\0\0WAVEfmt \r\n'
_FORM = b"\x01\0\x02\0\x80\x3e\0\0\0\xfa\0\0\x04\0\x10\0"

SEEDS: dict[str, tuple[bytes, ...]] = {
    "wyoming": (
        b"\x10" + encode("audio-chunk", {"rate": 16_000, "width": 2, "channels": 1}, b"abcd"),
        b"\x03" + encode("transcribe", {"language": "de"}) + encode("describe"),
        b"\x40" + encode("synthesize", {"text": "hello", "voice": {"name": "x"}}),
        b'\x05{"type":"x","data":{"a":1},"data_length":7,"payload_length":2}\n{"b":2}zz',
    ),
    "upload": (
        b"\x10" + _PART + _FILE + b"--mark--\r\n",
        b"\x40" + _FILE + _PART + b"--mark--\r\n",
        b"\x05" + _FILE + _FILE + b"--mark--\r\n",
    ),
    "wav": (
        b"\x08RIFF\x24\0\0\0WAVEfmt \x10\0\0\0" + _FORM + b"data\x08\0\0\0abcdefgh",
        b"\x20RIFF\xff\xff\xff\xffWAVELIST\x04\0\0\0INFOfmt \x10\0\0\0" + _FORM + b"data\xff\xff\xff\xffabcd",
    ),
    "vosk": (
        b'{"config": {"sample_rate": 16000, "words": true, "max_alternatives": 3}}',
        b'{"eof" : 1}',
        b'{"config": {"phrase_list": ["yes", "no"], "model": "x"}}',
        b'{"reset": 1}',
    ),
    "realtime": (
        b'{"type":"session.update","session":{"type":"transcription","audio":{"input":{"format":{"type":'
        b'"audio/pcm","rate":24000},"turn_detection":{"type":"server_vad","silence_duration_ms":200}}}}}',
        b'{"type":"input_audio_buffer.append","audio":"AAAA"}',
        b'{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"text":"x"}]}}',
        b'{"type":"session.update","session":{"input_audio_format":"pcm16","turn_detection":null}}',
    ),
}
