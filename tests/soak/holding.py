"""What a process holds: at rest, and sampled while it works, with the slope that a leak would show."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any

from tests.support.scrape import scrape
from tests.support.server import RunningServer

EVERY_S = 2.0


def held(server: RunningServer) -> dict[str, float]:
    """Resident memory in MB, all and the part that is in no file (proc(5): status), descriptors, threads."""
    process = Path(f"/proc/{server.process.pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return {
        "resident_mb": round(server.rss_mb(), 1),
        "anonymous_mb": round(int(status["RssAnon"].split()[0]) * 1024 / 1e6, 1),
        "descriptors": server.descriptors(),
        "threads": len(os.listdir(process / "task")),
    }


async def at_rest(server: RunningServer, after_s: float) -> dict[str, float]:
    """What it holds once nobody has asked anything for a while; recognizers: how many it has made and keeps."""
    await asyncio.sleep(after_s)
    figures = await asyncio.to_thread(scrape, server.page_port)
    made = sum(value for (name, _), value in figures.items() if name == "voice_recognizers")
    return held(server) | {"recognizers": int(made)}


@dataclass
class Samples:
    """One every EVERY_S while it runs."""

    taken: list[dict[str, float]] = field(default_factory=list)

    async def take(self, server: RunningServer) -> None:
        while True:
            self.taken.append(held(server))
            await asyncio.sleep(EVERY_S)

    def figures(self) -> dict[str, Any]:
        half = self.taken[len(self.taken) // 2 :]
        quarters = [self.taken[len(self.taken) * n // 4 : len(self.taken) * (n + 1) // 4] for n in range(4)]
        return {
            "samples": len(self.taken),
            "resident_mb_median_by_quarter": [_median(part, "resident_mb") for part in quarters],
            "resident_mb_max": max((each["resident_mb"] for each in self.taken), default=0.0),
            "second_half_slope_per_minute": {
                name: round(slope([each[name] for each in half]) * 60 / EVERY_S, 3)
                for name in ("resident_mb", "descriptors", "threads")
            },
        }


def slope(values: list[float]) -> float:
    """The median of the slopes between all pairs, a step (Theil, 1950; Sen, 1968): a flood's peak does not tilt it."""
    pairs = combinations(enumerate(values), 2)
    return median((later - before) / (j - i) for (i, before), (j, later) in pairs) if len(values) > 1 else 0.0


def _median(part: list[dict[str, float]], name: str) -> float:
    return round(median(each[name] for each in part), 1) if part else 0.0
