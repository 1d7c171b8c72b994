"""One response of the Realtime API: what our dialogue answers, as text and as sound that can be cut short."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

from appliance.errors import ProtocolError
from appliance.guests import Guests
from appliance.language import Language
from appliance.server.openai.realtime_events import encode, new
from appliance.server.talks import Talk

Send = Callable[[str], Awaitable[None]]

PIECE_BYTES = 12 * 1024
"""A quarter of a second at 24 kHz."""


class Response:
    """Tells a client of one answer, from response.created to response.done."""

    def __init__(self, send: Send, guests: Guests, talk: Talk, rate: int) -> None:
        self._send, self._guests, self._talk, self._rate = send, guests, talk, rate
        self._id, self._item_id = new("resp"), new("item")
        self._text = ""
        self._begun = False

    async def give(self, question: str, language: Language) -> None:
        """Answer it. May be cancelled; `cancelled` tells the client then."""
        await self._send(encode("response.created", response=self._shown("in_progress", [])))
        try:
            answer = await self._talk.ask(question, language)
        except ProtocolError as error:
            failed = self._shown("failed", []) | {
                "status_details": {
                    "type": "failed",
                    "error": {"type": "server_error", "code": error.code, "message": str(error)},
                }
            }
            await self._send(encode("response.done", response=failed))
            return
        self._text = answer.text
        await self._begin()
        await self._tell("response.output_audio_transcript.delta", delta=answer.text)
        await self._speak(answer.text, answer.language)
        await self._tell("response.output_audio.done")
        await self._tell("response.output_audio_transcript.done", transcript=answer.text)
        await self._tell("response.content_part.done", part=self._part())
        await self._end("completed")

    async def cancelled(self, reason: str) -> None:
        """Something newer was said, or the client wants it no more."""
        if self._begun:
            await self._end("cancelled", reason)
        else:
            done = self._shown("cancelled", []) | {"status_details": {"type": "cancelled", "reason": reason}}
            await self._send(encode("response.done", response=done))

    async def _begin(self) -> None:
        self._begun = True
        item = self._item("in_progress", [])
        await self._send(encode("response.output_item.added", response_id=self._id, output_index=0, item=item))
        await self._send(encode("conversation.item.added", previous_item_id=None, item=item))
        await self._tell("response.content_part.added", part={"type": "audio", "transcript": ""})

    async def _speak(self, text: str, language: Language) -> None:
        """Nothing for a language without a voice: the transcript was told."""
        if not text or language not in self._guests.faculties.mouth.languages:
            return
        async with aclosing(self._guests.speak(text, language, rate=self._rate)) as pieces:
            async for pcm in pieces:
                for begin in range(0, len(pcm), PIECE_BYTES):
                    delta = base64.b64encode(pcm[begin : begin + PIECE_BYTES]).decode()
                    await self._tell("response.output_audio.delta", delta=delta)

    async def _end(self, status: str, reason: str = "") -> None:
        item = self._item("completed" if status == "completed" else "incomplete", [self._part()])
        await self._send(encode("response.output_item.done", response_id=self._id, output_index=0, item=item))
        await self._send(encode("conversation.item.done", previous_item_id=None, item=item))
        details = {"status_details": {"type": status, "reason": reason}} if reason else {}
        await self._send(encode("response.done", response=self._shown(status, [item]) | details))

    async def _tell(self, type: str, **fields: Any) -> None:
        await self._send(
            encode(type, response_id=self._id, item_id=self._item_id, output_index=0, content_index=0, **fields)
        )

    def _part(self) -> dict[str, Any]:
        return {"type": "output_audio", "transcript": self._text}

    def _item(self, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self._item_id,
            "object": "realtime.item",
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": content,
        }

    def _shown(self, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": "realtime.response",
            "status": status,
            "status_details": None,
            "output": output,
            "output_modalities": ["audio"],
            "usage": None,
        }
