"""A device that only pretends, to look at the page without models: `python -m tests.web.fake_device [port]`.

It answers every question with a fixed sentence and a tone. Typing "drop" breaks every connection off and refuses new
ones for two seconds; "long" gives a long answer; "ring" announces a timer; "fail" reports an error; "quiet" turns the
volume down; "change" can be undone; "board" shows timers and lists, one of them ringing,
"hush" without that; "queue" waits in the queue for ever.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from appliance.server import http
from appliance.server.access import Role, Visitor
from appliance.server.site import Site
from tests.support.library_http import library_response

WORDS = "what time is it in the kitchen and how long will the pizza take".split()
LONG = "It takes a while to say all of this, and that is on purpose: there is time to interrupt. " * 4
TIMINGS = {"recognition_ms": 31.4, "understanding_ms": 1.9, "skill_ms": 0.2}


class FakeDevice:
    def __init__(self) -> None:
        self.down_until_s = 0.0
        self.site = Site(Path(__file__).parents[2] / "web")
        self.page_version = ""
        """Another page's than it serves, once set."""
        self.connections: set[ServerConnection] = set()
        self.skills: list[dict[str, Any]] = [
            {"name": "lamp", "about": "switch the lamp", "languages": ["en"], "taught": False, "mistakes": 1}
        ]
        self.numbers = itertools.count(1)
        self.role = "owner"
        """Of whoever visits."""
        self.types: list[str] = []
        """Of every message received, in order."""
        self.typed_texts: list[str] = []
        self.audio: dict[str, int] = {}
        """Bytes received by utterance, since its last `start`."""

    def answer_http(self, connection: ServerConnection, request: Request) -> Response | None:
        if asyncio.get_running_loop().time() < self.down_until_s:
            return library_response(http.respond(503, "down\n"))
        if request.path == "/ws" or request.headers.get("Upgrade"):
            return None
        return library_response(self.site.answer(http.Request("GET", request.path, {}), Visitor("local", Role.OWNER)))

    async def converse(self, connection: ServerConnection) -> None:
        self.connections.add(connection)
        with suppress(ConnectionClosed):
            await self._converse(connection)

    async def _converse(self, connection: ServerConnection) -> None:
        rate, speak, utterance = 16000, True, ""
        await send(connection, WELCOME | {"page_version": self.page_version or self.site.version})
        async for data in connection:
            if isinstance(data, bytes):
                self.audio[utterance] += len(data)
                words = " ".join(WORDS[: self.audio[utterance] // 12000])
                await send(connection, {"type": "partial", "id": utterance, "text": words})
                continue
            message = json.loads(data)
            self.types.append(message["type"])
            match message["type"]:
                case "hello":
                    rate, speak = message.get("reply_rate", rate), message.get("speak", True)
                case "ping":
                    await send(connection, {"type": "pong", "timestamp": message["timestamp"], "server_time": 0})
                case "start":
                    if message["id"] != utterance:
                        utterance = message["id"]
                        self.audio[utterance] = 0
                        await send(connection, {"type": "listening", "id": utterance})
                    if message.get("endpoint") == "auto":
                        await send(connection, {"type": "paused", "id": utterance, "silence_ms": 400, "of_ms": 4000})
                case "stop":
                    received = self.audio[utterance]
                    heard = " ".join(WORDS[: max(3, received // 12000)])
                    await send(
                        connection,
                        {
                            "type": "final",
                            "id": message["id"],
                            "text": heard,
                            "confidence": 0.9,
                            "truncated": False,
                            "audio_s": received / 32000,
                            "processing_time_ms": 31.4,
                            "timings": {"recognition_ms": 31.4},
                        },
                    )
                    await self.answer(connection, message["id"], heard, "It's seven minutes past three.", rate, speak)
                case "settings":
                    await send(connection, SETTINGS | {"skills": self.skills, "role": self.role})
                case "set":
                    await self.set(connection, message)
                case "text":
                    await self.typed(connection, message, rate, speak)

    def drop(self, for_s: float = 2.0) -> None:
        """Break every connection off and refuse new ones for so long."""
        self.down_until_s = asyncio.get_running_loop().time() + for_s
        for connection in tuple(self.connections):
            connection.transport.abort()

    async def set(self, connection: ServerConnection, wanted: dict[str, Any]) -> None:
        """Learns, and forgets; knows already what "time" is about."""
        if lesson := wanted.get("teach"):
            phrase, instead = lesson["phrase"], lesson["instead"]
            outcome = "instead" if "time" in phrase and not instead else "kept"
            if outcome == "kept":
                one = {"name": f"taught-{phrase}", "about": phrase, "languages": ["en"], "taught": True, "mistakes": 0}
                self.skills.append(one)
            await send(connection, {"type": "taught", "phrase": phrase, "outcome": outcome})
        self.skills = [skill for skill in self.skills if skill["name"] != wanted.get("forget")]
        await send(connection, SETTINGS | {"skills": self.skills, "role": self.role})

    async def typed(self, connection: ServerConnection, message: dict[str, Any], rate: int, speak: bool) -> None:
        text = message["text"]
        self.typed_texts.append(text)
        if text == "drop":
            self.drop()
        elif text == "ring":
            number = f"a{next(self.numbers)}"
            await send(
                connection,
                {
                    "type": "announce",
                    "id": number,
                    "kind": "timer",
                    "text": "Your pizza timer is done.",
                    "language": "en",
                },
            )
            await speak_tone(connection, number, rate, 1.0)
        elif text == "queue":
            await send(connection, {"type": "queued", "id": message["id"], "place": 2})
        elif text == "fail":
            await send(connection, {"type": "error", "code": "internal", "message": "a bug", "id": message["id"]})
        else:
            if text == "sprich deutsch":
                await send(connection, {"type": "language", "language": "de"})
            if text == "quiet":
                await send(connection, {"type": "volume", "percent": 20})
            if text in ("board", "hush"):
                await send(connection, full_board() | ({"ringing": []} if text == "hush" else {}))
            reply = LONG if text == "long" else f"You typed {text}, and this is what I have to say about it."
            await self.answer(connection, message["id"], text, reply, rate, speak)

    async def answer(
        self, connection: ServerConnection, turn: str, heard: str, reply: str, rate: int, speak: bool
    ) -> None:
        await send(
            connection,
            {
                "type": "answer",
                "id": turn,
                "text": reply,
                "language": "en",
                "intent": "Fake",
                "understood": True,
                "heard": heard,
                "processing_time_ms": 33.5,
                "timings": TIMINGS,
                "meant": "set a pizza timer for ten minutes",
                "values": {"name": "pizza"},
                "can_be_undone": heard == "change",
            },
        )
        if heard == "go on":
            await send(connection, {"type": "more", "id": turn, "text": f"{reply} And more."})
        if speak:
            await speak_tone(connection, turn, rate, len(reply) / 15)


async def speak_tone(connection: ServerConnection, turn: str, rate: int, seconds: float) -> None:
    await send(connection, {"type": "speech_start", "id": turn, "sample_rate": rate})
    for start in range(0, int(rate * seconds), rate // 10):
        samples = (int(3000 * math.sin(2 * math.pi * 440 * n / rate)) for n in range(start, start + rate // 10))
        await connection.send(struct.pack(f"<{rate // 10}h", *samples))
    await send(
        connection,
        {
            "type": "speech_end",
            "id": turn,
            "interrupted": False,
            "audio_s": seconds,
            "processing_time_ms": 133.0,
            "timings": TIMINGS | {"first_audio_ms": 71.2, "synthesis_ms": 28.3},
        },
    )


def full_board() -> dict[str, Any]:
    """Of every kind one, and one that rings."""
    now = 1772550420.5

    def timer(id: int, kind: str, name: str, left_s: float | None, **more: Any) -> dict[str, Any]:
        return {
            "id": id,
            "kind": kind,
            "name": name,
            "place": "",
            "repeat": "",
            "duration_s": 600.0,
            "paused_s": None,
            "due": left_s and now + left_s,
            "due_local": "2026-03-04T07:00",
        } | more

    return {
        "type": "board",
        "now": now,
        "local": "2026-03-03T15:07",
        "timers": [
            timer(1, "timer", "pizza", 400.0, place="Kitchen"),
            timer(2, "timer", "", None, paused_s=3700),
            timer(3, "alarm", "", 57180.0, repeat="FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
            timer(4, "reminder", "call grandma", 57180.0),
        ],
        "ringing": [timer(5, "timer", "eggs", -2.0, place="Kitchen")],
        "lists": [{"name": "shopping", "items": ["milk", "bread", "olive oil"]}, {"name": "todo", "items": ["taxes"]}],
    }


async def send(connection: ServerConnection, message: dict[str, Any]) -> None:
    await connection.send(json.dumps(message))


VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "protocol.json").read_text())
WELCOME = next(message for message in VECTORS["server"] if message["type"] == "welcome") | {
    "spoken": {"en": True, "de": True}
}


SETTINGS = next(message for message in VECTORS["server"] if message["type"] == "settings") | {"role": "owner"}


async def main(port: int) -> None:
    device = FakeDevice()
    async with serve(device.converse, "127.0.0.1", port, process_request=device.answer_http) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8089))
