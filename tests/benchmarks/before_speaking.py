"""The server before the migration with all of today's job: it also understands (as ours does) and speaks (stock Piper).

For the guide's row on memory: before.py only hears, so its whole process does less than ours. Here each utterance is
decoded, understood, and its whole reply synthesised by piper-tts and sent in one message, all on the event loop, as the
buffering server of the migration guide would have done it.

    python -m tests.benchmarks.before_speaking run      prints the same "ready" line as the server
"""

from __future__ import annotations

import asyncio

import soxr
from piper import PiperVoice
from websockets.asyncio.server import ServerConnection

from appliance.audio.pcm import s16le
from appliance.dialogue.dialogue import Dialogue
from appliance.dialogue.types import Memory
from appliance.dialogue.understanding import Understanding
from appliance.state.database import Database
from appliance.state.timers import TimerStore
from tests.benchmarks.before import RATE, Before, as_text, listen
from tests.support.kit import voice_path


class BeforeSpeaking(Before):
    """Answers what it heard: `final`, `answer`, `speech_start`, the whole sound, `speech_end`."""

    voice: PiperVoice
    dialogue: Dialogue

    async def answer(self, socket: ServerConnection, text: str) -> None:
        answer = await self.dialogue.answer(text, "en", Memory())
        await socket.send(as_text(type="answer", id="1", text=answer.reply.text, heard=text))
        await socket.send(as_text(type="speech_start", id="1", sample_rate=RATE))
        for chunk in self.voice.synthesize(answer.reply.text or "."):
            sound = soxr.resample(chunk.audio_float_array, chunk.sample_rate, RATE)
            await socket.send(s16le(sound))
        await socket.send(as_text(type="speech_end", id="1"))


async def run() -> None:
    with Database(None) as database:
        BeforeSpeaking.voice = PiperVoice.load(voice_path())
        BeforeSpeaking.dialogue = Dialogue(Understanding(), TimerStore(database))
        await listen(BeforeSpeaking)


if __name__ == "__main__":
    asyncio.run(run())
