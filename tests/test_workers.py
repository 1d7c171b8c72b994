"""Worker threads: order, results, and the cancellation contract."""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.workers import Workers


@pytest.fixture
def one() -> Iterator[Workers]:
    workers = Workers(1, "test")
    yield workers
    workers.close()


class Gate:
    """A call that keeps its thread busy until it is opened, and says that it has begun."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.open = threading.Event()
        self.ended = False

    def call(self) -> str:
        self.begun.set()
        assert self.open.wait(10)
        self.ended = True
        return "through"

    async def busy(self, workers: Workers) -> asyncio.Task[str]:
        """Begin the call and return when it is running."""
        task = asyncio.create_task(workers.run(self.call))
        assert await asyncio.to_thread(self.begun.wait, 10)
        return task


async def test_a_call_returns_what_its_function_returns(one: Workers) -> None:
    assert await one.run(divmod, 7, 2) == (3, 1)


async def test_a_call_raises_what_its_function_raises(one: Workers) -> None:
    with pytest.raises(ZeroDivisionError):
        await one.run(divmod, 1, 0)


async def test_calls_run_outside_the_loops_thread(one: Workers) -> None:
    assert await one.run(threading.get_ident) != threading.get_ident()


async def test_calls_run_by_priority_and_then_in_order_of_arrival(one: Workers) -> None:
    gate, order = Gate(), list[str]()
    first = await gate.busy(one)
    calls = [
        asyncio.create_task(one.run(order.append, name, priority=priority))
        for name, priority in (("late", 2), ("early", (1, 5)), ("later", 2), ("urgent", 0), ("earlier", (1, 4)))
    ]
    await asyncio.sleep(0)
    assert one.queued == 5
    gate.open.set()
    await asyncio.gather(first, *calls)
    assert order == ["urgent", "earlier", "early", "late", "later"]


async def test_a_cancelled_caller_waits_for_its_call_to_end(one: Workers) -> None:
    gate = Gate()
    task = await gate.busy(one)
    task.cancel()
    for _ in range(3):
        await asyncio.sleep(0)
    assert not task.done()
    gate.open.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gate.ended


async def test_a_caller_cancelled_again_and_again_still_waits(one: Workers) -> None:
    gate = Gate()
    task = await gate.busy(one)
    for _ in range(5):
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()
    gate.open.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gate.ended


async def test_a_call_that_was_not_begun_is_withdrawn_at_once(one: Workers) -> None:
    gate, ran = Gate(), list[int]()
    busy = await gate.busy(one)
    task = asyncio.create_task(one.run(ran.append, 1))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert one.queued == 0
    gate.open.set()
    await busy
    await one.run(ran.append, 2)
    assert ran == [2]


async def test_closing_ends_begun_calls_and_refuses_waiting_ones() -> None:
    workers, gate = Workers(1, "test"), Gate()
    busy = await gate.busy(workers)
    waiting = asyncio.create_task(workers.run(int))
    await asyncio.sleep(0)
    threading.Timer(0.05, gate.open.set).start()
    workers.close()
    assert await busy == "through"
    with pytest.raises(RuntimeError, match="'test' were closed before"):
        await waiting
    with pytest.raises(RuntimeError, match="'test' are closed"):
        await workers.run(int)


def test_no_threads_are_refused() -> None:
    with pytest.raises(ValueError, match="0 worker threads, expected at least 1"):
        Workers(0, "test")


def test_a_call_that_outlives_its_loop_does_not_end_its_thread() -> None:
    workers, gate = Workers(1, "test"), Gate()

    async def leave() -> None:
        await gate.busy(workers)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(leave())
    leftover = asyncio.all_tasks(loop)
    loop.close()
    gate.open.set()
    assert asyncio.run(workers.run(int)) == 0
    workers.close()
    for task in leftover:
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # abandoned on purpose


@settings(deadline=None, max_examples=60)
@given(threads=st.integers(1, 3), calls=st.integers(1, 40), seed=st.integers(0, 2**32))
def test_no_call_is_lost_whenever_its_caller_is_cancelled(threads: int, calls: int, seed: int) -> None:
    dice = random.Random(seed)
    running, began, ended = set[int](), set[int](), set[int]()

    def work(number: int, duration_s: float) -> int:
        running.add(number)
        began.add(number)
        time.sleep(duration_s)
        running.discard(number)
        ended.add(number)
        return number

    async def call(workers: Workers, number: int) -> int | None:
        try:
            return await workers.run(work, number, dice.choice((0, 0, 0.0005)), priority=dice.randrange(3))
        except asyncio.CancelledError:
            assert number not in running  # the contract
            assert (number in began) == (number in ended)
            return None

    async def scenario() -> list[int | None]:
        workers = Workers(threads, "test")
        tasks = [asyncio.create_task(call(workers, number)) for number in range(calls)]
        while not all(task.done() for task in tasks):
            dice.choice(tasks).cancel() if dice.random() < 0.3 else None
            await asyncio.sleep(0)
        workers.close()
        return [task.result() if not task.cancelled() else None for task in tasks]

    results = asyncio.run(scenario())
    assert not running and began == ended
    for number, result in enumerate(results):
        assert result is None or (result == number and number in ended)


async def test_threads_that_are_nice_say_so_to_the_system() -> None:
    inherited = os.getpriority(os.PRIO_PROCESS, 0)  # not 0 if the tests themselves were started with nice
    workers = Workers(1, "nice", nice=7)
    try:
        nice = await workers.run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        assert nice == min(inherited + 7, 19)
    finally:
        workers.close()
