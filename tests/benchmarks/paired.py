"""An earlier Stimme and this one in alternating runs on the same machine → bench/results/before-after.json.

The earlier one is a commit, installed with the libraries it asks for in an environment of its own below build/paired
(network, once). Each round measures both, the second first in every other round, so that a slow moment of the machine
does not always hit the same one; a figure is the median over the rounds, and its ratio is the median of the rounds'
ratios. docs/before-after.md gets the table. Both are their own defaults: what one loads and the other does not know is
in its figures.

Not measured: a network, a Raspberry Pi, a sound card; figures that only one of them has.

    python -m tests.benchmarks.paired [--before 49fd0d4] [--rounds 5]      each round takes about a minute
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.load import percentile, run
from tests.benchmarks.results import machine, save
from tests.benchmarks.server import Lateness
from tests.support.caller import Turn, caller
from tests.support.crowd import crowd
from tests.support.server import MODELS, ROOT, RunningServer, running_server

FIRST = "49fd0d4"
"""The first version that anybody could use, of 2026-11-22."""

HOME = ROOT / "build" / "paired"
TABLE = ROOT / "docs" / "before-after.md"
WORSE = 1.05
"""A figure that is more than this many times the earlier one is named."""

Figures = dict[str, float]

ROWS = {
    "convert_512_ns": "float32 → int16, 512 samples (ns)",
    "convert_back_512_ns": "int16 → float32, 512 samples (ns)",
    "ring_512_ns": "ring, 512 samples written and read (ns)",
    "ready_s": "start → ready (s)",
    "idle_rss_mb": "memory, idle (MB)",
    "typed_ms": "typed question → answer (ms)",
    "final_ms": "end of speech → final transcript (ms)",
    "first_sound_ms": "end of speech → first sound (ms)",
    "complete_ms": "end of speech → whole reply (ms)",
    "stream_ping_ms_p50": "100 stream: round trip, p50 (ms)",
    "stream_ping_ms_p99": "100 stream: round trip, p99 (ms)",
    "stream_cpu_cores": "100 stream: processor (cores)",
    "stream_loop_lateness_ms_p99": "100 stream: event loop late, p99 (ms)",
    "crowd_final_ms_p50": "50 speak in 10 s: final transcript, p50 (ms)",
    "crowd_final_ms_p95": "50 speak in 10 s: final transcript, p95 (ms)",
    "crowd_answer_ms_p95": "50 speak in 10 s: answer, p95 (ms)",
    "crowd_loop_lateness_ms_p99": "50 speak in 10 s: event loop late, p99 (ms)",
    "crowd_rss_mb": "50 speak in 10 s: memory at most (MB)",
    "crowd_lost": "50 speak in 10 s: not answered",
}
"""All of them are better when they are smaller."""

NATIVE = """
import json, timeit, numpy as np
from native import convert
from native.ring import Ring
floats = (np.random.default_rng(1).standard_normal(512) * 0.3).astype(np.float32)
scratch, samples, chunk, ring = np.empty(512, np.float32), np.zeros(512, np.int16), bytes(1024), Ring(1024)
rows = {
    "convert_512_ns": lambda: convert.float32_to_int16(floats, samples),
    "convert_back_512_ns": lambda: convert.int16_to_float32(samples, scratch),
    "ring_512_ns": lambda: (ring.write(chunk), ring.read()),
}
print(json.dumps({name: min(timeit.repeat(one, number=20_000, repeat=15)) / 2e-5 for name, one in rows.items()}))
"""

TYPED = ("what time is it", "set a timer for ten minutes", "what is 15 percent of 80", "cancel the timer", "hello")
"""Skills that both have; asked in turn."""


@dataclass(frozen=True)
class Stimme:
    """One of the two. environment: for its processes; None takes a name out."""

    name: str
    python: str
    environment: dict[str, str | None]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--before", default=FIRST, metavar="COMMIT")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    files = [str(file) for file in crowd()]
    before, after = installed(options.before), Stimme("after", sys.executable, {"STIMME_MODELS": str(MODELS)})
    for one in (before, after):
        with started(one):
            pass  # unpacks models and cuts voices, once
    about = machine()
    found: dict[str, list[Figures]] = {"before": [], "after": []}
    for number in range(options.rounds):
        for one in (before, after) if number % 2 == 0 else (after, before):
            print(f"==> round {number + 1} of {options.rounds}, {one.name}", flush=True)
            found[one.name].append(measured(one, files))
    rows = summary(found["before"], found["after"])
    path = save("before-after", {"machine": about, "before": options.before, "rounds": options.rounds, "rows": rows})
    table = as_table(rows)
    print(table)
    TABLE.write_text(with_table(TABLE.read_text(encoding="utf-8"), table), encoding="utf-8")
    print(f"\nWritten to {path} and {TABLE.relative_to(ROOT)}")
    return 0


def installed(commit: str) -> Stimme:
    """That commit, in an environment of its own. It is made once and kept."""
    place = HOME / commit
    tree, python = place / "tree", place / "venv" / "bin" / "python"
    if not (place / "ready").exists():
        print(f"==> installing {commit} in {place}", flush=True)
        tree.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(["git", "-C", str(ROOT), "archive", commit], capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x", "-C", str(tree)], input=packed, check=True)
        subprocess.run([sys.executable, "-m", "venv", str(place / "venv")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", str(tree)], check=True)
        (place / "ready").touch()
    return Stimme("before", str(python), {"STIMME_MODELS": str(place / "models"), "PYTHONPATH": None})


def started(one: Stimme) -> AbstractContextManager[RunningServer]:
    return running_server(one.environment | {"MAX_CONNECTIONS": "5000"}, python=one.python, timeout_s=180)


def measured(one: Stimme, files: Sequence[str]) -> Figures:
    figures = native(one)
    with started(one) as server:
        figures |= {"ready_s": server.ready_s, "idle_rss_mb": server.rss_mb()}
        figures |= asyncio.run(alone(server, [Path(file).read_bytes() for file in files[:5]]))
    with started(one) as server:
        figures |= streaming(server, files[0])
    with started(one) as server:
        figures |= speaking(server, files[:50])
    return figures


def native(one: Stimme) -> Figures:
    environment: dict[str, str | None] = {**os.environ, "PYTHONPATH": str(ROOT), **one.environment}
    done = subprocess.run(
        [one.python, "-c", NATIVE],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
        env={name: value for name, value in environment.items() if value is not None},
    )
    figures: Figures = json.loads(done.stdout)
    return figures


async def alone(server: RunningServer, speech: Sequence[bytes]) -> Figures:
    """One person: types, then speaks in real time; the first of each warms up."""
    async with caller(server.url) as person:
        await person.hello(reply_rate=48_000, speak=False)
        typed = [await person.type(TYPED[number % len(TYPED)], until="answer") for number in range(6 * len(TYPED))]
        await person.hello(reply_rate=48_000, speak=True)
        spoken = [await person.say(pcm) for pcm in speech]

    def median(turns: Sequence[Turn], kind: str) -> float:
        return statistics.median(turn.ms(kind) for turn in turns)

    return {
        "typed_ms": median(typed[len(TYPED) :], "answer"),
        "final_ms": median(spoken[1:], "final"),
        "first_sound_ms": median(spoken[1:], "audio"),
        "complete_ms": median(spoken[1:], "speech_end"),
    }


def streaming(server: RunningServer, file: str) -> Figures:
    cpu_s, lateness = server.cpu_s(), Lateness(server)
    got = run("stream", port=server.port, connections=100, seconds=4, chunk_bytes=1024, file=file)
    if got["errors"]:
        raise RuntimeError(f"the server refused: {got['errors']}")
    return {
        "stream_ping_ms_p50": got["ping_ms_p50"],
        "stream_ping_ms_p99": got["ping_ms_p99"],
        "stream_cpu_cores": (server.cpu_s() - cpu_s) / got["took_s"],
        "stream_loop_lateness_ms_p99": lateness.ms(99),
    }


def speaking(server: RunningServer, files: Sequence[str]) -> Figures:
    lateness, rss_mb = Lateness(server), [0.0]
    got = run(
        "speak",
        lambda: rss_mb.append(server.rss_mb()),
        port=server.port,
        files=files,
        seconds=10,
        chunk_bytes=1024,
        dialect="stimme",
        speak=False,
        until="answer",
        seed=1,
    )
    at = {kind: [one["at"][kind] for one in got["people"] if kind in one["at"]] for kind in ("final", "answer")}
    return {
        "crowd_final_ms_p50": percentile(at["final"], 50),
        "crowd_final_ms_p95": percentile(at["final"], 95),
        "crowd_answer_ms_p95": percentile(at["answer"], 95),
        "crowd_loop_lateness_ms_p99": lateness.ms(99),
        "crowd_rss_mb": max(rss_mb),
        "crowd_lost": float(len(files) - len(at["answer"])),
    }


def summary(before: Sequence[Figures], after: Sequence[Figures]) -> dict[str, dict[str, float]]:
    """By row: both medians, the median of the ratios after / before, and the least and greatest of them."""
    rows = {}
    for name in ROWS:
        old, new = [one[name] for one in before], [one[name] for one in after]
        ratios = [b / a if a else 1.0 if a == b else float("inf") for a, b in zip(old, new, strict=True)]
        figures = (statistics.median(old), statistics.median(new), statistics.median(ratios), min(ratios), max(ratios))
        rows[name] = dict(
            zip(("before", "after", "ratio", "least", "most"), (round(one, 3) for one in figures), strict=True)
        )
    return rows


def as_table(rows: dict[str, dict[str, float]]) -> str:
    lines = ["| | before | after | after / before | rounds from … to | |", "|---|--:|--:|--:|--:|---|"]
    for name, words in ROWS.items():
        one = rows[name]
        verdict = "worse" if one["ratio"] > WORSE else "better" if one["ratio"] < 1 / WORSE else "same"
        lines.append(
            f"| {words} | {one['before']:.4g} | {one['after']:.4g} | {one['ratio']:.2f} | "
            f"{one['least']:.2f} … {one['most']:.2f} | {verdict} |"
        )
    return "\n".join(lines)


def with_table(text: str, table: str) -> str:
    """The document with the table between its marks renewed."""
    made, count = re.subn(r"(?s)(<!-- figures -->\n).*?(\n<!-- end -->)", lambda m: m[1] + table + m[2], text, count=1)
    if not count:
        raise ValueError(f"{TABLE}: no place for figures, expected <!-- figures --> and <!-- end -->")
    return made


if __name__ == "__main__":
    sys.exit(main())
