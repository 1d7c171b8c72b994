"""Bounded worker threads for calls that would block the event loop, with the cancellation contract.

The contract (anyio's): a cancelled caller waits for its own call to end before it
raises, so that whatever the call was using is free again when the caller sees the cancellation. A call that no
thread has begun yet is withdrawn and never runs.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Priority = int | tuple[int, ...]


class _Call:
    """One call and how far it has come. `begun` is guarded by Workers._lock, everything else belongs to the loop."""

    __slots__ = ("args", "begun", "error", "finished", "function", "loop", "result", "waiter")

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], loop: asyncio.AbstractEventLoop) -> None:
        self.function = function
        self.args = args
        self.loop = loop
        self.waiter: asyncio.Future[None] = loop.create_future()
        self.begun = False
        self.finished = False
        self.result: Any = None
        self.error: BaseException | None = None

    def finish(self) -> None:
        self.finished = True
        if not self.waiter.done():
            self.waiter.set_result(None)


class Workers:
    """`threads` threads called `name`-0, `name`-1, … Calls wait in order of priority (lowest first), then of arrival.

    `run` belongs to event loops; `close` may be called from anywhere but the workers themselves. nice: how far these
    threads stand back behind the thread that makes them when all cores are busy (nice(2); on Linux it is a property
    of a thread). Added to that thread's own: a service that runs ahead of other programs does so as a whole.
    """

    def __init__(self, threads: int, name: str, *, nice: int = 0) -> None:
        if threads < 1:
            raise ValueError(f"{name}: {threads} worker threads, expected at least 1")
        self._name = name
        self._nice = nice
        self._lock = threading.Lock()
        self._calls: list[tuple[tuple[int, ...], int, _Call]] = []
        # One token per call, and one None-call per thread to end it: SimpleQueue waits in C, without the GIL.
        self._tokens: SimpleQueue[bool] = SimpleQueue()
        self._order = itertools.count()
        self._closed = False
        # daemon: after a crash of the loop a call stuck in native code must not keep the process alive.
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{index}", daemon=True) for index in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def threads(self) -> int:
        return len(self._threads)

    @property
    def queued(self) -> int:
        """Calls that no thread has begun yet."""
        return len(self._calls)

    async def run(self, function: Callable[[*Ts], T], *args: *Ts, priority: Priority = 0) -> T:
        """Call function(*args) in a worker thread and return or raise what it does.

        Priorities compare as tuples; 3 means (3,). Cancellation: see the top of this file.
        Raises RuntimeError when closed.
        """
        call = _Call(function, args, asyncio.get_running_loop())
        entry = (priority if isinstance(priority, tuple) else (priority,), next(self._order), call)
        with self._lock:
            if self._closed:
                raise RuntimeError(f"workers '{self._name}' are closed")
            heapq.heappush(self._calls, entry)
        self._tokens.put(True)
        try:
            await call.waiter
        except asyncio.CancelledError:
            if not self._withdraw(entry):
                await self._ended(call)
            raise
        if call.error is not None:
            try:
                raise call.error
            finally:
                del call  # breaks the cycle error → traceback → this frame → error
        return call.result  # type: ignore[no-any-return]

    def close(self) -> None:
        """End the threads after the calls they have begun. Calls still waiting raise RuntimeError in their callers."""
        with self._lock:
            self._closed = True
            waiting, self._calls = self._calls, []
        for _, _, call in waiting:
            call.error = RuntimeError(f"workers '{self._name}' were closed before this call began")
            _tell(call)
        for _ in self._threads:
            self._tokens.put(False)
        for thread in self._threads:
            thread.join()

    def _withdraw(self, entry: tuple[tuple[int, ...], int, _Call]) -> bool:
        """Take the call back; False when a thread has begun it."""
        with self._lock:
            if entry[2].begun or entry not in self._calls:
                return False
            self._calls.remove(entry)
            heapq.heapify(self._calls)
            return True

    @staticmethod
    async def _ended(call: _Call) -> None:
        """Wait for a begun call to end, however often the caller is cancelled meanwhile."""
        while not call.finished:
            call.waiter = call.loop.create_future()
            try:
                await call.waiter
            except asyncio.CancelledError:
                continue  # the first cancellation is under way already and is raised by run()

    def _work(self) -> None:
        if self._nice:
            inherited = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), inherited + self._nice)
        while self._tokens.get():
            with self._lock:
                if not self._calls:
                    continue  # withdrawn: its token is left over
                call = heapq.heappop(self._calls)[2]
                call.begun = True
            try:
                call.result = call.function(*call.args)
            except BaseException as error:  # whatever it is, it belongs to the caller
                call.error = error
            _tell(call)
            del call


def _tell(call: _Call) -> None:
    try:
        call.loop.call_soon_threadsafe(call.finish)
    except RuntimeError:  # the loop was closed: nobody is waiting any more
        return
