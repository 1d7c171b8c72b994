"""All that is durable of what people say, over one database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from appliance.state.keeper import Keeper
from appliance.state.lists import ListStore
from appliance.state.notes import NoteStore
from appliance.state.timers import TimerStore


@dataclass(frozen=True)
class Stores:
    timers: TimerStore
    lists: ListStore
    notes: NoteStore
    keeper: Keeper

    @classmethod
    def beside(cls, timers: TimerStore) -> Self:
        """The others in the database of the timers."""
        database = timers.database
        return cls(timers, ListStore(database), NoteStore(database, timers.clock), Keeper(database))
