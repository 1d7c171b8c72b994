"""The sequence of vosk-server's own test client (websocket/test.py), against the real server."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from appliance.language import LANGUAGES, Language
from tests.server.programs.conftest import Heard, port
from tests.support.server import RunningServer


async def sent_as_the_test_client_does(url: str, file: Path) -> tuple[str, int, int]:
    """(transcript, messages of sound, replies): it sends 0.2 s, waits for the reply, and so on."""
    texts, sent, got = [], 0, 0
    async with connect(url) as client:
        with wave.open(str(file), "rb") as sound:
            await client.send(json.dumps({"config": {"sample_rate": sound.getframerate()}}))
            while data := sound.readframes(int(sound.getframerate() * 0.2)):
                await client.send(data)
                sent += 1
                texts.append(json.loads(await client.recv()).get("text", ""))
                got += 1
        await client.send('{"eof" : 1}')
        last = json.loads(await client.recv())
        texts.append(last["text"])
    return " ".join(filter(None, texts)), sent, got


@pytest.mark.whole
async def test_vosks_own_client_gets_what_stimme_hears(server: RunningServer, heard: dict[Language, Heard]) -> None:
    at = port(server, "vosk")
    for language in LANGUAGES:
        text, sent, got = await sent_as_the_test_client_does(f"ws://127.0.0.1:{at}/{language}", heard[language].file)
        assert text == heard[language].text and sent == got > 5
