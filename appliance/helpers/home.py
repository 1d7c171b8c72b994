"""Home Assistant's conversation API: what is said goes there as text, and its answer is spoken.

`POST /api/conversation/process` with a long-lived access token; what comes back is a conversation response, whose
`response_type` is action_done, query_answer or error (Home Assistant's developer docs, "Conversation API").
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

PATH = "/api/conversation/process"
NAMES: dict[Language, str] = {"en": "Home Assistant", "de": "Home Assistant"}


class HomeAssistant:
    def __init__(self, to: Target, token: str, timeout_s: float) -> None:
        self._to, self._token, self._timeout_s = to, token, timeout_s

    async def ask(self, question: str, language: Language, memory: Memory) -> str:
        """Its answer; "" if it did not understand. Raises Refused when there is none."""
        body = {"text": question, "language": language}
        if isinstance(before := memory.helped.get("home"), str):
            body["conversation_id"] = before
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            async with asked(
                self._to, "POST", PATH, body=json.dumps(body).encode(), headers=headers, timeout_s=self._timeout_s
            ) as answer:
                return self._said(await answer.text(), memory)
        except Away as away:
            log.warning("%s", away)
            raise Refused(f"helper.{away.kind}", name=NAMES[language]) from None

    def _said(self, text: str, memory: Memory) -> str:
        try:
            found = json.loads(text)
            response = found["response"]
            said, kind = response["speech"]["plain"]["speech"], response["response_type"]
            if not isinstance(said, str):
                raise TypeError("speech is no text")
            code = response.get("data", {}).get("code", "") if kind == "error" else ""
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise Away(
                "wrong", f"{self._to.name} answers something else than a conversation response: {error!r}"
            ) from error
        if isinstance(id := found.get("conversation_id"), str) and len(id) <= 200:
            memory.helped["home"] = id
        return "" if code == "no_intent_match" else spoken(said)
