"""The `openai` package, unmodified, against the real server."""

from __future__ import annotations

import io
import json
import urllib.request

import pytest
import soundfile
from openai import AsyncOpenAI, AuthenticationError, BadRequestError

from appliance.audio.pcm import RATE, floats
from appliance.language import LANGUAGES, Language
from tests.server.programs.conftest import Heard
from tests.support.containers import contained
from tests.support.server import RunningServer
from tests.support.speech import word_errors

LONG = "The sun is shining. Good morning. It is half past seven. " * 12


def token(server: RunningServer) -> str:
    """As `stimme paired add` makes one."""
    request = urllib.request.Request(
        f"{server.page}/paired/add", json.dumps({"name": "openai"}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(json.load(answer)["token"])


@pytest.mark.whole
async def test_the_openai_client_hears_and_speaks(server: RunningServer, heard: dict[Language, Heard]) -> None:
    async with AsyncOpenAI(api_key=token(server), base_url=f"{server.page}/v1", max_retries=0) as client:
        models = [model.id async for model in await client.models.list()]
        assert "whisper-1" in models and "tts-1" in models
        for language in LANGUAGES:
            await _in(client, language, heard[language])
        mp3 = await client.audio.speech.create(model="tts-1", voice="alloy", input=LONG)
        sound, rate = soundfile.read(io.BytesIO(mp3.content))
        assert len(sound) / rate > 40, "nothing is left out, unlike of a reply"
        slow, fast = [
            len(
                (
                    await client.audio.speech.create(
                        model="tts-1", voice="alloy", input="Good morning.", response_format="pcm", speed=speed
                    )
                ).content
            )
            for speed in (0.5, 2.0)
        ]
        assert slow > 1.5 * fast
        with pytest.raises(BadRequestError, match="expected one of"):
            await client.audio.speech.create(model="tts-1", voice="alloy", input="x", response_format="aac")
    async with AsyncOpenAI(api_key="sk-nonsense", base_url=f"{server.page}/v1", max_retries=0) as stranger:
        with pytest.raises(AuthenticationError, match="not known here"):
            await stranger.models.list()


async def _in(client: AsyncOpenAI, language: Language, question: Heard) -> None:
    file, transcriptions = question.file.read_bytes(), client.audio.transcriptions
    plain = await transcriptions.create(model="whisper-1", language=language, file=("q.wav", file))
    assert plain.text == question.text
    for name, codec in (("webm", "libopus"), ("mp4", "aac")):  # as browsers record
        recorded = contained(question.pcm, RATE, name, codec)
        found = await transcriptions.create(model="whisper-1", language=language, file=(f"q.{name}", recorded))
        assert found.text == question.text
    verbose = await transcriptions.create(
        model="whisper-1",
        language=language,
        file=("q.wav", file),
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert verbose.text == question.text and verbose.words and verbose.segments
    assert [(word.word, word.start, word.end) for word in verbose.words] == [
        (word.text, word.start_s, word.end_s) for word in question.words
    ]
    pieces, text = "", ""
    async for event in await transcriptions.create(
        model="whisper-1", language=language, file=("q.wav", file), stream=True
    ):
        if event.type == "transcript.text.delta":
            pieces += event.delta
        elif event.type == "transcript.text.done":
            text = event.text
    assert pieces == text == question.text
    captions = await transcriptions.create(
        model="whisper-1", language=language, file=("q.wav", file), response_format="vtt"
    )
    assert str(captions).startswith("WEBVTT") and question.words[0].text in str(captions)
    packed = io.BytesIO()
    soundfile.write(packed, floats(question.pcm), 16_000, format="FLAC")
    assert (
        await transcriptions.create(model="whisper-1", language=language, file=("q.flac", packed.getvalue()))
    ).text == question.text
    async with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice=language, input=question.text, response_format="wav"
    ) as answer:
        spoken = await answer.read()
    again = await transcriptions.create(model="whisper-1", language=language, file=("again.wav", spoken))
    assert word_errors(question.text, again.text)[0] <= 1
