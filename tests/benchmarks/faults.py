"""What floods and broken disks cost the others, and the memory → bench/results/faults.json.

Not measured: a network (all is on loopback, floods on the same cores as the server), a Raspberry Pi. Each flood is one
process that sends all it can; a witness pings twenty times a second meanwhile, whether answered or not. While a disk is
broken somebody sets one timer after the other, and somebody else asks for a sum.

    python -m tests.benchmarks.faults [--before CHECKOUT] [KIND …]

CHECKOUT: an older state of this repository, built; its figures are kept beside the present ones.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.load import percentile
from tests.benchmarks.results import RESULTS, machine, save
from tests.support import server as servers
from tests.support.caller import caller
from tests.support.disk import SmallDisk, small_disk
from tests.support.floods import KINDS, flooding
from tests.support.witness import watch

SECONDS = 6.0
DISKS = ("well", "full", "locked")
FILE = "stimme.sqlite3"
LOCK = """
import sqlite3, sys, time
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
"""


def measured(kind: str) -> dict[str, Any]:
    """One flood against a server of its own."""

    async def watched() -> dict[str, Any]:
        await asyncio.sleep(0.5)
        with flooding(kind, server.port, 60):
            await asyncio.sleep(1)
            try:
                seen = await watch(server, SECONDS)
            except (TimeoutError, OSError) as error:
                return {"others_ping_ms_p99": None, "growth_mb": None, "note": f"nobody got in: {error}"}
        return {
            "others_ping_ms_p50": round(percentile(seen.pings_ms, 50), 1),
            "others_ping_ms_p99": round(seen.p99_ms, 1),
            "growth_mb": round(seen.growth_mb, 1),
        }

    with servers.running_server() as server:
        return asyncio.run(watched()) | {"log_kb": round(len(server.log.read_text()) / 1000, 1)}


def measured_disk(kind: str) -> dict[str, Any]:
    """A disk that is well, full, or whose file another program holds locked: how long answers take, and pings."""

    async def asked(url: str, text: str, waits_ms: list[float]) -> None:
        async with caller(url) as person:
            await person.hello(speak=False)
            while True:
                begin = time.perf_counter()
                await person.type(text, until="answer")
                waits_ms.append(1000 * (time.perf_counter() - begin))
                await asyncio.sleep(0.2)

    async def watched(url: str) -> dict[str, Any]:
        timers_ms: list[float] = []
        sums_ms: list[float] = []
        people = [
            asyncio.create_task(asked(url, "set a timer for ten minutes", timers_ms)),
            asyncio.create_task(asked(url, "what is two plus two", sums_ms)),
        ]
        seen = await watch(server, SECONDS)
        for person in people:
            person.cancel()
        await asyncio.wait(people)
        waits = {"timer_answered_ms": timers_ms, "sum_answered_ms": sums_ms, "others_ping_ms": seen.pings_ms}
        return {
            f"{name}_p{percent}": round(percentile(values, percent), 1)
            for name, values in waits.items()
            for percent in (50, 99)
        }

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="stimme-faults-"))
        disk = stack.enter_context(small_disk(Path(folder) / "disk", "2m"))
        settings = {"STIMME_STATE": str(disk.folder)}
        server = stack.enter_context(servers.running_server(settings, prefix=disk.prefix))
        if kind == "full":
            disk.fill()
        elif kind == "locked":
            stack.enter_context(locked_by_another(disk, 2 * SECONDS))
        return asyncio.run(watched(server.url))


@contextmanager
def locked_by_another(disk: SmallDisk, seconds: float) -> Iterator[None]:
    """Another program writes to the file for so long, and has begun."""
    command = [*disk.prefix, sys.executable, "-c", LOCK, str(disk.folder / FILE), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "locked\n"
        yield
        other.kill()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--before", type=Path)
    parser.add_argument("kinds", nargs="*", default=(*KINDS, *DISKS))
    options = parser.parse_args()
    file = RESULTS / "faults.json"
    figures: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    which = "before" if options.before else "now"
    if options.before:
        servers.ROOT = options.before
    figures.setdefault("machine", {})[which] = machine()
    for kind in options.kinds:
        group, measure = ("disks", measured_disk) if kind in DISKS else ("floods", measured)
        found = figures.setdefault(group, {}).setdefault(kind, {})[which] = measure(kind)
        print(f"{kind:24} {which}: {found}", flush=True)
        save("faults", figures)


if __name__ == "__main__":
    main()
