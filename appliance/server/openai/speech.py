"""POST /v1/audio/speech: a text comes, its sound goes back while it is being made."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any

from appliance.audio.files import Kind, Packer
from appliance.errors import ProtocolError
from appliance.guests import Guests
from appliance.language import Language
from appliance.server.access import Visitor
from appliance.server.http import HttpError, Request, Response
from appliance.server.json_object import json_object
from appliance.server.openai.refusals import Refused, refusal, refused

Run = Callable[..., Awaitable[Any]]

RATE = 24_000
"""What OpenAI's pcm is; opus can be made of it."""
MOST_CHARACTERS = 4096
"""OpenAI's own limit of a text."""
MOST_BODY_BYTES = 64 * 1024
SPEEDS = (0.25, 4.0)
TYPES: dict[Kind, str] = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}


class Speech:
    """run: for what takes long, in a thread of its own."""

    def __init__(self, guests: Guests, run: Run) -> None:
        self._guests, self._run = guests, run

    async def answer(self, request: Request, visitor: Visitor) -> Response:
        """See Route."""
        try:
            fields = _fields(await request.body.whole(MOST_BODY_BYTES))
            text, kind, speed = _text(fields), _kind(fields), _speed(fields)
            language = self._language(fields.get("voice"), fields.get("model"))
            if language not in self._guests.faculties.mouth.languages:
                raise Refused("no_voice", f"There is no voice for {language!r} on this device.", "voice")
            packer = await self._run(Packer, kind, RATE)
        except HttpError as error:
            return refusal(error.status, str(error))
        except ProtocolError as error:
            return refused(error)
        packed = self._packed(packer, text, language, speed)
        if fields.get("stream_format") == "sse":
            return Response(200, _events(packed), "text/event-stream")
        return Response(200, packed, TYPES[kind])

    async def _packed(self, packer: Packer, text: str, language: Language, speed: float) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._guests.speak(text, language, rate=RATE, speed=speed)) as pieces:
            async for pcm in pieces:
                yield packer.feed(pcm) if packer.is_light else await self._run(partial(packer.feed, pcm))
        yield await self._run(packer.end)

    def _language(self, voice: object, model: object) -> Language:
        """Whose voice is called so, or the language it names; OpenAI's own names mean the device's."""
        name = voice.get("id") if isinstance(voice, dict) else voice
        names = self._guests.faculties.mouth.names
        for wanted in (name, model):
            for language, known in names.items():
                if wanted in (known, language):
                    return language
        return self._guests.language


async def _events(packed: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Server-sent events, base64."""
    async with aclosing(packed):
        async for piece in packed:
            if piece:
                yield _event({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()})
    yield _event({"type": "speech.audio.done", "usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}})


def _event(fields: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(fields)}\n\n".encode()


def _fields(body: bytes) -> Mapping[str, Any]:
    try:
        return json_object(body)
    except ValueError as error:
        raise Refused("bad_json", f"The body is {error}.") from None


def _text(fields: Mapping[str, Any]) -> str:
    text = fields.get("input")
    if not isinstance(text, str) or not text.strip():
        raise Refused("bad_field", "input is empty, expected the text to be spoken", "input")
    if len(text) > MOST_CHARACTERS:
        raise Refused("text_too_long", f"input has {len(text)} characters, expected at most {MOST_CHARACTERS}", "input")
    return text


def _kind(fields: Mapping[str, Any]) -> Kind:
    wanted = fields.get("response_format") or "mp3"
    for kind in TYPES:
        if kind == wanted:
            return kind
    raise Refused(
        "bad_field", f"response_format is {wanted!r:.40}, expected one of {', '.join(TYPES)}", "response_format"
    )


def _speed(fields: Mapping[str, Any]) -> float:
    speed = fields.get("speed", 1.0)
    lowest, highest = SPEEDS
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not lowest <= speed <= highest:
        raise Refused("bad_field", f"speed is {speed!r:.40}, expected {lowest} to {highest}", "speed")
    return float(speed)
