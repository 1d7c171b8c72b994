"""Minutes of everything at once against the real process → bench/results/soak.json.

People type, speak, listen and set timers; rude clients and floods come and go; the disk fills up, its file is locked,
the process is stopped for seconds. In the first part it is killed and restarted besides; in the second it is one and
the same process to the end, which is sampled every two seconds. What must hold: no answer wrong or lost, no timer
unheard, no line that fails without a reason given, and memory, descriptors and threads at rest as they were once
everything had been used.

Not measured: a network, a Raspberry Pi, hours. The people share the cores with the server. A restart takes the ten
seconds that are given to turns under way (GRACE_S): there is always a rude client with one that never ends.

    python -m tests.soak.soak [MINUTES [MINUTES WITHOUT A RESTART]]
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from appliance.hearing.pool import RECOGNIZER_BYTES
from tests.benchmarks.results import machine, save
from tests.soak.faults import ALL, STEADY, Faults
from tests.soak.holding import Samples, at_rest
from tests.soak.people import Person, sets_timers, speaks, types
from tests.soak.tally import Tally
from tests.support import hostile
from tests.support.disk import SmallDisk, small_disk
from tests.support.server import RunningServer, running_server
from tests.support.speech import spoken

MINUTES = 10.0
WARM_UP = 0.2
"""Of the part without a restart: by then everything has been used that is made when first needed."""

LAST_TIMERS_S = 12.0
"""After the people have gone: the longest timer, and the time after which unheard ones are told to the listener."""
SETTLED_S = 4.0

MOST_GROWTH_MB = 6.0
"""At rest, from warmed up to the end, but for recognizers made meanwhile: what the heap's leftovers differ by between
two rests is up to 4 MB (docs/decisions.md, "Two heaps")."""
MOST_SLOPE_MB_PER_MINUTE = 0.5


class Soak:
    """One server after the other, on a small disk and on the same ports. pcm: "what is seven times eight", spoken."""

    def __init__(self, disk: SmallDisk, pcm: bytes) -> None:
        self._disk, self._pcm = disk, pcm
        self._ports = {"STIMME_PORT": str(_free_port()), "STIMME_PAGE_PORT": str(_free_port())}
        self._settings = self._ports | {"STIMME_STATE": str(disk.folder), "PING_INTERVAL": "5", "PING_TIMEOUT": "5"}
        self._stack = ExitStack()
        self._tracebacks = 0
        self.server = self._start()

    async def with_restarts(self, seconds: float) -> dict[str, Any]:
        """All faults; ends with the server at rest."""
        tally, faults = Tally(), Faults(self._disk, lambda: self.server, self._restart)
        before = await at_rest(self.server, SETTLED_S)
        async with self._listened(tally):
            await self._busy(tally, faults, ALL, seconds)
            await asyncio.sleep(LAST_TIMERS_S)
        after = await at_rest(self.server, SETTLED_S)
        return self._figures(seconds, tally, faults) | {"at_rest": {"before": before, "after": after}}

    async def without_restart(self, seconds: float) -> dict[str, Any]:
        """What one process must survive, on a new one."""
        self._restart(signal.SIGTERM)
        tally, faults, samples = Tally(), Faults(self._disk, lambda: self.server, self._restart), Samples()
        process = self.server.process
        fresh = await at_rest(self.server, SETTLED_S)
        async with self._listened(tally):
            await self._busy(tally, faults, STEADY, WARM_UP * seconds)
            warm = await at_rest(self.server, LAST_TIMERS_S + SETTLED_S)
            sampling = asyncio.create_task(samples.take(self.server))
            await self._busy(tally, faults, STEADY, (1 - WARM_UP) * seconds)
            sampling.cancel()
            await asyncio.sleep(LAST_TIMERS_S)
        after = await at_rest(self.server, SETTLED_S)
        figures = self._figures(seconds, tally, faults) | {
            "same_process": process is self.server.process and process.poll() is None,
            "at_rest": {"fresh": fresh, "warm": warm, "after": after},
        }
        return figures | samples.figures()

    def stop(self) -> None:
        self._tracebacks += self.server.log.read_text().count("Traceback")
        self._stack.close()

    def _start(self) -> RunningServer:
        return self._stack.enter_context(running_server(self._settings, prefix=self._disk.prefix))

    def _restart(self, how: signal.Signals) -> None:
        self.server.process.send_signal(how)
        self.server.process.wait(30)
        self.stop()
        self.server = self._start()

    @asynccontextmanager
    async def _listened(self, tally: Tally) -> AsyncIterator[None]:
        listening = asyncio.create_task(Person(self._port, tally, 0).listen())
        try:
            yield
        finally:
            listening.cancel()
            await asyncio.wait([listening])

    async def _busy(self, tally: Tally, faults: Faults, names: tuple[str, ...], seconds: float) -> None:
        """People, rude clients and faults for so long; then all but the listener have gone."""
        until_s = time.monotonic() + seconds
        people = [Person(self._port, tally, number, hears=number == 2) for number in range(1, 7)]
        works = [
            *(types(person, tally, number) for number, person in enumerate(people[:3])),
            *(speaks(person, tally, self._pcm, "56") for person in people[3:5]),
            *(hostile.for_ever(kind, self._port) for kind in hostile.KINDS),
        ]
        async with asyncio.timeout(seconds + 180):
            tasks = [asyncio.create_task(work) for work in works]
            timers = asyncio.create_task(sets_timers(people[5], tally, until_s))
            await faults.one_after_the_other(names, until_s)
            await timers
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def _port(self) -> int:
        return int(self._ports["STIMME_PORT"])

    def _figures(self, seconds: float, tally: Tally, faults: Faults) -> dict[str, Any]:
        tracebacks = self._tracebacks + self.server.log.read_text().count("Traceback")
        return {"seconds": seconds, "faults": faults.counts(), "tracebacks": tracebacks} | tally.figures(faults.spans)


def what_is_wrong(figures: dict[str, Any]) -> list[str]:
    """What a part's figures should not show; [] if all is well."""
    wrong = [
        f"{name}: {figures[name]}"
        for name in ("answers_wrong", "answers_lost", "timers_unheard", "tracebacks")
        if figures[name]
    ]
    failed, rest = figures["connections_failed"], figures["at_rest"]
    before, after = rest.get("warm") or rest["before"], rest["after"]
    if failed["unexplained"]:
        wrong.append(f"lines that failed for no reason given: {failed['unexplained_kinds']}")
    if after["threads"] > before["threads"] + 1 or after["descriptors"] > before["descriptors"] + 8:
        wrong.append(f"threads or descriptors have grown: {before} → {after}")
    if "warm" not in rest:
        return wrong
    if not figures["same_process"]:
        wrong.append("the process ended")
    recognizers_mb = (after["recognizers"] - before["recognizers"]) * RECOGNIZER_BYTES / 1e6
    if after["resident_mb"] > before["resident_mb"] + recognizers_mb + MOST_GROWTH_MB:
        wrong.append(f"memory at rest has grown: {before} → {after}")
    return wrong


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def soaking() -> Iterator[Soak]:
    """A server on a small disk."""
    (pcm,) = asyncio.run(spoken(["what is seven times eight"]))
    with tempfile.TemporaryDirectory(prefix="stimme-soak-") as folder:
        with small_disk(Path(folder) / "disk", "2m") as disk:
            soak = Soak(disk, pcm)
            try:
                yield soak
            finally:
                soak.stop()


def main() -> None:
    given = [float(each) for each in sys.argv[1:]]
    restarted, steady = (given + [MINUTES] * 2)[:2] if len(given) != 1 else given * 2
    with soaking() as soak:
        parts = {
            "with_restarts": asyncio.run(soak.with_restarts(60 * restarted)),
            "without_restart": asyncio.run(soak.without_restart(60 * steady)),
        }
    wrong = []
    for part, figures in parts.items():
        print(part)
        for name, value in figures.items():
            print(f"  {name:30} {value}")
        wrong += [f"{part}: {line}" for line in what_is_wrong(figures)]
    slope = parts["without_restart"]["second_half_slope_per_minute"]["resident_mb"]
    if slope > MOST_SLOPE_MB_PER_MINUTE:
        wrong.append(f"memory grows by {slope} MB a minute")
    save("soak", {"machine": machine()} | parts)
    print("\n".join(wrong) or "All is well.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
