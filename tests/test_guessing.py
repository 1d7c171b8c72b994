"""The answer before the end is certain: right guesses save the wait, wrong ones change nothing at all."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, TypeVarTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance import turns
from appliance.dialogue.dialogue import Dialogue
from appliance.dialogue.types import Considered, Memory
from appliance.dialogue.understanding import Understanding
from appliance.guessing import SPARE_S, Guesses
from appliance.state.database import Database
from appliance.state.timers import TimerStore
from tests.support.faculties import willing
from tests.support.visits import House, pcm
from tests.test_attention import attended, say

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
TEXTS = (
    "set a timer for ten minutes",
    "set a pizza timer for ten minutes",
    "cancel all timers",
    "yes",
    "add milk",
    "undo",
    "what time is it",
    "set a timer",
    "turn it up",
    "stop",
    "set an alarm for seven",
    "clear the shopping list",
)


async def at_once(function: Callable[[*Ts], T], *args: *Ts) -> T:
    return function(*args)


class Mind:
    """A real dialogue over a database of its own, and what is durable in it."""

    def __init__(self, understanding: Understanding, database: Database) -> None:
        self.timers = TimerStore(database)
        self.dialogue = Dialogue(understanding, self.timers, run=at_once, remember=at_once)
        self.memory = Memory()

    def state(self) -> tuple[object, ...]:
        stores = self.dialogue._stores
        memory = self.memory
        return (
            [(timer.kind, timer.name, timer.duration_s) for timer in self.timers.pending()],
            stores.lists.all(),
            [note.text for note in stores.notes.all()],
            memory.question,
            memory.last,
            memory.volume,
            memory.undo,
        )


@pytest.fixture(scope="module")
def understanding() -> Understanding:
    return Understanding()


STEPS = st.lists(
    st.tuples(st.sampled_from(["guess", "say", "say as guessed"]), st.integers(0, len(TEXTS) - 1)),
    min_size=1,
    max_size=8,
)
_count = itertools.count()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
async def test_guesses_have_no_effect_however_they_come_between_turns(
    understanding: Understanding, tmp_path: Path, steps: list[tuple[str, int]]
) -> None:
    """With any guesses before, between and for any turns, what is durable and remembered is as without them."""
    number = next(_count)
    with Database(tmp_path / f"guessed{number}") as one, Database(tmp_path / f"plain{number}") as other:
        guessing, plain = Mind(understanding, one), Mind(understanding, other)
        guesses: dict[str, Considered] = {}
        for turn, (step, which) in enumerate(steps):
            text, before = TEXTS[which], guessing.state()
            if step == "guess":
                guesses[text] = await guessing.dialogue.consider(text, "en", guessing.memory)
                assert guessing.state() == before
                continue
            considered = guesses.get(text) if step == "say as guessed" else None
            said = await guessing.dialogue.answer(text, "en", guessing.memory, turn=f"t{turn}", considered=considered)
            expected = await plain.dialogue.answer(text, "en", plain.memory, turn=f"t{turn}")
            assert [type(action) for action in said.reply.actions] == [type(one) for one in expected.reply.actions]
            assert repr(_plain(guessing.state())) == repr(_plain(plain.state()))


def _plain(state: tuple[object, ...]) -> tuple[object, ...]:
    """Without what holds a moment: the two dialogues answer microseconds apart."""
    return state[:3] + (state[3] is None, getattr(state[4], "name", None), state[5])


async def test_what_was_considered_is_not_used_once_something_has_happened(
    understanding: Understanding, tmp_path: Path
) -> None:
    with Database(tmp_path / "state") as database:
        mind = Mind(understanding, database)
        before = await mind.dialogue.consider("how many timers are running", "en", mind.memory)
        await mind.dialogue.answer("set a timer for ten minutes", "en", Memory(), turn="somebody else's")
        answer = await mind.dialogue.answer(
            "how many timers are running", "en", mind.memory, turn="t", considered=before
        )
        assert answer.reply.text != getattr(before.said, "text", "")


async def test_a_right_guess_is_used_and_its_effect_comes_once() -> None:
    async with asyncio.TaskGroup() as tasks:
        page = attended(here := House(willing(), tasks), tasks)
        page.session.begin("7", endpointer=page.session.by_itself())
        await say(here, page, "up.", 20)
        await page.session.settled()
    assert here.fake.guessed == here.fake.foreseen == ["up."]
    assert [text for text, _ in here.fake.carried_out] == ["up."]


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["up.", "on.", "hello", "", "", "", "end", "cancel"]), max_size=12))
async def test_no_guess_is_ever_carried_out(pieces: list[str]) -> None:
    """Whatever is said, paused, ended and cancelled: the words of each turn, once, and nothing else."""
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        page = attended(here := House(willing(), tasks), tasks)
        for piece in [*pieces, "end"]:
            if not page.session.open_id:
                page.session.begin(endpointer=page.session.by_itself())
            if piece == "end":
                page.session.end()
            elif piece == "cancel":
                page.session.cancel()
            else:
                await say(here, page, piece, 3)
        await page.session.settled()
        heard = [event.text for event in page.events if isinstance(event, turns.FinalHeard)]
        assert [text for text, _ in here.fake.carried_out] == heard
        assert page.texts(turns.Answered) == [f"You said {text}" for text in heard]
        assert set(here.fake.foreseen) <= set(heard)
    assert page.session._conversation._guessing._guess is None


async def test_discarded_guesses_may_cost_only_so_much() -> None:
    now = [0.0]
    guesses = Guesses(lambda: now[0])
    while guesses.are_allowed:
        guesses.discard(0.1)
    assert guesses.wasted_s == pytest.approx(SPARE_S) and not guesses.are_allowed
    now[0] += 10
    assert guesses.are_allowed
    guesses.discard(0.6)
    assert not guesses.are_allowed


async def test_there_is_no_guess_while_the_machine_is_busy() -> None:
    busy = [False]
    async with asyncio.TaskGroup() as tasks:
        page = attended(here := House(willing(), tasks), tasks, lambda: busy[0])
        page.session.begin("7", endpointer=page.session.by_itself())
        busy[0] = True
        page.session.audio(pcm("up.", 0.032))
        await say(here, page, "", 10)
        page.session.end()
        await page.session.settled()
    assert not here.fake.guessed
