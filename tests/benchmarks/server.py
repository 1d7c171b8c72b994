"""A hundred people at once, and a thousand connected → bench/results/server.json.

Not measured: a network (everything is on loopback, the load on the same cores as the server), a Raspberry Pi, people
(a voice speaks the sentences). Everything else is real. The same load is put on the server before the migration
(before.py) and on one of the public WebSocket server's design (vosk_peer.py).

    python -m tests.benchmarks.server [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from appliance.audio.pcm import RATE, Recording
from appliance.hearing.pool import RecognizerPool
from appliance.models.choose import find_recognizer
from appliance.workers import Workers
from tests.benchmarks.load import Json, percentile, run
from tests.benchmarks.results import machine, save
from tests.support.crowd import crowd
from tests.support.scrape import buckets, quantile, scrape
from tests.support.server import MODELS, RunningServer, running_server

CHUNK_BYTES, CHUNK_BYTES_BEFORE = 1024, 4096
SECONDS = 10
"""In which everybody says their sentence."""
CYCLES = 20_000
LADDER = (10, 25, 50, 100, 200, 400, 800)
GUIDE_ROWS = ("audio_latency_ms", "chunk_bytes", "concurrent_users", "memory_kb_per_user", "loop_lateness_ms_p99")
"""The guide's table. Memory is the sound that a server holds for each user, at its most; rss_… is the whole process."""
AUDIO_LIMIT_MS, FINAL_LIMIT_MS = 200, 1000
"""A ladder step holds while p95 of the audio latency (the guide's "before") and of the final transcript stay below."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the cycles, one round, shorter streams")
    parser.add_argument(
        "--same-job", action="store_true", help="only a 'before' that does the whole job → same-job.json"
    )
    options = parser.parse_args()
    quick = options.quick
    rounds = 1 if quick else 3
    files = [str(file) for file in crowd()]
    figures: Json = {"machine": machine()}
    texts = _alone(files)
    if options.same_job:
        print(f"Written to {save('same-job', figures | _same_job(files, texts))}")
        return 0
    with started() as server:
        figures["rss_mb_idle"] = round(server.rss_mb(), 1)
        figures["rss_per_idle_connection_kb"] = _idle(server)
        figures["streaming"] = {
            str(count): _streaming(server, files[0], count, 4 if quick else 8) for count in (1, 10, 100, 1000)
        }
    for count in (100, 200):
        figures[f"speaking_{count}"] = _speaking(files, texts, count, rounds)
        figures[f"speaking_{count}_vosk_server"] = _speaking(
            files, texts, count, 1, module="tests.benchmarks.vosk_peer", dialect="vosk"
        )
    figures["speaking_100_with_speech"] = _speaking(files, texts, 100, 1, speak=True, until="speech_end")
    figures["before_after"] = _before_after(files, LADDER[:4] if quick else LADDER)
    figures["same_job"] = _same_job(files, texts)
    figures["cycles"] = _cycles(files, CYCLES // 10 if quick else CYCLES)
    path = save("server", figures)
    _report(figures)
    print(f"\nWritten to {path}")
    return 0


@contextmanager
def started(module: str = "appliance") -> Iterator[RunningServer]:
    with running_server({"MAX_CONNECTIONS": "5000"}, module=module) as server:
        yield server


def _alone(files: Sequence[str]) -> list[str]:
    """What each sentence gives when nobody else speaks."""
    recordings = [Recording(Path(file).read_bytes(), CHUNK_BYTES // 2) for file in files]

    async def transcribe() -> list[str]:
        choice = find_recognizer("en", MODELS)
        assert choice is not None
        workers = Workers(1, "alone")
        try:
            pool = RecognizerPool({"en": choice.path}, workers)
            await pool.open()
            return [(await pool.transcribe(one, "en", on_partial=lambda _: None)).text for one in recordings]
        finally:
            workers.close()

    return asyncio.run(transcribe())


def _idle(server: RunningServer, count: int = 1000) -> float:
    """RSS for each of a thousand connections that said hello and nothing else, in KB of 1000 bytes."""
    _say(f"{count} idle connections")
    begin_mb, most = server.rss_mb(), [0.0]
    run("idle", lambda: most.append(server.rss_mb()), port=server.port, connections=count, seconds=2)
    return round(1000 * (max(most) - begin_mb) / count, 1)


def _streaming(server: RunningServer, file: str, count: int, seconds: int) -> Json:
    _say(f"{count} streaming")
    cpu_s, lateness, most = server.cpu_s(), Lateness(server), [0.0]
    begin_mb = server.rss_mb()
    got = run(
        "stream",
        lambda: most.append(server.rss_mb()),
        port=server.port,
        connections=count,
        seconds=seconds,
        chunk_bytes=CHUNK_BYTES,
        file=file,
    )
    if got["errors"]:
        raise RuntimeError(f"the server refused: {got['errors']}")
    return {
        "ping_ms_p50": round(got["ping_ms_p50"], 2),
        "ping_ms_p99": round(got["ping_ms_p99"], 2),
        "loop_lateness_ms_p99": lateness.ms(99),
        "cpu_cores": round((server.cpu_s() - cpu_s) / got["took_s"], 2),
        "lost": got["sent_samples"] - got["received_samples"],
        "sent_samples": got["sent_samples"],
        "rss_growth_mb": round(max(most) - begin_mb, 1),
        "load_behind_ms_p99": round(got["behind_ms_p99"], 2),
    }


def _speaking(
    files: Sequence[str],
    texts: Sequence[str],
    count: int,
    rounds: int,
    *,
    module: str = "appliance",
    dialect: str = "stimme",
    speak: bool = False,
    until: str = "",
) -> Json:
    """`rounds` times `count` people in ten seconds, each time on a fresh server; the figures are of all rounds."""
    until = until or ("final" if dialect == "vosk" else "answer")
    files, texts = (list(files) * 2)[:count], (list(texts) * 2)[:count]
    correct = lost = 0
    at: dict[str, list[float]] = {}
    rss_mb, idle_mb, rates, lateness_ms = [], [], [], []
    for number in range(rounds):
        _say(f"{count} speaking{', with speech' if speak else ''}, {module}, round {number + 1} of {rounds}")
        with started(module) as server:
            idle_mb.append(server.rss_mb())
            lateness = Lateness(server) if dialect == "stimme" else None
            got = run(
                "speak",
                lambda: rss_mb.append(server.rss_mb()),
                port=server.port,
                files=files,  # noqa: B023
                seconds=SECONDS,
                chunk_bytes=CHUNK_BYTES,
                dialect=dialect,
                speak=speak,
                until=until,
                seed=number,
            )
            lateness_ms += [lateness.ms(99)] if lateness else []
        rates.append(got["speech_s"] / got["took_s"])
        for person, text in zip(got["people"], texts, strict=True):
            correct += person["text"] == text
            lost += until not in person["at"]
            for kind, ms in person["at"].items():
                at.setdefault(kind, []).append(ms)
    figures = {
        "correct": correct / rounds,
        "lost": lost,
        "throughput_x_realtime": round(sum(rates) / rounds, 1),
        "rss_mb": round(max(rss_mb), 1),
        "rss_kb_per_speaker": round(1000 * (max(rss_mb) - min(idle_mb)) / count),
    }
    for kind in ("final", "answer", "sound", "speech_end"):
        if at.get(kind):
            figures |= {f"{kind}_ms_p{p}": round(percentile(at[kind], p), 1) for p in (50, 95)}
    return figures | ({"loop_lateness_ms_p99": max(lateness_ms)} if lateness_ms else {})


def _before_after(files: Sequence[str], ladder: Sequence[int]) -> Json:
    """More and more people speak in ten seconds, on one server of each kind; the figures are those of a hundred."""
    rows: dict[str, Json] = {}
    for when, module, chunk_bytes in (
        ("before", "tests.benchmarks.before", CHUNK_BYTES_BEFORE),
        ("after", "appliance", CHUNK_BYTES),
    ):
        steps = _climb(module, files, ladder, chunk_bytes)
        users = max((count for count, step in steps.items() if step["holds"]), default=0)
        figures = steps[100] | {"chunk_bytes": chunk_bytes, "concurrent_users": users}
        for name in (*GUIDE_ROWS, "rss_mb", "rss_kb_per_user", "final_ms_p95"):
            rows.setdefault(name, {})[when] = figures[name]
    return rows


def _same_job(files: Sequence[str], texts: Sequence[str]) -> Json:
    """A hundred speak in ten seconds to servers that both hear, understand and speak; the whole process."""
    rows = {
        when: _speaking(files, texts, 100, 1, module=module, speak=True, until="speech_end")
        for when, module in (("before", "tests.benchmarks.before_speaking"), ("after", "appliance"))
    }
    return rows | {"rss_ratio": round(rows["after"]["rss_mb"] / rows["before"]["rss_mb"], 2)}


def _climb(module: str, files: Sequence[str], ladder: Sequence[int], chunk_bytes: int) -> dict[int, Json]:
    steps: dict[int, Json] = {}
    with started(module) as server:
        idle_mb = server.rss_mb()
        for count in ladder:
            _say(f"{count} speaking, {module}, one server for all steps")
            lateness, rss_mb, waiting_s = Lateness(server), [0.0], [0.0]

            def watch(rss_mb: list[float] = rss_mb, waiting_s: list[float] = waiting_s) -> None:
                rss_mb.append(server.rss_mb())
                with suppress(OSError):  # a server whose event loop is blocked may not answer in time
                    waiting_s.append(scrape(server.page_port)["voice_backlog_seconds", ""])

            got = run(
                "speak",
                watch,
                port=server.port,
                files=(list(files) * 10)[:count],
                seconds=SECONDS,
                chunk_bytes=chunk_bytes,
                dialect="stimme",
                speak=False,
                until="final",
                seed=count,
            )
            final_ms = percentile([person["at"].get("final", float("inf")) for person in got["people"]], 95)
            # The oldest sample waits for its chunk to fill; a ping sent right behind the chunk shows when it arrived.
            audio_ms = 1000 * chunk_bytes / 2 / RATE + got["ping_ms_p95"]
            steps[count] = {
                "audio_latency_ms": round(audio_ms, 1),
                "final_ms_p95": round(final_ms, 1),
                "memory_kb_per_user": round(max(waiting_s) * 2 * RATE / 1000 / count, 1),
                "rss_mb": round(max(rss_mb), 1),
                "rss_kb_per_user": round(1000 * (max(rss_mb) - idle_mb) / count),
                "loop_lateness_ms_p99": lateness.ms(99),
                "holds": audio_ms <= AUDIO_LIMIT_MS and final_ms <= FINAL_LIMIT_MS,
            }
            print(f"    {steps[count]}", flush=True)
            if not steps[count]["holds"] and count > 100:
                break
    return steps


def _cycles(files: Sequence[str], cycles: int) -> Json:
    """Connect, speak, leave: memory and descriptors must not grow. The first twentieth warms up."""
    _say(f"{cycles} times connect, speak, leave")
    shortest = min(files, key=lambda file: Path(file).stat().st_size)
    with started() as server:
        run("cycle", port=server.port, cycles=cycles // 20, at_once=20, file=shortest)
        begin_mb, descriptors = server.rss_mb(), server.descriptors()
        half: list[float] = []
        got = run(
            "cycle", lambda: half.append(server.rss_mb()), port=server.port, cycles=cycles, at_once=20, file=shortest
        )
        return {
            "cycles": cycles,
            "answered": got["answered"],
            "took_s": round(got["took_s"], 1),
            "rss_mb_begin": round(begin_mb, 1),
            "rss_mb_half": round(half[len(half) // 2], 1),
            "rss_mb_end": round(server.rss_mb(), 1),
            "descriptors_begin": descriptors,
            "descriptors_end": server.descriptors(),
        }


class Lateness:
    """How late the server's event loop was since this was made, from its own histogram at /metrics."""

    def __init__(self, server: RunningServer) -> None:
        self._port = server.page_port
        self._begin = scrape(self._port)

    def ms(self, percent: float) -> float:
        counts = buckets(scrape(self._port), "voice_loop_lateness_seconds", since=self._begin)
        return round(1000 * quantile(counts, percent), 2)


def _say(what: str) -> None:
    print(f"==> {what}", flush=True)


def _report(figures: Json) -> None:
    def row(name: str, values: Any) -> None:
        print(f"  {name:28} {values}")

    print(f"\nIdle: {figures['rss_mb_idle']} MB, {figures['rss_per_idle_connection_kb']} KB more for each connection")
    for part in ("streaming", "before_after", "same_job"):
        print(f"\n{part}")
        for name, values in figures[part].items():
            row(name, values)
    print("\nspeaking in the same ten seconds")
    for name in sorted(figures):
        if name.startswith("speaking"):
            row(name, figures[name])
    print(f"\ncycles {figures['cycles']}")


if __name__ == "__main__":
    sys.exit(main())
