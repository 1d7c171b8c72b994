"""One turn that the device has with itself: its own voice asks, its recognizer hears, it answers aloud.

    python -m appliance.system.selfturn         exit code 0 if the assistant that runs here understood itself

A release that starts, listens and yet is deaf, mute or foolish fails here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import wave
from collections.abc import Mapping
from pathlib import Path

from websockets.sync.client import ClientConnection, connect

from appliance.limits import WIRE_RATE

URL = "ws://127.0.0.1:8123/"
QUESTIONS: Mapping[str, str] = {"en": "what time is it", "de": "wie spät ist es"}
INTENT = "HassGetCurrentTime"
CHUNK_BYTES = 2048
PATIENCE_S = 170.0


class SelfTurnError(Exception):
    """The assistant did not understand itself; the message says at which step."""


def question(language: str, folder: Path) -> bytes:
    """The question in the release's own voice, s16le at 16 kHz, with silence around it."""
    file = folder / "question.wav"
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            "-m",
            "appliance",
            "say",
            "--language",
            language,
            "--rate",
            str(WIRE_RATE),
            "--output",
            str(file),
            QUESTIONS[language],
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    if done.returncode:
        raise SelfTurnError(f"it cannot speak: {done.stderr.strip()[-300:]}")
    with wave.open(str(file)) as recording:
        silence = bytes(WIRE_RATE)  # half a second
        pcm: bytes = recording.readframes(recording.getnframes())
    return silence + pcm + silence


def turn(url: str = URL) -> dict[str, object]:
    """Have it, in the device's own language if it hears that; what was heard and answered. Raises SelfTurnError."""
    with connect(url, open_timeout=30) as server, tempfile.TemporaryDirectory() as folder:
        server.send(json.dumps({"type": "hello", "reply_rate": WIRE_RATE, "speak": True}))
        welcome = _next(server, "welcome")
        spoken = welcome["spoken"]
        own_first = sorted(QUESTIONS, key=lambda name: name != welcome["language"])
        language = next((name for name in own_first if spoken.get(name)), None)
        if language is None:
            raise SelfTurnError(f"it hears no language: {spoken}")
        pcm = question(language, Path(folder))
        server.send(json.dumps({"type": "start", "id": "self-turn", "language": language}))
        for begin in range(0, len(pcm), CHUNK_BYTES):
            server.send(pcm[begin : begin + CHUNK_BYTES])
        server.send(json.dumps({"type": "stop", "id": "self-turn"}))
        final, answer = _next(server, "final"), _next(server, "answer")
        if answer["intent"] != INTENT:
            raise SelfTurnError(
                f"it said {QUESTIONS[language]!r}, heard {final['text']!r}, understood {answer['intent']}"
            )
        end = _next(server, "speech_end")
        if not end["audio_s"]:
            raise SelfTurnError("its answer has no sound")
        return {
            "asked": QUESTIONS[language],
            "heard": final["text"],
            "answer": answer["text"],
            "audio_s": end["audio_s"],
            "timings": end.get("timings", {}),
        }


def _next(server: ClientConnection, kind: str) -> dict:  # type: ignore[type-arg]  # a message of docs/protocol.md
    """The next message of a kind; others are passed over, an error ends it."""
    while True:
        message = server.recv(timeout=PATIENCE_S)
        if isinstance(message, str):
            content: dict[str, object] = json.loads(message)
            if content["type"] == kind:
                return content
            if content["type"] == "error":
                raise SelfTurnError(f"it answered with an error: {content.get('message')}")


def main() -> int:
    try:
        print(json.dumps(turn(), ensure_ascii=False))
    except (SelfTurnError, OSError, KeyError, TimeoutError) as error:
        print(f"self-turn: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
