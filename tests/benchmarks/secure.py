"""What TLS costs → bench/results/secure.json: handshakes, memory, processor time, and a hundred paired people speaking.

Not measured: a network (all is on loopback, the load on the same cores), a Raspberry Pi. Plain and secure alternate on
one server, so that what else the machine does meets both; memory is measured on a fresh server for each.

    python -m tests.benchmarks.secure [--rounds N]
"""

from __future__ import annotations

import argparse
import re
import socket
import ssl
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from appliance.state.database import Database
from appliance.state.tokens import TokenStore
from tests.benchmarks.load import Json, run
from tests.benchmarks.results import machine, percentiles, save
from tests.support.crowd import crowd
from tests.support.server import RunningServer, running_server

HANDSHAKES = 300
IDLE = 300
STREAMS, STREAM_S = 50, 6
PLACES = 100
"""Paired; each may hold a few connections."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    figures: dict[str, Any] = {"machine": machine(), "rounds": rounds}
    figures["idle_kb_per_connection"] = {way: _idle(way) for way in ("plain", "secure")}
    _report("idle_kb_per_connection", figures)
    with _started() as (server, ways):
        figures["handshakes"] = _handshakes(server, *ways["secure"])
        _report("handshakes", figures)
        got: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, (port, more) in ways.items():
                got[way].append(_stream(server, port, more))
        figures["cpu_ms_per_streamed_s"] = {way: round(median(values), 2) for way, values in got.items()}
        _report("cpu_ms_per_streamed_s", figures)
        figures["speaking_100"] = _speaking(ways, rounds)
        _report("speaking_100", figures)
    print(save("secure", figures))


@contextmanager
def _started() -> Iterator[tuple[RunningServer, dict[str, tuple[int, Json]]]]:
    """A server with --lan, and by each way its port and what the load must know."""
    with tempfile.TemporaryDirectory() as folder:
        with Database(Path(folder) / "stimme.sqlite3") as database:
            store = TokenStore(database)
            tokens = [store.add(f"benchmark {number}", "program")[0] for number in range(PLACES)]
        settings = {"STIMME_LAN": "1", "STIMME_SECURE_PORT": "0", "STIMME_STATE": folder, "MAX_CONNECTIONS": "2000"}
        with running_server(settings) as server:
            found = re.search(r"https://([^:]+):(\d+)", server.log.read_text())
            assert found
            secure = {"authority": f"{folder}/tls/authority.crt", "name": found[1], "tokens": tokens}
            yield server, {"plain": (server.port, {}), "secure": (int(found[2]), {"secure": secure})}


def _report(name: str, figures: dict[str, Any]) -> None:
    print(f"{name}: {figures[name]}", flush=True)


def _handshakes(server: RunningServer, port: int, more: Json) -> dict[str, float]:
    """One after the other and without resumption, each with one small request."""
    secure = more["secure"]
    context = ssl.create_default_context(cafile=secure["authority"])
    took_ms, cpu_s, begin = [], server.cpu_s(), time.perf_counter()
    for _ in range(HANDSHAKES):
        mark = time.perf_counter()
        with socket.create_connection(("127.0.0.1", port)) as line:
            with context.wrap_socket(line, server_hostname=secure["name"]) as wrapped:
                took_ms.append(1000 * (time.perf_counter() - mark))
                wrapped.sendall(b"GET /trusted HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                wrapped.recv(4096)
    seconds = time.perf_counter() - begin
    return {
        "a_second": round(HANDSHAKES / seconds, 1),
        **{f"ms_{name}": value for name, value in percentiles(took_ms, 2).items()},
        "server_cpu_ms_each": round(1000 * (server.cpu_s() - cpu_s) / HANDSHAKES, 2),
    }


def _idle(way: str) -> float:
    """What one more connection takes that only says hello."""
    with _started() as (server, ways):
        port, more = ways[way]
        run("idle", port=port, connections=10, seconds=1, **more)  # what is made once
        before, most = server.rss_mb(), [0.0]
        run("idle", lambda: most.append(server.rss_mb()), port=port, connections=IDLE, seconds=2, **more)
        return round(1000 * (max(most) - before) / IDLE, 1)


def _stream(server: RunningServer, port: int, more: Json) -> float:
    cpu_s = server.cpu_s()
    run("stream", port=port, connections=STREAMS, seconds=STREAM_S, chunk_bytes=1024, file=str(crowd()[0]), **more)
    return 1000 * (server.cpu_s() - cpu_s) / (STREAMS * STREAM_S)


def _speaking(ways: dict[str, tuple[int, Json]], rounds: int) -> dict[str, Any]:
    """A hundred paired people say a sentence each within ten seconds; each way in turn, with the same people."""
    finals: dict[str, list[float]] = {way: [] for way in ways}
    texts: dict[str, list[str | None]] = {way: [] for way in ways}
    for seed in range(rounds):
        for way, (port, more) in ways.items():
            got = run(
                "speak",
                port=port,
                files=[str(file) for file in crowd()],
                seconds=10,
                chunk_bytes=1024,
                dialect="stimme",
                speak=False,
                until="answer",
                seed=seed,
                **more,
            )
            finals[way] += [person["at"]["final"] for person in got["people"] if "final" in person["at"]]
            texts[way] += [person["text"] for person in got["people"]]
    same = sum(one == other and one is not None for one, other in zip(texts["plain"], texts["secure"], strict=True))
    return {
        "people": 100 * rounds,
        "same_transcript_both_ways": same,
        "final_ms": {way: percentiles(values) for way, values in finals.items()},
    }


if __name__ == "__main__":
    main()
