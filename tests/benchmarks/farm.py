"""What a farm costs and what it survives → bench/results/farm.json.

    make bench-farm                        the long form: 200 rounds, 1,000 connections, 1,000 speaking
    make bench-farm ARGS="--short"         minutes

Everything runs on this machine and shares its cores: Redis, workers, web processes, and the load.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tests.benchmarks import load
from tests.benchmarks.results import RESULTS, machine, save
from tests.farm import chaos
from tests.support.crowd import crowd
from tests.support.farm import RedisServer, redis_server, workers
from tests.support.scrape import buckets, quantile, scrape
from tests.support.server import RunningServer, running_server

CHUNK_BYTES = 1024
WITHIN_S = 10.0
STREAMS_S = 10.0
SOME = {"MAX_CONNECTIONS": "5000"}


PARTS = ("chaos", "overhead", "streaming", "speaking")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a farm on this machine.")
    parser.add_argument("--short", action="store_true", help="12 rounds, 100 connections, 100 and 300 speaking")
    parser.add_argument("--only", choices=PARTS, help="measure this again, and leave the rest of the result as it is")
    parser.add_argument("--rounds", type=int, help="of chaos")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=18)
    options = parser.parse_args()
    file = RESULTS / "farm.json"
    figures: dict[str, Any] = json.loads(file.read_text()) if options.only and file.exists() else {}
    figures["machine"] = machine()
    for part in (options.only,) if options.only else PARTS:
        found = _measured(part, options)
        print(json.dumps(found), flush=True)
        figures |= found
    print(save("farm", figures))


def _measured(part: str, options: argparse.Namespace) -> dict[str, Any]:
    connections, speaking = (100, (100, 300)) if options.short else (1000, (100, 300, 1000))
    match part:
        case "chaos":
            spoken = [file.read_bytes() for file in crowd(10 if options.short else 100)]
            rounds = options.rounds or (12 if options.short else 200)
            print(f"{rounds} rounds of {len(spoken)} people, seed {options.seed}", flush=True)
            found = asyncio.run(chaos.run(rounds, spoken, options.seed, workers=options.workers)).as_json()
            return found | {"seed": options.seed, "workers": options.workers}
        case "overhead":
            return {"overhead_ms": overhead()}
        case "streaming":
            return {"streaming": [streaming(processes, connections) for processes in (1, 2, 4)]}
        case _:
            return {"speaking": [talking(people, options.workers) for people in speaking]}


def overhead() -> dict[str, Any]:
    """Twenty people, one thread that hears: end of speech to transcript in one process, and in a farm of one worker."""
    files = [str(file) for file in crowd(20)]
    with running_server({"STT_WORKERS": "1"}) as server:
        alone, texts = _final_ms(server, files)
    with (
        redis_server() as redis,
        workers(redis, 1, "--hear", "en", "--speak", "en", "--threads", "1"),
        running_server({"STIMME_REDIS": redis.url}) as server,
    ):
        farm, same = _final_ms(server, files)
    return {
        "one_process": alone,
        "farm": farm,
        "p50": round(farm["p50"] - alone["p50"], 1),
        "p95": round(farm["p95"] - alone["p95"], 1),
        "wrong": sum(a != b for a, b in zip(texts, same, strict=True)),
    }


def _final_ms(server: RunningServer, files: Sequence[str]) -> tuple[dict[str, float], list[str | None]]:
    got = _speak(server, files, seconds=20.0)
    finals = [person["at"]["final"] for person in got["people"] if "final" in person["at"]]
    return (
        {"p50": round(load.percentile(finals, 50), 1), "p95": round(load.percentile(finals, 95), 1)},
        [person["text"] for person in got["people"]],
    )


def _speak(server: RunningServer, files: Sequence[str], *, seconds: float, watch: Any = lambda: None) -> load.Json:
    return load.run(
        "speak",
        watch,
        port=server.port,
        files=list(files),
        seconds=seconds,
        chunk_bytes=CHUNK_BYTES,
        dialect="stimme",
        speak=False,
        until="answer",
        seed=1,
    )


def streaming(processes: int, connections: int) -> dict[str, Any]:
    """So many connections stream without end to so many web processes on one port, then cancel."""
    file = str(crowd(1)[0])
    with (
        redis_server() as redis,
        workers(redis, 1, "--hear", "en", "--speak", "en", "--threads", "1"),
        running_server({"STIMME_REDIS": redis.url, **SOME}, arguments=("--processes", str(processes))) as server,
    ):
        while len(_redis(redis, "HKEYS", "stimme:nodes")) < processes:
            time.sleep(0.1)
        time.sleep(3)
        got = load.run(
            "stream", port=server.port, connections=connections, seconds=STREAMS_S, chunk_bytes=CHUNK_BYTES, file=file
        )
        lateness = [
            1000 * quantile(buckets(scrape(server.port), "voice_loop_lateness_seconds"), 99)
            for _ in range(4 * processes)
        ]
    return {
        "processes": processes,
        "connections": connections,
        "lost_samples": got["sent_samples"] - got["received_samples"],
        "answered": got["answered"],
        "errors": len(got["errors"]),
        "loop_lateness_ms_p99": round(max(lateness), 2),
        "ping_ms_p99": round(got["ping_ms_p99"], 1),
        "load_behind_ms_p99": round(got["behind_ms_p99"], 1),
    }


def talking(people: int, count: int) -> dict[str, Any]:
    """So many people say a sentence within ten seconds; what is right is what one of each was heard as."""
    sentences = [str(file) for file in crowd(min(100, people))]
    files = [sentences[number % len(sentences)] for number in range(people)]
    with (
        redis_server() as redis,
        workers(redis, count, "--hear", "en", "--speak", "en", "--threads", "1"),
        running_server({"STIMME_REDIS": redis.url, **SOME}) as server,
    ):
        time.sleep(1)
        right = {
            file: person["text"]
            for file, person in zip(
                sentences, _speak(server, sentences, seconds=2.0 * len(sentences) / 10)["people"], strict=True
            )
        }
        before, most = _cpu_s(redis), [0.0]

        def watch() -> None:
            most[0] = max(most[0], float(_information(redis, "memory")["used_memory"]))

        idle = float(_information(redis, "memory")["used_memory"])
        got = _speak(server, files, seconds=WITHIN_S, watch=watch)
        used_s = _cpu_s(redis) - before
    finals = [person["at"]["final"] for person in got["people"] if "final" in person["at"]]
    texts = [person["text"] for person in got["people"]]
    return {
        "people": people,
        "speech_s": round(got["speech_s"], 1),
        "took_s": round(got["took_s"], 1),
        "lost": people - len(finals),
        "wrong": sum(text is not None and text != right[file] for file, text in zip(files, texts, strict=True)),
        "final_ms": {f"p{percent}": round(load.percentile(finals, percent), 1) for percent in (50, 95, 99)},
        "redis_cpu_ms_per_speech_s": round(1000 * used_s / got["speech_s"], 2),
        "redis_kb_per_person": round((most[0] - idle) / people / 1000, 1),
    }


def _redis(redis: RedisServer, *command: str) -> list[str]:
    from tests.support.farm import everything_in

    return [line for line in everything_in(redis, *command) if line]


def _information(redis: RedisServer, section: str) -> Mapping[str, str]:
    return dict(line.split(":", 1) for line in _redis(redis, "INFO", section) if ":" in line)


def _cpu_s(redis: RedisServer) -> float:
    found = _information(redis, "cpu")
    return float(found["used_cpu_sys"]) + float(found["used_cpu_user"])


if __name__ == "__main__":
    main()
