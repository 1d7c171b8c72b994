"""The reference's own client, unmodified, in the order in which Home Assistant calls.

The order: read in Home Assistant 2026.11, components/wyoming (data.py, stt.py, tts.py, conversation.py).
"""

from __future__ import annotations

import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.handle import Handled, NotHandled
from wyoming.info import Describe, Info
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeStopped, SynthesizeVoice

from appliance.language import LANGUAGES, Language
from tests.server.programs.conftest import Heard, port
from tests.support.server import RunningServer
from tests.support.speech import word_errors

CHUNK_BYTES = 2048
"""Home Assistant's pipeline sends 1024 samples or less at a time."""


async def next_event(client: AsyncTcpClient) -> Event:
    event = await client.read_event()
    assert event is not None, "the connection was closed"
    return event


async def described(at: int) -> Info:
    async with AsyncTcpClient("127.0.0.1", at) as client:
        await client.write_event(Describe().event())
        event = await next_event(client)
        assert Info.is_type(event.type)
        return Info.from_event(event)


async def transcribed(at: int, pcm: bytes, language: Language, rate: int = 16_000) -> str:
    async with AsyncTcpClient("127.0.0.1", at) as client:
        await client.write_event(Transcribe(language=language).event())
        await client.write_event(AudioStart(rate=rate, width=2, channels=1).event())
        for begin in range(0, len(pcm), CHUNK_BYTES):
            await client.write_event(AudioChunk(rate, 2, 1, pcm[begin : begin + CHUNK_BYTES]).event())
        await client.write_event(AudioStop().event())
        while not Transcript.is_type((event := await next_event(client)).type):
            pass
        return Transcript.from_event(event).text


async def sound_until(client: AsyncTcpClient, last: str) -> tuple[bytes, int]:
    """(s16le, rate) of what is spoken until that event."""
    pcm, rate = b"", 0
    while (event := await next_event(client)).type != last:
        if AudioStart.is_type(event.type):
            rate = AudioStart.from_event(event).rate
        elif AudioChunk.is_type(event.type):
            pcm += AudioChunk.from_event(event).audio
    return pcm, rate


async def spoken_in_pieces(at: int, text: str, voice: str) -> tuple[bytes, int]:
    async with AsyncTcpClient("127.0.0.1", at) as client:
        await client.write_event(SynthesizeStart(voice=SynthesizeVoice(name=voice)).event())
        for begin in range(0, len(text), 5):
            await client.write_event(SynthesizeChunk(text[begin : begin + 5]).event())
        await client.write_event(Synthesize(text, voice=SynthesizeVoice(name=voice)).event())  # for older servers
        await client.write_event(SynthesizeStop().event())
        return await sound_until(client, SynthesizeStopped().event().type)


@pytest.mark.whole
async def test_home_assistants_calls_are_answered(server: RunningServer, heard: dict[Language, Heard]) -> None:
    at = port(server, "wyoming")
    info = await described(at)
    asr, tts, handle = info.asr[0], info.tts[0], info.handle[0]
    assert all(program.installed for program in (asr, tts, handle)) and info.satellite is None
    assert asr.supports_transcript_streaming and not asr.requires_external_vad
    assert tts.supports_synthesize_streaming
    languages = {language for model in asr.models for language in model.languages}
    for language in LANGUAGES:
        assert language in languages
        assert await transcribed(at, heard[language].pcm, language) == heard[language].text
        voice = next(voice for voice in tts.voices if voice.languages == [language])
        question = {"en": "What is seven times eight?", "de": "Wie viel ist sieben mal acht?"}[language]
        pcm, rate = await spoken_in_pieces(at, question, voice.name)
        wrong, _ = word_errors(heard[language].text, await transcribed(at, pcm, language, rate))
        assert wrong <= 1, "what is spoken through Wyoming is understood when it is heard through Wyoming"
    for language, text, answer in (
        ("en", "what is seven times eight", "56"),
        ("de", "wie viel ist sieben mal acht", "56"),
    ):
        async with AsyncTcpClient("127.0.0.1", at) as client:
            await client.write_event(
                Transcript(
                    text, language=language, context={"conversation_id": "01J", "device_id": None, "satellite_id": None}
                ).event()
            )
            while not (Handled.is_type((event := await next_event(client)).type) or NotHandled.is_type(event.type)):
                pass
            assert Handled.is_type(event.type) and answer in (Handled.from_event(event).text or "")
