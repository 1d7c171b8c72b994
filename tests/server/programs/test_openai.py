"""OpenAI's audio API: what is asked in its words is answered in its words, and so is what goes wrong."""

from __future__ import annotations

import asyncio
import io
import json

import pytest
import soundfile

from appliance.audio import containers
from appliance.audio.files import LONGEST_S, Packer, unpacked
from appliance.errors import ProtocolError
from appliance.server.openai import transcription, upload
from tests.support.faculties import willing
from tests.support.patience import until
from tests.support.programs import programs_server, said, wav

HEAR, SPEAK = "/v1/audio/transcriptions", "/v1/audio/speech"


async def test_a_file_is_heard_whether_it_comes_before_or_behind_what_is_asked_of_it() -> None:
    async with programs_server() as server:
        for file_first in (False, True):
            status, body, _ = await server.form(
                HEAR, wav(said("hello you")), {"model": "whisper-1"}, file_first=file_first
            )
            assert (status, json.loads(body)["text"]) == (200, "hello you")


@pytest.mark.parametrize(
    ("wanted", "begins"),
    [
        ("json", b'{"text": "hello you", "usage"'),
        ("text", b"hello you\n"),
        ("vtt", b"WEBVTT\n"),
        ("srt", b""),
        ("verbose_json", b'{"task": "transcribe", "language": "en"'),
    ],
)
async def test_every_format_of_an_answer(wanted: str, begins: bytes) -> None:
    async with programs_server() as server:
        status, body, _ = await server.form(HEAR, wav(said("hello you")), {"model": "x", "response_format": wanted})
        assert status == 200 and body.startswith(begins)


async def test_what_is_heard_can_be_told_as_it_comes() -> None:
    async with programs_server() as server:
        status, body, headers = await server.form(HEAR, wav(said("hello you")), {"model": "x", "stream": "true"})
        events = [json.loads(line.removeprefix("data: ")) for line in body.decode().split("\n\n") if line]
        assert headers["content-type"] == "text/event-stream"
        assert [event["type"] for event in events] == ["transcript.text.delta", "transcript.text.done"]
        assert events[0]["delta"] == events[1]["text"] == "hello you"


async def test_a_language_that_comes_too_late_is_no_reason_to_hear_the_wrong_one() -> None:
    fake = willing()
    fake.languages = ("en", "de")
    async with programs_server(fake) as server:
        mark, file = "x", wav(said("hello") * 60_000)
        parts = [b'"model"\r\n\r\nm', b'"file"; filename="a"\r\n\r\n' + file, b'"language"\r\n\r\nde']
        begin = b"--x\r\nContent-Disposition: form-data; name="
        body = b"".join(begin + part + b"\r\n" for part in parts) + b"--x--\r\n"
        status, answer, _ = await server.ask("POST", HEAR, body, content_type=f"multipart/form-data; boundary={mark}")
        assert (status, json.loads(answer)["error"]["code"]) == (400, "late_field")


async def test_long_sound_is_cut_where_it_is_quiet_and_put_together_again() -> None:
    async with programs_server(MAX_AUDIO_DURATION="1") as server:
        loud = b"ab" * 12_000
        file = wav(loud + bytes(9_000) + loud)
        status, body, _ = await server.form(HEAR, file, {"model": "x", "response_format": "text"})
        first, second = body.decode().split()
        assert status == 200 and (len(first), len(second)) == (24_000, 24_000)


