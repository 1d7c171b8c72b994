"""What a page is told, as JSON texts, as docs/protocol.md writes them down. No I/O."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from appliance import turns
from appliance.errors import ProtocolError
from appliance.limits import WIRE_RATE
from appliance.server.page.messages import Ping

VERSION = 1

_TYPES: dict[type, str] = {
    turns.Listening: "listening",
    turns.Queued: "queued",
    turns.PartialHeard: "partial",
    turns.FinalHeard: "final",
    turns.Answered: "answer",
    turns.AnswerGrew: "more",
    turns.SpeechStarted: "speech_start",
    turns.SpeechEnded: "speech_end",
    turns.Announced: "announce",
    turns.Endpoint: "endpoint",
    turns.Paused: "paused",
    turns.Cancelled: "cancelled",
    turns.VolumeChanged: "volume",
    turns.LanguageChanged: "language",
    turns.Silenced: "silenced",
    turns.Failed: "error",
}


def encode(event: turns.Event) -> str:
    """An event of a conversation as a text message; `timings` come with their sum, `processing_time_ms`."""
    fields: dict[str, Any] = {"type": _TYPES[type(event)]}
    for one in dataclasses.fields(event):
        value = getattr(event, one.name)
        if one.name == "timings":
            value = {stage: round(ms, 1) for stage, ms in value.items()}
            fields["processing_time_ms"] = round(sum(value.values()), 1)
        fields[one.name] = round(value, 3) if isinstance(value, float) else value
    return dumps(fields)


def encode_error(error: ProtocolError) -> str:
    fields = {"type": "error", "code": error.code, "message": str(error), "hint": error.hint}
    return dumps(fields | {"id": error.id} if error.id else fields)


def encode_pong(ping: Ping, server_time: float) -> str:
    """server_time: seconds since 1970, UTC."""
    return dumps({"type": "pong", "timestamp": ping.timestamp, "server_time": round(server_time, 3)})


def encode_received(id: str, audio_s: float) -> str:
    """audio_s: how much of the open utterance has arrived."""
    return dumps({"type": "received", "id": id, "audio_s": round(audio_s, 3)})


def encode_board(now: datetime, rows: Mapping[str, Any]) -> str:
    """now: local time. rows: see docs/protocol.md, `board`."""
    return dumps({"type": "board", "now": round(now.timestamp(), 3), "local": now.strftime("%Y-%m-%dT%H:%M"), **rows})


def encode_settings(**fields: Any) -> str:
    """See docs/protocol.md, `settings`."""
    return dumps({"type": "settings"} | fields)


def encode_taught(phrase: str, outcome: str) -> str:
    """See docs/protocol.md, `taught`."""
    return dumps({"type": "taught", "phrase": phrase, "outcome": outcome})


def encode_volume(percent: int) -> str:
    return dumps({"type": "volume", "percent": percent})


def encode_goodbye(reason: str, reconnect_after_ms: int) -> str:
    return dumps({"type": "goodbye", "reason": reason, "reconnect_after_ms": reconnect_after_ms})


def encode_welcome(**fields: Any) -> str:
    """See docs/protocol.md for the fields; type, version, name and sample_rate are filled in here."""
    return dumps({"type": "welcome", "version": VERSION, "name": "Stimme", "sample_rate": WIRE_RATE} | fields)


def dumps(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
