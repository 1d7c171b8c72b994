"""Timers, lists, notes, tokens and effects of all web nodes, in Redis: the same repositories, another disk.

Every node has everything in memory, as with SQLite. A change counts only if nobody else changed anything meanwhile
(one version for all, compared in lua/change.lua); else memory is read anew and the change is decided again. So an
effect that two nodes carry out at once happens once.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from appliance.farm import keys
from appliance.farm.address import Address
from appliance.farm.link import BlockingLink, Lost
from appliance.state.clock import Clock
from appliance.state.database import AnyRepository, Database
from appliance.state.schema import Change

log = logging.getLogger(__name__)

T = TypeVar("T")

MOST_TRIES = 50
"""Others may be quicker so many times in a row; each time one of them has got on."""


class SharedClock(Clock):
    """The clock on the wall, which all machines of a farm must agree on (NTP): they have no boot in common."""

    def boottime_s(self) -> float:
        return time.time()

    def boot_id(self) -> str:
        return "farm"


class SharedDatabase(Database):
    """See Database. Made and used in worker threads; while Redis is gone, memory goes on and `problem` says so."""

    def __init__(self, address: Address) -> None:
        self._link = BlockingLink(address, "stimme-state")
        self._address = address
        self._seen = 0
        super().__init__(None)

    def attach(self, repository: AnyRepository) -> None:
        with self.lock:
            self._repositories.append(repository)
            self._try(lambda: self._read([repository]))

    def change(self, do: Callable[[], tuple[T, list[Change]]], effect: str = "") -> T:
        with self.lock:
            for _ in range(MOST_TRIES):
                if effect and (known := self.effects.items.get(effect)) is not None:
                    first: Any = json.loads(known)
                    return first  # type: ignore[no-any-return]
                result, changes = do()
                if effect:
                    changes = [*changes, *self.effects.note(effect, json.dumps(result))]
                if not changes:
                    return result
                if self._written(changes):
                    break
            else:
                log.error("the farm's state is changed by others all the time; this change was left out")
        self._tell()
        return result

    def catch_up(self) -> bool:
        with self.lock:
            changed = self._try(self._follow)
        if changed:
            self._tell()
        return bool(changed)

    def close(self) -> None:
        with self.lock:
            if self._waiting:
                self._try(self._follow)
            self._link.close()

    def _written(self, changes: list[Change]) -> bool:
        """False if somebody else was quicker: then memory is what they made of it."""
        if self._waiting:
            self._remember(changes)
            self._try(self._follow)
            return True
        done = self._try(lambda: self._send(changes, self._seen))
        if done is None:
            self._remember(changes)
            return True
        if not done:
            self._try(lambda: self._read(self._repositories))
        return done

    def _remember(self, changes: Iterable[Change]) -> None:
        self._waiting |= {(change.table.name, change.key): change for change in changes}

    def _send(self, changes: Iterable[Change], seen: int | str) -> bool:
        """seen: the version that must still be in force; "" for none in particular."""
        arguments = [
            text
            for change in changes
            for text in (
                _table(change.table.name),
                json.dumps(change.key),
                "" if change.values is None else json.dumps(change.values),
            )
        ]
        version = int(self._link.script("change", [keys.VERSION], keys.CHANGED, seen, *arguments))
        if version:
            self._seen = version
        return bool(version)

    def _follow(self) -> bool:
        """Write what waits, and read what others changed; whether they did."""
        if self._waiting:
            self._send(self._waiting.values(), "")
            self._waiting.clear()
            self._seen = -1
        if int(self._link.call("GET", keys.VERSION) or 0) == self._seen:
            return False
        self._read(self._repositories)
        return True

    def _read(self, repositories: list[AnyRepository]) -> bool:
        version, *tables = self._link.script("rows", [keys.VERSION, *(_table(one.table.name) for one in repositories)])
        for repository, flat in zip(repositories, tables, strict=True):
            rows = [
                (int(seen), json.loads(key), json.loads(values))
                for key, (seen, values) in ((flat[at], flat[at + 1].split(b" ", 1)) for at in range(0, len(flat), 2))
            ]
            rows.sort(key=lambda row: row[0])
            damaged = repository.load((key, *values) for _, key, values in rows)
            if damaged:
                self._remember(damaged)
        if repositories is self._repositories:
            self._seen = int(version)
        return True

    def _try(self, work: Callable[[], T]) -> T | None:
        """Do it with Redis. None: it cannot be done, and `problem` says why. Never raises."""
        try:
            result = work()
        except Lost as error:
            if not self.problem:
                log.error("%s: what is asked for now is kept in memory until Redis answers again", error)
            self.problem = str(error)
            return None
        if self.problem:
            self.problem = ""
            log.info("%s can be used again", self._address)
        return result


def _table(name: str) -> str:
    return f"{keys.PREFIX}state:{name}"
