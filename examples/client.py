"""Ask Stimme something from a program, typed or spoken: python examples/client.py "what time is it" | recording.wav

Needs `pip install websockets`. A recording must be mono s16le at 16 kHz: sox in.wav -r 16000 -c 1 -b 16 out.wav
"""

import asyncio
import json
import sys
import wave

from websockets.asyncio.client import connect

URL = "ws://localhost:8123"


async def ask(question: str) -> str:
    """The answer to typed words, or to a recording's."""
    async with connect(URL, compression=None) as device:
        await device.send(json.dumps({"type": "hello", "speak": False}))
        if question.endswith(".wav"):
            await device.send(json.dumps({"type": "start", "id": "example-1"}))
            with wave.open(question) as recording:
                while pcm := recording.readframes(512):  # 32 ms at a time, as a microphone would
                    await device.send(pcm)
            await device.send(json.dumps({"type": "stop", "id": "example-1"}))
        else:
            await device.send(json.dumps({"type": "text", "id": "example-1", "text": question}))
        async for message in device:
            event = json.loads(message)
            if event["type"] == "error":
                raise SystemExit(f"{event['message']} {event.get('hint', '')}")
            if event["type"] == "answer":
                return str(event["text"])
    raise SystemExit("the device hung up before it answered")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    print(asyncio.run(ask(sys.argv[1])))
