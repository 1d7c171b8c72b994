"""What a page shows besides the conversation, live: timers, alarms, reminders, lists; and what is done to them there.

Whoever may talk may do by hand what they could do by voice. All followers get the same text, made once a change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from appliance.dialogue.things import Timer
from appliance.errors import ProtocolError
from appliance.server.page import encoding, messages

MOST_LISTS, MOST_ITEMS = 20, 200
"""Shown of all lists, and of each; more is nothing to look at, and would hold up what else is told."""


class Timers(Protocol):
    """Timers, alarms and reminders (state/timers.py)."""

    def pending(self) -> tuple[Timer, ...]: ...
    def unheard(self) -> tuple[Timer, ...]: ...
    def late_s(self, timer: Timer) -> float: ...
    def pause(self, id: int) -> bool: ...
    def resume(self, id: int) -> bool: ...
    def extend(self, id: int, seconds: float) -> bool: ...
    def cancel(self, id: int) -> bool: ...
    def snooze(self, id: int, seconds: float) -> bool: ...
    def heard(self, *ids: int) -> None: ...


class Lists(Protocol):
    """Lists by name (state/lists.py)."""

    def all(self) -> Mapping[str, tuple[str, ...]]: ...
    def add(self, name: str, items: Iterable[str]) -> None: ...
    def remove(self, name: str, items: Iterable[str]) -> None: ...


Rows = Mapping[str, list[dict[str, Any]]]
Follow = Callable[[Callable[[], Rows], Callable[[Rows], None]], Callable[[], None]]
"""state/feed.py: calls the second with what the first returns, at once and after every change, until it is ended."""
Tell = Callable[[str], None]
Change = messages.ChangeTimer | messages.ChangeItem


class Board:
    """now: local time. run: where disk work is done, one after the other. In `tasks` nobody waits for it.

    rings_s: for how long after it was due something can be said to ring.
    """

    def __init__(
        self,
        timers: Timers,
        lists: Lists,
        follow: Follow,
        now: Callable[[], datetime],
        run: Callable[..., Awaitable[Any]],
        tasks: asyncio.TaskGroup,
        *,
        rings_s: float,
    ) -> None:
        self._timers, self._lists, self._follow, self._now = timers, lists, follow, now
        self._run, self._tasks, self._rings_s = run, tasks, rings_s
        self._followers: dict[object, Tell] = {}
        self._rows: Rows = {}
        self._end: Callable[[], None] = lambda: None

    @property
    def is_watched(self) -> bool:
        """Whether any page shows what rings."""
        return bool(self._followers)

    def follow(self, who: object, tell: Tell) -> None:
        """Tell `who` what there is, now and after every change. Once more: what there is, again."""
        is_first = not self._followers
        self._followers[who] = tell
        if is_first:
            self._end = self._follow(self._look, self._changed)
        else:
            tell(self._written())

    def leave(self, who: object) -> None:
        """Tell them nothing more; harmless for those who never followed."""
        if self._followers.pop(who, None) is not None and not self._followers:
            self._end()

    def change(self, wanted: Change, refused: Callable[[ProtocolError], None]) -> None:
        """Do it. All followers see what became of it; refused: told if it was too late for that."""
        self._tasks.create_task(self._do(wanted, refused))

    async def _do(self, wanted: Change, refused: Callable[[ProtocolError], None]) -> None:
        if isinstance(wanted, messages.ChangeItem):
            change = self._lists.add if wanted.do == "add" else self._lists.remove
            await self._run(change, wanted.list, (wanted.item,))
        elif not await self._run(self._timer_change(wanted)):
            refused(
                ProtocolError(
                    "gone",
                    f"Timer {wanted.timer} is not there for this any more: it rang, or somebody else was faster.",
                )
            )

    def _timer_change(self, wanted: messages.ChangeTimer) -> Callable[[], bool]:
        timers, id = self._timers, wanted.timer
        match wanted.do:
            case "pause":
                return partial(timers.pause, id)
            case "resume":
                return partial(timers.resume, id)
            case "extend":
                return partial(timers.extend, id, wanted.seconds)
            case "cancel":
                return partial(timers.cancel, id)
            case "snooze":
                return partial(timers.snooze, id, wanted.seconds)
            case "stop":
                return partial(self._stop, id)

    def _stop(self, id: int) -> bool:
        """Nothing that rings is rung twice: stopping what was stopped already is no error."""
        self._timers.heard(id)
        return True

    # What is told

    def _look(self) -> Rows:
        rings = [timer for timer in self._timers.unheard() if self._timers.late_s(timer) <= self._rings_s]
        names = sorted(self._lists.all())[:MOST_LISTS]
        return {
            "timers": [_row(timer) for timer in self._timers.pending()],
            "ringing": [_row(timer) for timer in rings],
            "lists": [{"name": name, "items": list(self._lists.all()[name][:MOST_ITEMS])} for name in names],
        }

    def _changed(self, rows: Rows) -> None:
        self._rows = rows
        text = self._written()
        for tell in tuple(self._followers.values()):
            tell(text)

    def _written(self) -> str:
        return encoding.encode_board(self._now(), self._rows)


def _row(timer: Timer) -> dict[str, Any]:
    """A timer as the page is told of it; the same for as long as nothing but time has passed."""
    runs = timer.paused_s is None
    return {
        "id": timer.id,
        "kind": timer.kind,
        "name": timer.name,
        "place": timer.place,
        "repeat": timer.repeat,
        "duration_s": round(timer.duration_s, 1),
        "paused_s": None if timer.paused_s is None else round(timer.paused_s),
        "due": round(timer.due.timestamp(), 1) if runs else None,
        "due_local": timer.due.strftime("%Y-%m-%dT%H:%M") if runs else None,
    }
