"""What floods cost the others, and the memory → bench/results/faults.json.

Not measured: a network (all is on loopback, floods on the same cores as the server), a Raspberry Pi. Each flood is one
process that sends all it can; a witness pings twenty times a second meanwhile, whether answered or not.

    python -m tests.benchmarks.faults [--before CHECKOUT] [KIND …]

CHECKOUT: an older state of this repository, built; its figures are kept beside the present ones.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from tests.benchmarks.load import percentile
from tests.benchmarks.results import RESULTS, machine, save
from tests.support import server as servers
from tests.support.floods import KINDS, flooding
from tests.support.witness import watch

SECONDS = 6.0


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
        return {"others_ping_ms_p50": round(percentile(seen.pings_ms, 50), 1),
                "others_ping_ms_p99": round(seen.p99_ms, 1), "growth_mb": round(seen.growth_mb, 1)}

    with servers.running_server() as server:
        return asyncio.run(watched()) | {"log_kb": round(len(server.log.read_text()) / 1000, 1)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--before", type=Path)
    parser.add_argument("kinds", nargs="*", default=KINDS)
    options = parser.parse_args()
    file = RESULTS / "faults.json"
    figures: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    which = "before" if options.before else "now"
    if options.before:
        servers.ROOT = options.before
    figures.setdefault("machine", {})[which] = machine()
    for kind in options.kinds:
        found = figures.setdefault("floods", {}).setdefault(kind, {})[which] = measured(kind)
        print(f"{kind:24} {which}: {found}", flush=True)
        save("faults", figures)


if __name__ == "__main__":
    main()
