"""Speech on this machine, for the machine that is tested: questions are made, replies are transcribed."""

from __future__ import annotations

import json
import subprocess
import sys
import wave

from tests.image.emulation.root import PROJECT, WORK
from tests.image.emulation.wire import RATE


def spoken(text: str, language: str) -> bytes:
    """A question in the voice that comes with Stimme, with half a second of silence around it; s16le at RATE."""
    file = WORK / "question.wav"
    _stimme("say", "--language", language, "--rate", str(RATE), "--output", str(file), text)
    with wave.open(str(file)) as recording:
        pcm: bytes = recording.readframes(recording.getnframes())
    return bytes(RATE) + pcm + bytes(RATE)


def transcribed(pcm: bytes, language: str) -> str:
    """What the recognizer on this machine hears; pcm: s16le at RATE."""
    file = WORK / "reply.wav"
    with wave.open(str(file), "wb") as recording:
        recording.setparams((1, 2, RATE, 0, "NONE", ""))
        recording.writeframes(pcm)
    text: str = json.loads(_stimme("hear", "--json", "--language", language, str(file)))["text"]
    return text


def _stimme(*arguments: str) -> str:
    command = [sys.executable, "-m", "appliance", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