@pytest.mark.parametrize(
    ("file", "fields", "status", "code"),
    [
        (b"\x1a\x45\xdf\xa3" + bytes(100), {}, 400, "bad_file"),
        (b"\0\0\0\x20ftypM4A " + bytes(100), {}, 400, "bad_file"),
        (b"nonsense" * 20, {}, 400, "bad_file"),
        (b"", {}, 400, "bad_file"),
        (wav(b"")[:30], {}, 400, "bad_file"),
        (b"RIFF\0\0\0\0WAVE" + b"junk\x10\0\0\0" * 9000, {}, 400, "bad_file"),
        (wav(said("x")).replace(b"\x01\0\x01\0", b"\x55\0\x01\0"), {}, 400, "bad_file"),
        (wav(said("x")), {"language": "fr"}, 400, "unknown_language"),
        (wav(said("x")), {"language": "de"}, 400, "no_recognizer"),
        (wav(said("x")), {"response_format": "diarized_json"}, 400, "bad_field"),
    ],
)
async def test_what_cannot_be_heard_is_said_in_its_shape(
    file: bytes, fields: dict[str, str], status: int, code: str
) -> None:
    async with programs_server() as server:
        found, body, _ = await server.form(HEAR, file, {"model": "whisper-1"} | fields)
        error = json.loads(body)["error"]
        assert (found, error["code"], error["type"]) == (status, code, "invalid_request_error")
        assert len(error["message"]) > 20


async def test_a_container_without_its_extra_is_415_and_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "import_module", _missing)
    async with programs_server() as server:
        found, body, _ = await server.form(HEAR, b"\x1a\x45\xdf\xa3" + bytes(100), {"model": "whisper-1"})
        error = json.loads(body)["error"]
        assert (found, error["code"]) == (415, "not_understood")
        assert "stimme[media]" in error["message"] and "ffmpeg" in error["message"]


def _missing(name: str) -> None:
    raise ImportError(name)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{}", "application/json"),
        (b"", "multipart/form-data; boundary=x"),
        (b"junk" * 100, "multipart/form-data; boundary=x"),
        (b"--x\r\n", "multipart/form-data"),
        (b"--x\r\n", "multipart/form-data; boundary=" + "x" * 400),
        (
            b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\n' + b"y" * 30_000 + b"\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
        (b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\ny\r\n' * 60, "multipart/form-data; boundary=x"),
    ],
)
async def test_what_is_no_form_is_said_too(body: bytes, content_type: str) -> None:
    async with programs_server() as server:
        status, answer, _ = await server.ask("POST", HEAR, body, content_type=content_type)
        assert status == 400 and json.loads(answer)["error"]["code"] in ("bad_form", "no_file")


async def test_a_file_that_is_too_large_is_not_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "MOST_BYTES", 200_000)
    monkeypatch.setattr(transcription, "MOST_KEPT_BYTES", 100_000)
    async with programs_server() as server:
        status, _, _ = await server.form(HEAR, wav(bytes(300_000)), {"model": "x"})
        assert status == 413
        status, body, headers = await server.form(HEAR, b"fLaC" + bytes(150_000), {"model": "x"})
        assert (status, headers["retry-after"]) == (503, "1")


async def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind() -> None:
    fake = willing()
    async with programs_server(fake) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.ports["page"])
        head = (
            b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\ny\r\n--x\r\n'
            b'Content-Disposition: form-data; name="file"\r\n\r\n'
        )
        writer.write(
            b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n\r\n" + head + wav(said("hello") * 100)
        )
        await writer.drain()
        await until(lambda: server.guests.places_taken)
        writer.transport.abort()
        await until(lambda: not server.guests.places_taken)
        assert fake.forgotten


@pytest.mark.parametrize(
    ("kind", "content_type", "begins"),
    [
        ("mp3", "audio/mpeg", b"\xff"),
        ("opus", "audio/ogg", b"OggS"),
        ("flac", "audio/flac", b"fLaC"),
        ("wav", "audio/wav", b"RIFF"),
        ("pcm", "audio/pcm", b"\1\0\1\0"),
    ],
)
async def test_a_text_is_spoken_in_every_format(kind: str, content_type: str, begins: bytes) -> None:
    async with programs_server() as server:
        wanted = {"model": "tts-1", "voice": "alloy", "input": "Hello.", "response_format": kind}
        status, body, headers = await server.ask("POST", SPEAK, json.dumps(wanted).encode())
        assert status == 200 and headers["content-type"] == content_type and body.startswith(begins)
        assert headers["transfer-encoding"] == "chunked"


