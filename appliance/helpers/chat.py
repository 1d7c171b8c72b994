"""A language model in the owner's network, over OpenAI's chat API: its answer is spoken clause by clause as it comes.

`POST …/chat/completions` with `stream`, answered as server-sent events, at last `[DONE]`, or as one JSON object:

    data: {"choices": [{"delta": {"content": "Four of"}}]}
 What it says is spoken, and never anything else: it cannot set a
timer, call a skill, or make this device ask anybody.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any

from appliance.dialogue.performers import Refused
from appliance.dialogue.types import Memory, Streaming
from appliance.helpers.http import Answer, Away, asked
from appliance.helpers.targets import Target
from appliance.helpers.words import Clauses
from appliance.language import Language

log = logging.getLogger(__name__)

WHOLE_S = 120.0
"""A whole answer may take so long; the first words may take the helpers' time-out."""
REMEMBERED = 6
"""Messages of a conversation that it is told again."""
WAITING = 8
"""Clauses that may wait to be spoken; then it is read no further."""
NAMES: dict[Language, str] = {"en": "The language model", "de": "Das Sprachmodell"}
_PROMPT: dict[Language, str] = {
    "en": "You are the voice of a home assistant. Answer in English, in one to three short spoken sentences, without "
    "lists, markup or links. You cannot do anything; you can only answer.",
    "de": "Du bist die Stimme eines Assistenten zu Hause. Antworte auf Deutsch, in ein bis drei kurzen gesprochenen "
    "Sätzen, ohne Listen, Auszeichnungen und Links. Du kannst nichts tun, nur antworten.",
}
_BROKE_OFF: dict[Language, str] = {"en": "The rest did not arrive.", "de": "Der Rest ist nicht angekommen."}

Begin = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None] | None"]
"""Runs something beside the turn; None if nothing can: then the answer comes whole."""


class Chat:
    def __init__(self, to: Target, model: str, token: str, timeout_s: float, begin: Begin) -> None:
        self._to, self._model, self._token, self._timeout_s, self._begin = to, model, token, timeout_s, begin

    async def ask(self, question: str, language: Language, memory: Memory) -> Streaming:
        """The first clause, and the others as they come. Raises Refused when there is none."""
        pieces: asyncio.Queue[str | Away | None] = asyncio.Queue(WAITING)
        task = self._begin(self._produce(question, language, memory, pieces))
        if task is None:
            pieces = asyncio.Queue()
            await self._produce(question, language, memory, pieces)
        rest = self._rest(pieces, task, question, language, memory)
        try:
            first = await anext(rest, "")
        except Away as away:
            log.warning("%s", away)
            raise Refused(f"helper.{away.kind}", name=NAMES[language]) from None
        except asyncio.CancelledError:
            if task is not None:
                task.cancel()
            raise
        return Streaming(first, rest)

    async def _rest(
        self,
        pieces: asyncio.Queue[str | Away | None],
        task: asyncio.Task[None] | None,
        question: str,
        language: Language,
        memory: Memory,
    ) -> AsyncGenerator[str, None]:
        """Clauses; ends the request when nobody wants to hear more. Raises Away before the first."""
        said: list[str] = []
        try:
            while (piece := await pieces.get()) is not None:
                if isinstance(piece, Away) and not said:
                    raise piece
                if isinstance(piece, Away):
                    log.warning("%s", piece)
                    yield _BROKE_OFF[language]
                    return
                said.append(piece)
                yield piece
        finally:
            if task is not None:
                task.cancel()
            if said:
                before = memory.helped.get("chat") or []
                memory.helped["chat"] = [*before, _message("user", question), _message("assistant", " ".join(said))][
                    -REMEMBERED:
                ]

    async def _produce(
        self, question: str, language: Language, memory: Memory, pieces: asyncio.Queue[str | Away | None]
    ) -> None:
        body = {
            "model": self._model,
            "stream": True,
            "max_tokens": 400,
            "messages": [
                _message("system", _PROMPT[language]),
                *(memory.helped.get("chat") or []),
                _message("user", question),
            ],
        }
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        clauses = Clauses()
        try:
            async with asked(
                self._to,
                "POST",
                "/chat/completions",
                body=json.dumps(body).encode(),
                headers=headers,
                timeout_s=WHOLE_S,
                silent_s=self._timeout_s,
            ) as answer:
                async with aclosing(self._contents(answer)) as contents:
                    async for content in contents:
                        for clause in clauses.add(content):
                            await pieces.put(clause)
                        if clauses.is_enough:
                            break
                for clause in clauses.end():
                    await pieces.put(clause)
        except Away as away:
            for clause in clauses.end():
                await pieces.put(clause)
            await pieces.put(away)
        await pieces.put(None)

    async def _contents(self, answer: Answer) -> AsyncGenerator[str, None]:
        """The answer's text in pieces. Raises Away if it is not what the API promises, or ends before its end."""
        if "event-stream" not in answer.content_type:
            yield self._content(await answer.text(), "message")
            return
        rest = b""
        async for chunk in answer.chunks:
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line.startswith(b"data:"):
                    data = line.removeprefix(b"data:").strip()
                    if data == b"[DONE]":
                        return
                    yield self._content(data.decode("utf-8", errors="replace"), "delta")

    def _content(self, data: str, kind: str) -> str:
        try:
            found = json.loads(data)
            choices = found["choices"]
            content = choices[0][kind].get("content") if choices else ""
            if not isinstance(content, str | None):
                raise TypeError("content is no text")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise Away("wrong", f"{self._to.name} answers something else than the chat API: {error!r:.200}") from error
        return content or ""


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}
