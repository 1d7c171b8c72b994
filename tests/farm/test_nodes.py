"""What web nodes share: timers, lists and effects; who rings; what is remembered of people."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from appliance.bell import Bell
from appliance.dialogue.actions import AddItems, SetSpeech, SetTimer
from appliance.dialogue.things import Timer
from appliance.dialogue.types import Intent, Memory, Question
from appliance.farm.database import SharedClock, SharedDatabase
from appliance.farm.node import Node
from appliance.farm.visits import Visits, decoded, encoded
from appliance.language import Language
from appliance.server.pairing import TRIES, VALID_S, Pairing
from appliance.state.lists import ListStore
from appliance.state.timers import TimerStore
from tests.support.farm import RedisServer, redis_server, web_node
from tests.support.patience import until


@contextmanager
def shared(redis: RedisServer) -> Iterator[SharedDatabase]:
    database = SharedDatabase(redis.address)
    yield database
    database.close()


def test_what_one_node_changes_the_others_have_too(redis: RedisServer) -> None:
    with shared(redis) as here, shared(redis) as there:
        mine, theirs = ListStore(here), ListStore(there)
        mine.add("shopping", ["milk"])
        theirs.add("shopping", ["bread"])  # it has not seen the milk yet
        assert theirs.all() == {"shopping": ("milk", "bread")}
        assert here.catch_up() and mine.all() == theirs.all()
        assert not here.catch_up()


def test_an_effect_that_two_nodes_carry_out_happens_once(redis: RedisServer) -> None:
    wanted = SetTimer("timer", datetime.now(UTC) + timedelta(minutes=5), duration_s=300.0)
    with shared(redis) as here, shared(redis) as there:
        mine, theirs = TimerStore(here, SharedClock()), TimerStore(there, SharedClock())
        assert mine.add(wanted, "visitor/turn/0").id == theirs.add(wanted, "visitor/turn/0").id
        assert len(theirs.pending()) == 1


def test_while_redis_is_gone_memory_goes_on_and_is_written_later() -> None:
    with redis_server() as redis, shared(redis) as here, shared(redis) as there:
        mine, theirs = ListStore(here), ListStore(there)
        mine.add("shopping", ["milk"])
        redis.kill()
        mine.add("shopping", ["bread"])
        assert not here.durable and mine.all() == {"shopping": ("milk", "bread")}
        redis.start()
        here.catch_up()
        assert here.durable
        there.catch_up()
        assert theirs.all() == {"shopping": ("milk", "bread")}


class Place:
    """Has pages, which take at once whatever is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def announce(self, texts: Mapping[Language, str], announcement_id: str, kind: str) -> bool:
        self.said.append(announcement_id)
        return True


async def test_what_is_due_rings_at_every_node_and_is_over_once_heard(redis: RedisServer) -> None:
    with shared(redis) as here, shared(redis) as there:
        places, watches = [Place(), Place()], []
        async with asyncio.TaskGroup() as tasks, web_node(redis.address) as node:
            databases = (here, there)

            def catch_up() -> None:
                for database in databases:
                    database.catch_up()

            node.changed = catch_up
            for database, place in zip(databases, places, strict=True):
                store = TimerStore(database, SharedClock())

                def said(timer: Timer) -> Mapping[Language, str]:
                    return {"en": "ring"}

                bell = Bell(store, said, said, tasks, asyncio.to_thread, linger_s=0.3)
                bell.places.append(place)
                watches.append(tasks.create_task(bell.watch.watch()))
            await asyncio.to_thread(
                store.add, SetTimer("timer", datetime.now(UTC) + timedelta(seconds=0.2), duration_s=0.2)
            )
            await until(lambda: all(place.said for place in places))
            await until(lambda: not store.unheard())
            assert places[0].said == places[1].said and len(places[0].said) == 1
            for watch in watches:
                watch.cancel()


def tell(node: Node, pairing: Pairing, now_s: float) -> None:
    node.tell_pairing(pairing.snapshot(now_s))


async def test_a_code_shown_at_one_node_can_be_typed_at_another_and_tries_count_everywhere(redis: RedisServer) -> None:
    async with web_node(redis.address) as one, web_node(redis.address) as other:
        shown, typed = Pairing(digits=lambda: 123456), Pairing()
        for node, pairing, now_s in ((one, shown, 100.0), (other, typed, 5000.0)):
            node.paired = partial(pairing.adopt, now_s=now_s)
            pairing.changed = partial(tell, node, pairing)
        await asyncio.sleep(0.1)  # until both listen
        code = shown.open(100.0)
        await until(lambda: typed.is_open(5000.0))
        assert not typed.is_open(5000.0 + VALID_S)
        for _ in range(TRIES - 1):
            assert typed.attempt("000000", 5000.0) is False
        await until(lambda: shown.snapshot(100.0)[2] == 1)
        assert isinstance(code, str) and shown.attempt(code, 100.0) is True
        await until(lambda: not typed.is_open(5000.0))


MEMORY = Memory(
    last_reply="Shall I?",
    last_heard="delete the list",
    volume=30,
    it=7,
    at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    question=Question(Intent("List.Clear", "delete the list", "en", {"list": "shopping"}), ("list",)),
    last=Intent("List.Clear", "delete the list", "en"),
    undo=(AddItems("shopping", ("milk", "bread")),),
    speech=SetSpeech(speed=1.5),
)


def test_all_that_is_remembered_of_a_person_can_travel() -> None:
    for one in fields(MEMORY):
        value = getattr(MEMORY, one.name)
        assert decoded(encoded(value)) == value, one.name
    with pytest.raises(KeyError):
        decoded({"": "system", "is": {}})


async def test_a_person_is_known_at_the_next_node_and_nobody_else_is_taken_for_them(redis: RedisServer) -> None:
    async with web_node(redis.address) as one, web_node(redis.address) as other:
        one.visits.keep("secret's hash", "visitor", "de", MEMORY)
        await one.link.call("PING")
        assert await other.visits.find("secret's hash", "visitor") == ("de", MEMORY)
        assert await other.visits.find("secret's hash", "somebody else") is None
        assert await other.visits.find("another", "visitor") is None
        assert isinstance(other.visits, Visits)
