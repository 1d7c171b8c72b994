"""What turns have changed, so that a turn carried out twice (a connection broke, an answer was lost) counts once."""

from __future__ import annotations

from appliance.state.repository import Repository, text
from appliance.state.schema import Change, Table, Value

KEPT = 500
"""A page says an utterance again for some seconds, not for hundreds of changes."""


class Effects(Repository[str, str]):
    """The name of an effect ("session/turn/number") → what came of it, as JSON."""

    table = Table(
        "effects", ("name", "result"), ("CREATE TABLE effects (name TEXT PRIMARY KEY, result TEXT NOT NULL)",)
    )

    def encode(self, item: str) -> tuple[Value, ...]:
        return (item,)

    def decode(self, *values: Value) -> str:
        name, result = values
        text(name)
        return text(result)

    def note(self, name: str, result: str) -> list[Change]:
        """Remember one more; the oldest go."""
        change = self.put(name, result)
        return [*(self.drop(old) for old in list(self.items)[:-KEPT]), change]