async def test_speech_can_come_as_events() -> None:
    async with programs_server() as server:
        wanted = {"input": "Hello.", "response_format": "pcm", "stream_format": "sse"}
        _, body, _ = await server.ask("POST", SPEAK, json.dumps(wanted).encode())
        events = [json.loads(line.removeprefix("data: ")) for line in body.decode().split("\n\n") if line]
        assert [event["type"] for event in events] == ["speech.audio.delta"] * 10 + ["speech.audio.done"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"", None),
        (b"[]", None),
        (b"{" * 5000, None),
        (b'{"input": "\\ud800"}', None),
        (b"{}", "input"),
        (b'{"input": 7}', "input"),
        (b'{"input": "x", "response_format": "aac"}', "response_format"),
        (b'{"input": "x", "speed": 9}', "speed"),
        (b'{"input": "x", "speed": true}', "speed"),
        (b'{"input": "x", "voice": "de"}', None),
        (json.dumps({"input": "x" * 4097}).encode(), "input"),
    ],
)
async def test_what_cannot_be_spoken_is_said_with_the_field(body: bytes, param: str | None) -> None:
    fake = willing()
    fake.names = {"de": "pico-de-DE"}
    if b'"de"' in body:
        param = "voice"
    async with programs_server(fake) as server:
        status, answer, _ = await server.ask("POST", SPEAK, body)
        assert status == 400 and json.loads(answer)["error"]["param"] == param


async def test_who_may_not_ask_is_told_in_its_shape_too() -> None:
    async with programs_server(pairing="always") as server:
        for method, path in (("GET", "/v1/models"), ("POST", SPEAK)):
            status, body, _ = await server.ask(method, path, authorization="Bearer sk-nonsense")
            assert (status, json.loads(body)["error"]["code"]) == (401, "invalid_api_key")
        status, body, _ = await server.ask("GET", SPEAK)
        assert (status, json.loads(body)["error"]["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    ("path", "key"), [("/v1/models", "data"), ("/v1/audio/models", "models"), ("/v1/audio/voices", "voices")]
)
async def test_what_there_is_is_listed(path: str, key: str) -> None:
    fake = willing()
    fake.names = {"en": "a-voice"}
    async with programs_server(fake) as server:
        status, body, _ = await server.ask("GET", path)
        assert status == 200 and "a-voice" in [entry["id"] for entry in json.loads(body)[key]]


async def test_fifty_files_at_once_are_all_heard() -> None:
    async with programs_server() as server:
        answers = await asyncio.gather(
            *(
                server.form(HEAR, wav(said(f"number {number}")), {"model": "x", "response_format": "text"})
                for number in range(50)
            )
        )
        assert [body.decode().strip() for _, body, _ in answers] == [f"number {number}" for number in range(50)]


@pytest.mark.parametrize("kind", ["flac", "mp3", "opus"])
def test_what_is_packed_piece_by_piece_is_whole(kind: str) -> None:
    packer = Packer(kind, 24_000)  # type: ignore[arg-type]
    file = b"".join([packer.feed(bytes(24_000)) for _ in range(6)]) + packer.end()
    with soundfile.SoundFile(io.BytesIO(file)) as sound:
        assert sound.samplerate == 24_000 and 72_000 <= sound.frames < 74_500
    assert 6_000 * 16 <= sum(map(len, unpacked(file))) < 6_300 * 16


def test_sound_of_days_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.audio.files.LONGEST_S", 1.0)
    packer = Packer("flac", 8_000)
    file = packer.feed(bytes(32_000)) + packer.end()
    assert LONGEST_S > 1
    with pytest.raises(ProtocolError, match="hours of sound"):
        list(unpacked(file))
