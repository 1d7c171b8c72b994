"""Who owns an utterance: the real Lua scripts, in any order that deaths, sleep and haste may bring about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from appliance.farm import keys
from appliance.farm.link import BlockingLink
from tests.support.farm import RedisServer

WORKERS = ("worker-a", "worker-b", "worker-c")
TURN, WEB = "t", "web-1"
OWN, FIN, WORK = keys.owner(TURN), keys.final(TURN), keys.work("en")

RARELY = st.integers(0, 5).map(lambda number: number == 5)
"""What fences everybody else happens seldom, or nobody would ever come to an end."""


@dataclass
class Belief:
    """What a worker believes to hold; it may be wrong, as a zombie's is."""

    worker: str
    entry: bytes
    attempt: int
    mark: str


class Ownership(RuleBasedStateMachine):
    """One utterance, three workers, a web node that may begin anew."""

    link: BlockingLink
    committed = 0
    """Transcripts, in all runs together."""

    def __init__(self) -> None:
        super().__init__()
        self.link.call("FLUSHALL")
        self.link.call("XGROUP", "CREATE", WORK, keys.GROUP, "0", "MKSTREAM")
        self.attempt = 0
        self.delivered: list[tuple[str, bytes, int]] = []
        self.beliefs: list[Belief] = []
        self.owner: str | None = None
        """The mark that alone may commit."""
        self.final: str | None = None
        self.is_under_way = False
        """A worker has taken it since it was begun last; to begin anew before that tries little."""
        self.count = 0

    def script(self, name: str, names: list[str], *arguments: object) -> Any:
        return self.link.script(name, names, *arguments)

    def consumer(self, entry: bytes) -> str:
        """Who an entry is pending for; "" if for nobody."""
        rows = self.link.call(
            "EVAL", "return redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1)", 1, WORK, keys.GROUP, entry
        )
        return rows[0][1].decode() if rows else ""

    @precondition(lambda self: not self.attempt or self.is_under_way)
    @rule(bad_luck=RARELY)
    def a_web_node_begins_or_begins_anew(self, bad_luck: bool) -> None:
        if self.attempt and not bad_luck:
            return
        kind, *rest = self.script("open", [OWN, FIN, WORK], TURN, WEB, keys.sound(TURN, 0)[:-1], 120, keys.GROUP)
        if self.final is not None:
            assert (kind, rest[0].decode()) == (b"done", self.final)
        else:
            assert kind == b"open"
            self.attempt, self.owner, self.is_under_way = int(rest[0]), None, False

    @rule(worker=st.sampled_from(WORKERS))
    def a_worker_is_given_the_next_one(self, worker: str) -> None:
        reply = self.link.call("XREADGROUP", "GROUP", keys.GROUP, worker, "COUNT", 1, "STREAMS", WORK, ">")
        for _, entries in reply or ():
            for entry, fields in entries:
                self.delivered.append((worker, entry, int(fields[b"attempt"])))

    @rule(worker=st.sampled_from(WORKERS))
    def a_worker_claims_what_others_left(self, worker: str) -> None:
        _, entries, *_ = self.link.call("XAUTOCLAIM", WORK, keys.GROUP, worker, 0, "0-0", "COUNT", 1)
        for entry, fields in entries:
            self.delivered.append((worker, entry, int(fields[b"attempt"])))

    @precondition(lambda self: self.delivered)
    @rule(data=st.data())
    def it_takes_what_was_delivered_sooner_or_later(self, data: st.DataObject) -> None:
        worker, entry, attempt = data.draw(st.sampled_from(self.delivered[-4:]))
        self.count += 1
        mark = f"{worker}:{self.count}"
        mine = self.consumer(entry) == worker
        answer = self.script("take", [OWN, WORK, keys.COUNTS], entry, keys.GROUP, worker, mark, attempt, 120)
        assert bool(answer) == (mine and attempt == self.attempt and self.final is None)
        if answer:
            self.owner, self.is_under_way = mark, True
            self.beliefs.append(Belief(worker, entry, attempt, mark))

    @precondition(lambda self: self.beliefs)
    @rule(data=st.data())
    def it_says_that_it_is_at_work(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.beliefs[-4:]))
        before = self.consumer(one.entry)
        lost = self.script("beat", [OWN], keys.GROUP, one.worker, 120, one.mark, WORK, one.entry)
        assert bool(lost) == (one.mark != self.owner)
        if lost:
            assert self.consumer(one.entry) == before, "a zombie stole it back"

    @precondition(lambda self: self.beliefs)
    @rule(data=st.data())
    def it_commits_late_or_twice(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.beliefs[-4:]))
        text = f"heard by {one.mark}"
        done = self.script(
            "commit",
            [OWN, FIN, WORK, keys.sound(TURN, one.attempt), keys.COUNTS],
            one.mark,
            one.entry,
            keys.GROUP,
            TURN,
            one.attempt,
            text,
            120,
            keys.inbox(""),
        )
        if self.final is not None:
            assert done == 0
        elif one.mark == self.owner:
            assert done == 1
            self.final, self.owner = text, None
            Ownership.committed += 1
        else:
            assert done == -1

    @precondition(lambda self: self.is_under_way and self.final is None)
    @rule(bad_luck=RARELY)
    def nobody_wants_it_any_more(self, bad_luck: bool) -> None:
        if not bad_luck:
            return
        self.script("forget", [OWN, WORK, keys.sound(TURN, self.attempt)], self.attempt, keys.GROUP)
        self.attempt, self.owner, self.is_under_way = 0, None, False

    @invariant()
    def there_is_one_final_at_most_and_nothing_else_is_left(self) -> None:
        finals = self.link.call("XRANGE", keys.inbox(WEB), "-", "+")
        assert [fields[b"final"].decode() for _, fields in finals] == ([self.final] if self.final else [])
        if self.final is not None:
            assert self.link.call("XLEN", WORK) == 0
            assert self.link.call("XPENDING", WORK, keys.GROUP)["pending"] == 0
            assert self.link.call("EXISTS", OWN) == 0


@contextmanager
def linked(redis: RedisServer) -> Iterator[BlockingLink]:
    link = BlockingLink(redis.address, "test")
    yield link
    link.close()


def test_in_whatever_order_there_is_one_transcript(redis: RedisServer) -> None:
    with linked(redis) as Ownership.link:
        run_state_machine_as_test(
            Ownership,
            settings=settings(
                max_examples=150,
                stateful_step_count=50,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            ),
        )
    assert Ownership.committed > 3, "hardly any run came to a transcript"
