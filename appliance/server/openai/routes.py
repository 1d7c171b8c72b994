"""OpenAI's audio API at the page's port: what there is by which path."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from appliance.guests import Guests
from appliance.language import LANGUAGES
from appliance.server.access import Role, Visitor
from appliance.server.http import Request, Response, respond
from appliance.server.listener import Route
from appliance.server.openai.refusals import JSON, refusal
from appliance.server.openai.speech import Speech
from appliance.server.openai.transcription import Transcription

Run = Callable[..., Awaitable[Any]]


def openai_routes(guests: Guests, run: Run) -> dict[str, Route]:
    """run: for what takes long, in a thread of its own."""
    made: dict[str, tuple[Callable[[Request, Visitor], Response | Awaitable[Response]], tuple[str, ...]]] = {
        "/v1/audio/transcriptions": (Transcription(guests, run).answer, ("POST",)),
        "/v1/audio/speech": (Speech(guests, run).answer, ("POST",)),
        "/v1/models": (partial(_models, guests), ("GET", "HEAD")),
        "/v1/audio/models": (partial(_audio_models, guests), ("GET", "HEAD")),
        "/v1/audio/voices": (partial(_voices, guests), ("GET", "HEAD")),
    }
    return {path: Route(answer, methods, Role.TALK, refusal) for path, (answer, methods) in made.items()}


def _names(guests: Guests) -> list[str]:
    """Recognizers and voices in force, and the names that clients come with."""
    faculties = guests.faculties
    known = [
        names[language]
        for names in (faculties.ears.names, faculties.mouth.names)
        for language in LANGUAGES
        if language in names
    ]
    return list(dict.fromkeys([*known, "whisper-1", "tts-1"]))


def _models(guests: Guests, request: Request, visitor: Visitor) -> Response:
    return _json(
        {
            "object": "list",
            "data": [{"id": name, "object": "model", "created": 0, "owned_by": "stimme"} for name in _names(guests)],
        }
    )


def _audio_models(guests: Guests, request: Request, visitor: Visitor) -> Response:
    """As Open WebUI asks for them."""
    return _json({"models": [{"id": name, "name": name} for name in _names(guests)]})


def _voices(guests: Guests, request: Request, visitor: Visitor) -> Response:
    names = guests.faculties.mouth.names
    return _json(
        {
            "voices": [
                {"id": names[language], "name": f"{names[language]} ({language})", "language": language}
                for language in LANGUAGES
                if language in names
            ]
        }
    )


def _json(fields: dict[str, Any]) -> Response:
    return respond(200, json.dumps(fields, ensure_ascii=False) + "\n", JSON)
