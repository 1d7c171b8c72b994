"""The owner's webhook: gets what nobody here understood, and may answer.

→ POST {"text": "feed the cat", "language": "en", "place": "kitchen tablet"}
← {"reply": "The cat is fed."}, or plain text; empty: it does not know either
"""

from __future__ import annotations

import json
import logging

from appliance.dialogue.performers import Refused
from appliance.dialogue.types import Memory
from appliance.helpers.http import Away, asked
from appliance.helpers.targets import Target
from appliance.helpers.words import spoken
from appliance.language import Language

log = logging.getLogger(__name__)

NAMES: dict[Language, str] = {"en": "The webhook", "de": "Der Webhook"}


class Webhook:
    def __init__(self, to: Target, timeout_s: float) -> None:
        self._to, self._timeout_s = to, timeout_s

    async def ask(self, question: str, language: Language, memory: Memory) -> str:
        """Its reply; "" for none. Raises Refused when it is away."""
        body = json.dumps({"text": question, "language": language, "place": memory.place}, ensure_ascii=False).encode()
        path = f"?{self._to.query}" if self._to.query else ""
        try:
            async with asked(
                self._to,
                "POST",
                path,
                body=body,
                headers={"Content-Type": "application/json"},
                timeout_s=self._timeout_s,
            ) as answer:
                text = await answer.text()
                return spoken(self._reply(text) if "json" in answer.content_type else text)
        except Away as away:
            log.warning("%s", away)
            raise Refused(f"helper.{away.kind}", name=NAMES[language]) from None

    def _reply(self, text: str) -> str:
        try:
            found = json.loads(text) if text.strip() else {}
            reply = found.get("reply", "") if isinstance(found, dict) else None
        except (ValueError, RecursionError):
            reply = None
        if not isinstance(reply, str):
            raise Away("wrong", f'{self._to.name} answers something else than {{"reply": "…"}}')
        return reply
