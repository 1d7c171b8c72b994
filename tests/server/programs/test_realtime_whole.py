"""The `openai` package's realtime client, unmodified, against the real server: a transcription, and a conversation."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import numpy as np
import pytest
import soxr
from openai import AsyncOpenAI

from appliance.audio.pcm import floats, s16le
from appliance.language import Language
from tests.server.programs.conftest import Heard
from tests.server.programs.test_openai_whole import token
from tests.support.server import RunningServer
from tests.support.speech import word_errors

RATE = 24_000
GERMAN: Any = {
    "type": "transcription",
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": RATE},
            "transcription": {"model": "x", "language": "de"},
            "turn_detection": {"type": "server_vad"},
        }
    },
}


def in_pieces(pcm: bytes) -> list[str]:
    """16 kHz as the API has it: 24 kHz, base64, a tenth of a second at a time; a second of silence behind."""
    wave = soxr.resample(np.concatenate((floats(pcm), np.zeros(16_000, np.float32))), 16_000, RATE)
    sent = s16le(wave)
    return [base64.b64encode(sent[begin : begin + RATE // 5]).decode() for begin in range(0, len(sent), RATE // 5)]


@pytest.mark.whole
async def test_the_realtime_client_is_heard_and_answered(server: RunningServer, heard: dict[Language, Heard]) -> None:
    async with AsyncOpenAI(api_key=token(server), base_url=f"{server.page}/v1") as client:
        async with client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
            await connection.session.update(session=GERMAN)
            for piece in in_pieces(heard["de"].pcm):
                await connection.input_audio_buffer.append(audio=piece)
            async with asyncio.timeout(20):
                async for event in connection:
                    if event.type == "conversation.item.input_audio_transcription.completed":
                        assert word_errors(heard["de"].text, event.transcript)[0] <= 1
                        break
        async with client.realtime.connect(model="stimme") as connection:
            for piece in in_pieces(heard["en"].pcm):
                await connection.input_audio_buffer.append(audio=piece)
            answer, sound = "", b""
            async with asyncio.timeout(20):
                async for event in connection:
                    if event.type == "response.output_audio_transcript.done":
                        answer = event.transcript
                    elif event.type == "response.output_audio.delta":
                        sound += base64.b64decode(event.delta)
                    elif event.type == "response.done":
                        break
            assert "56" in answer or "fifty" in answer.lower()
            assert len(sound) / 2 / RATE > 0.5
