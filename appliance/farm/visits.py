"""What is remembered of people between their turns, for the node that they come back to: ten minutes, then forgotten.

Kept after each answer under what the session's secret hashes to: whoever reads Redis cannot take a session over.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from typing import Any

from appliance.dialogue import actions, things, types
from appliance.dialogue.types import Memory
from appliance.farm import keys
from appliance.farm.link import Link, Lost
from appliance.language import LANGUAGES, Language
from appliance.sessions import FORGOTTEN_AFTER_S

log = logging.getLogger(__name__)

_KNOWN = {
    name: kind
    for module in (types, actions, things)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and is_dataclass(kind)
}
"""The only types that may come back."""
_TIMES: dict[str, type[date] | type[time]] = {"datetime": datetime, "date": date, "time": time}
_HERE_ONLY = frozenset({"helped", "last_turn_ms", "who", "may_configure", "place"})
"""Said anew by whoever lets somebody in, or of no use elsewhere."""


class Visits:
    """Sessions' memories, shared by all web nodes (sessions.Travels)."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def keep(self, name: str, visitor: str, language: Language, memory: Memory) -> None:
        """Remember a session as it is now. Does not wait."""
        said = {one.name: encoded(getattr(memory, one.name)) for one in fields(memory) if one.name not in _HERE_ONLY}
        text = json.dumps({"visitor": visitor, "language": language, "memory": said})
        self._link.post("SET", keys.visit(name), text, "EX", round(FORGOTTEN_AFTER_S))

    async def find(self, name: str, visitor: str) -> tuple[Language, Memory] | None:
        """The session another node remembers; None if none does, or it is another visitor's."""
        try:
            text = await self._link.call("GET", keys.visit(name))
        except Lost:
            return None
        if text is None:
            return None
        found = json.loads(text)
        if found["visitor"] != visitor or found["language"] not in LANGUAGES:
            return None
        try:
            memory = Memory(**{name: decoded(value) for name, value in found["memory"].items()})
        except (TypeError, ValueError, KeyError) as error:  # another release's
            log.warning("a session of another node cannot be read (%s) and begins anew", error)
            return None
        return found["language"], memory


def encoded(value: Any) -> Any:
    """As JSON can hold it; what cannot travel is None."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime | date | time):
        return {"": type(value).__name__, "is": value.isoformat()}
    if isinstance(value, tuple | list):
        return {"": "tuple", "is": [encoded(one) for one in value]}
    if isinstance(value, Mapping):
        return {"": "dict", "is": [[encoded(key), encoded(one)] for key, one in value.items()]}
    if _KNOWN.get(type(value).__name__) is type(value):
        return {"": type(value).__name__, "is": {one.name: encoded(getattr(value, one.name)) for one in fields(value)}}
    return None


def decoded(value: Any) -> Any:
    """What `encoded` was given. Raises KeyError, TypeError or ValueError for what it did not write."""
    if not isinstance(value, dict):
        return value
    kind, held = value[""], value["is"]
    if kind == "tuple":
        return tuple(decoded(one) for one in held)
    if kind == "dict":
        return {decoded(key): decoded(one) for key, one in held}
    if kind in _TIMES:
        return _TIMES[kind].fromisoformat(held)
    return _KNOWN[kind](**{name: decoded(one) for name, one in held.items()})
