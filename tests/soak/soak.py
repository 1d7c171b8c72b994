"""Minutes of everything at once against the real process → bench/results/soak.json.

People type, speak and set timers; rude clients and floods come and go; the disk fills up, its file is locked, the
process sleeps, is killed and is restarted. What must hold in the end: no answer wrong or lost, no timer unheard, and
memory, descriptors and threads as they were.

Not measured: a network, a Raspberry Pi, hours. Lateness and waits hold the restarts, which take seconds.

    python -m tests.soak.soak [MINUTES]
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.faults import LOCK
from tests.benchmarks.load import percentile
from tests.benchmarks.results import machine, save
from tests.soak.people import Person, Tally, sets_timers, speaks, types
from tests.support import hostile
from tests.support.disk import SmallDisk, small_disk
from tests.support.floods import flooding
from tests.support.server import RunningServer, running_server
from tests.support.speech import spoken


class Soak:
    """One run. seconds: of people and faults; loading, and the last timers, come on top."""

    def __init__(self, disk: SmallDisk, seconds: float) -> None:
        self.tally = Tally()
        self.faults: dict[str, int] = {}
        self.bugs = 0
        self._disk, self._seconds = disk, seconds
        self._ports = {"STIMME_PORT": str(_free_port()), "STIMME_PAGE_PORT": str(_free_port())}
        self._settings = self._ports | {"STIMME_STATE": str(disk.folder), "PING_INTERVAL": "5", "PING_TIMEOUT": "5"}
        self._stack = ExitStack()
        self.server = self._start()

    @property
    def port(self) -> int:
        return int(self._ports["STIMME_PORT"])

    def _start(self) -> RunningServer:
        return self._stack.enter_context(running_server(self._settings, prefix=self._disk.prefix))

    def restart(self, how: signal.Signals) -> None:
        self.server.process.send_signal(how)
        self.server.process.wait(30)
        self.stop()
        self.server = self._start()

    def stop(self) -> None:
        self.bugs += self.server.log.read_text().count("Traceback")
        self._stack.close()

    async def run(self, pcm: bytes) -> dict[str, Any]:
        until = time.monotonic() + self._seconds
        before = await self._idle()
        listener = asyncio.create_task(Person(self.port, self.tally).listen())
        people = [
            *(types(self.port, self.tally, number) for number in range(3)),
            *(speaks(self.port, self.tally, pcm, "56") for _ in range(2)),
            *(hostile.for_ever(kind, self.port) for kind in hostile.KINDS),
        ]
        async with asyncio.timeout(self._seconds + 180):
            tasks = [asyncio.create_task(person) for person in people]
            timers = asyncio.create_task(sets_timers(self.port, self.tally, until))
            await self._break_things(until)
            await timers
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(12)  # the last timers are due
        after = await self._idle()
        listener.cancel()
        return self._figures(before, after)

    async def _break_things(self, until: float) -> None:
        """One fault after the other, with a few seconds of peace between."""
        for name, fault in itertools.cycle(self._faults()):
            await asyncio.sleep(2)
            if time.monotonic() >= until:
                return
            await fault()
            self.faults[name] = self.faults.get(name, 0) + 1

    def _faults(self) -> list[tuple[str, Any]]:
        def thread(function: Any, *arguments: Any) -> Any:
            return lambda: asyncio.to_thread(function, *arguments)

        async def full() -> None:
            await asyncio.to_thread(self._disk.fill)
            await asyncio.sleep(4)
            self._disk.free()
            await asyncio.sleep(6)  # the next look at the disk

        async def sleep() -> None:
            self.server.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(2)
            self.server.process.send_signal(signal.SIGCONT)

        def flooded() -> None:
            with flooding("pings", self.port, 3):
                time.sleep(3)

        return [
            ("disk full", full),
            ("file locked", thread(self._lock, 3)),
            ("stopped (SIGSTOP)", sleep),
            ("killed", thread(self.restart, signal.SIGKILL)),
            ("flood", thread(flooded)),
            ("restarted", thread(self.restart, signal.SIGTERM)),
        ]

    def _lock(self, seconds: float) -> None:
        file = str(self._disk.folder / "stimme.sqlite3")
        subprocess.run([*self._disk.prefix, sys.executable, "-c", LOCK, file, str(seconds)], check=False)

    async def _idle(self) -> dict[str, float]:
        """What the process holds once nobody asks."""
        await asyncio.sleep(3)
        process = self.server.process.pid
        threads = len(os.listdir(f"/proc/{process}/task"))
        return {
            "resident_mb": round(self.server.rss_mb(), 1),
            "descriptors": self.server.descriptors(),
            "threads": threads,
        }

    def _figures(self, before: dict[str, float], after: dict[str, float]) -> dict[str, Any]:
        silent, late_s = self.tally.timers()
        return {
            "seconds": self._seconds,
            "faults": self.faults,
            "answers": self.tally.answered,
            "answers_wrong": self.tally.wrong,
            "answers_lost": self.tally.lost,
            "connections_failed": self.tally.drops,
            "timers": len(self.tally.set),
            "timers_unheard": silent,
            "tracebacks": self.bugs,
            "wait_s_p50": round(percentile(self.tally.waits_s, 50), 3),
            "wait_s_max": round(max(self.tally.waits_s, default=0.0), 1),
            "late_s_p50": round(percentile(late_s, 50), 2) if late_s else None,
            "late_s_max": round(max(late_s, default=0.0), 1),
            "idle_before": before,
            "idle_after": after,
            "notes": self.tally.notes[:5],
        }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def soaking(seconds: float) -> Iterator[Coroutine[Any, Any, dict[str, Any]]]:
    """A run, to be awaited within."""
    with tempfile.TemporaryDirectory(prefix="stimme-soak-") as folder:
        with small_disk(Path(folder) / "disk", "2m") as disk:
            soak = Soak(disk, seconds)

            async def go() -> dict[str, Any]:
                (pcm,) = await spoken(["what is seven times eight"])
                try:
                    return await soak.run(pcm)
                finally:
                    soak.stop()

            yield go()


def main() -> None:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with soaking(60 * minutes) as run:
        figures = asyncio.run(run)
    for name, value in figures.items():
        print(f"{name:18} {value}")
    save("soak", {"machine": machine()} | figures)
    if figures["answers_wrong"] or figures["answers_lost"] or figures["timers_unheard"] or figures["tracebacks"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
